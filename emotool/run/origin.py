"""What made a table: the versions, the model and the settings that decide its rows."""

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from emotool.run.options import Details, RunOptions
from emotool.version import __version__
from emotool.writers.base import Dialect, WriterOptions

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier

__all__ = ["Origin", "origin_of", "parameters_of"]

_OF_RESULTS: Final = (
    "emotool",
    "onnxruntime",
    "model",
    "model_sha256",
    "device",
    "by_content",
    "hop_s",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """Everything but the clips that decides a table's rows.

    Two tables of the same clips and the same origin have the same rows, but for the failures
    that the machine causes.

    Parameters
    ----------
    emotool, onnxruntime : str
        Versions.
    model, model_sha256, device : str
        The model's name and hash, and the kind of device that it runs on.
    labels : tuple of str
        The model's labels.
    dimensions : tuple of str
        The names of the numbers that it gives.
    by_content : bool
        How files are identified, as of `emotool.workers.protocol.Reading`.
    hop_s : float or None
        Seconds from one window's start to the next's, as of ``Reading``.
    adapt, segments, merge, top, min_confidence
        As of `emotool.run.options.RunOptions`.
    raw : bool
        Whether cells of CSV and TSV that look like formulas are not escaped.
    delimiter, decimal, byte_order_mark
        Punctuation of CSV and TSV, as of `emotool.writers.base.Dialect`.
    manifest : tuple of str or None
        The columns of the manifest, if the clips are from one.
    """

    emotool: str
    onnxruntime: str
    model: str
    model_sha256: str
    device: str
    labels: tuple[str, ...]
    dimensions: tuple[str, ...]
    by_content: bool
    hop_s: float | None
    adapt: bool
    segments: bool
    merge: bool
    top: int
    min_confidence: float
    raw: bool
    delimiter: str | None
    decimal: str
    byte_order_mark: bool
    manifest: tuple[str, ...] | None

    def differences(self, other: "Origin") -> list[str]:
        """Return the names of what differs, in order."""
        return [
            field.name
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @property
    def writer(self) -> WriterOptions:
        """Return the choices that formats leave."""
        dialect = Dialect(self.delimiter, self.decimal, self.byte_order_mark)
        return WriterOptions(self.raw, dialect)


def parameters_of(origin: Origin, details: Details) -> dict[str, Any]:
    """Return what decides a clip's result, whatever the tables hold of it, as JSON values."""
    return {name: getattr(origin, name) for name in _OF_RESULTS} | asdict(details)


def origin_of(options: RunOptions, model: "Classifier") -> Origin:
    """Return what makes a run's tables."""
    import onnxruntime

    reading, writer, manifest = options.pool.reading, options.writer, options.manifest
    return Origin(
        emotool=__version__,
        onnxruntime=onnxruntime.__version__,
        model=model.name,
        model_sha256=model.sha256,
        device=model.device,
        labels=tuple(model.labels),
        dimensions=tuple(model.dimensions),
        by_content=reading.by_content,
        hop_s=reading.hop_s,
        adapt=options.adapt,
        segments=options.segments,
        merge=options.merge,
        top=options.top,
        min_confidence=options.min_confidence,
        raw=writer.raw,
        delimiter=writer.dialect.delimiter,
        decimal=writer.dialect.decimal,
        byte_order_mark=writer.dialect.byte_order_mark,
        manifest=None if manifest is None else manifest.columns,
    )
