"""The columns of results: names, order, values and decimals, the same in every format.

A run builds `Columns` once. All writers, the report, `emotool.to_frame` and the schema in
``docs/schema.md`` iterate it, so a new column is added here and nowhere else.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from emotool.results.row import ClipResult

if TYPE_CHECKING:
    from emotool.inputs.manifest import Manifest

from emotool.results.answer_columns import dimension_entry, label_entries, single, top_labels
from emotool.results.column import Column, Entry
from emotool.text import path_bytes, path_text

__all__ = ["Columns"]


_DURATION_DECIMALS: Final = 3
_TIME_DECIMALS: Final = 6  # a sample at 16 kHz lasts 0.0000625 s
_PREFIX: Final = "manifest_"


class Columns:
    """The columns of one run's results.

    Parameters
    ----------
    labels : sequence of str
        The model's labels; none if it gives only dimensions, and then no columns about labels.
    segments : bool, default False
        Whether rows are about windows: then they have times.
    top : int, default 0
        How many of the most probable labels get columns; at most as many as there are.
    manifest : Manifest, optional
        A table whose columns come after those of the results.
    dimensions : sequence of str
        Names of the numbers that the model gives, each of which is a column.

    Attributes
    ----------
    labels, dimensions : tuple of str
    entries : tuple of Entry
        What JSON objects have, in order.
    columns : tuple of Column
        What tables have, in order.
    names : tuple of str
        Headers of the columns, each once.

    Examples
    --------
    >>> table = Columns(["happy", "sad"], top=1)
    >>> table.names[:6]
    ('path', 'status', 'label', 'confidence', 'p_happy', 'p_sad')
    >>> table.names[6:]
    ('duration_s', 'flags', 'model', 'error', 'top_1', 'top_1_p')
    >>> row = ClipResult(0, "a.wav", "ok", "cnn", "sad", 0.75, (0.25, 0.75), 2.5)
    >>> table.values(row)
    ['a.wav', 'ok', 'sad', 0.75, 0.25, 0.75, 2.5, [], 'cnn', None, 'sad', 0.75]
    >>> table.record(row)["probabilities"]
    {'happy': 0.25, 'sad': 0.75}
    >>> Columns([], dimensions=["arousal", "valence"]).names[:5]
    ('path', 'status', 'arousal', 'valence', 'duration_s')
    """

    def __init__(
        self,
        labels: Sequence[str],
        *,
        segments: bool = False,
        top: int = 0,
        manifest: "Manifest | None" = None,
        dimensions: Sequence[str] = (),
    ) -> None:
        self.labels = tuple(labels)
        self.dimensions = tuple(dimensions)
        self.segments = segments
        entries = list(_entries(self.labels, self.dimensions, segments=segments, top=top))
        if manifest is not None:
            entries.append(_manifest_entry(manifest, [c.name for e in entries for c in e.columns]))
        self.entries = tuple(entries)
        self.columns = tuple(column for entry in entries for column in entry.columns)
        self.names = tuple(column.name for column in self.columns)
        self._keys = [(entry.name, entry.value, entry.optional) for entry in entries]

    def values(self, result: ClipResult) -> list[Any]:
        """Return typed and rounded values, one per column; None for an absent one."""
        self.check(result)
        return [column.rounded(result) for column in self.columns]

    def cells(self, result: ClipResult) -> list[str]:
        """Return values as text, one per column; an empty one for an absent one."""
        self.check(result)
        return [column.text(result) for column in self.columns]

    def record(self, result: ClipResult) -> dict[str, Any]:
        """Return a JSON object, one key per entry; None for an absent value."""
        self.check(result)
        record = {}
        for name, value_of, optional in self._keys:
            value = value_of(result)
            if value is not None or not optional:
                record[name] = value
        return record

    def check(self, result: ClipResult) -> None:
        """Refuse a result whose numbers would be written under other names.

        Raises
        ------
        ValueError
            If there are more or fewer than labels or dimensions.
        """
        found = len(result.probabilities)
        if found and found != len(self.labels):
            raise ValueError(f"{found} probabilities for {len(self.labels)} labels")
        found = len(result.dimensions)
        if found and found != len(self.dimensions):
            raise ValueError(f"{found} numbers for {len(self.dimensions)} dimensions")


def _entries(
    labels: Sequence[str], dimensions: Sequence[str], *, segments: bool, top: int
) -> Iterator[Entry]:
    """Yield what is known of a clip, in the order of the columns."""
    yield single(
        Column("path", "text", lambda result: path_text(result.shown), width=48),
        "the argument as typed, joined by `/` with the path below it in a folder or zip archive; "
        r"bytes that are not UTF-8 appear as `\xNN`",
    )
    yield Entry("path_bytes", lambda result: path_bytes(result.shown), optional=True)
    yield single(
        Column("status", "text", attrgetter("status")), "`ok`, `silent`, `too_short` or `failed`"
    )
    if labels or not dimensions:
        yield from label_entries(labels)
    if dimensions:
        yield dimension_entry(dimensions)
    yield single(
        Column("duration_s", "seconds", attrgetter("duration_s"), _DURATION_DECIMALS, width=11),
        "length of the decoded clip in seconds, three decimals; empty if it could not be decoded",
    )
    if segments:
        yield single(
            Column("start_s", "seconds", lambda r: r.span and r.span[0], _TIME_DECIMALS),
            "with `--segments`: start of the window in seconds from the start of the file, six "
            "decimals",
        )
        yield single(
            Column("end_s", "seconds", lambda r: r.span and r.span[1], _TIME_DECIMALS),
            "with `--segments`: end of the window",
        )
    yield single(
        Column("flags", "texts", lambda result: list(result.flags), width=28, indent=True),
        "zero or more of the flags below, separated by `;`",
    )
    yield single(
        Column("model", "text", attrgetter("model")),
        "name of the model; another model with a built-in one's name has the first eight digits "
        "of its SHA-256 after it, as in `cnn@1a2b3c4d`",
    )
    yield Entry("stage", lambda result: result.stage or None)
    yield Entry(
        "error",
        lambda result: path_text(result.error) or None,
        [Column("error", "text", lambda result: path_text(result.reason) or None, width=48)],
        meaning="why there is no label, as `stage: reason` for `failed`; empty if `ok`",
    )
    if top and labels:
        yield top_labels(labels, min(top, len(labels)))


def _manifest_entry(manifest: "Manifest", taken: Sequence[str]) -> Entry:
    """Return the entry with a manifest's own columns.

    One that is called like a column of the results gets ``manifest_`` in front, until no other
    has that name.
    """
    rows, names = manifest.rows, {*taken, *manifest.columns}

    def cell(place: int) -> Callable[[ClipResult], str | None]:
        return lambda result: rows[result.index][place] or None

    columns = []
    for place, key in enumerate(manifest.columns):
        name = key
        if key in taken:
            while name in names:
                name = _PREFIX + name
            names.add(name)
        columns.append(Column(name, "cell", cell(place), key=key))
    return Entry(
        "manifest",
        lambda result: dict(zip(manifest.columns, rows[result.index], strict=True)),
        columns,
        meaning="with `--manifest`, after all others: the manifest's columns",
    )
