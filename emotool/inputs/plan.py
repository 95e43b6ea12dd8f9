"""Plans: listings of buckets in Parquet, cut into shards, of any size in flat memory.

A plan has a row for each clip, with ``key``, ``size``, ``etag`` and ``shard``, in the order of the
keys, and a row group for each shard: to read one shard takes the same time and memory however many
there are. A plan is untrusted when it is read: it is bounded, and keys outside of its own prefix
are refused.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Final

from emotool.audio.formats import has_audio_name
from emotool.errors import AudioError, InputError, MissingExtraError
from emotool.files.atomic import atomic_write
from emotool.files.remote import Remote, checked_remote, is_remote, listed_path
from emotool.inputs.clips import Clip, Found
from emotool.inputs.listing import Object
from emotool.inputs.remote_search import is_hidden_key
from emotool.inputs.shards import Portion, Shard
from emotool.text import printable

__all__ = ["MAX_PER_SHARD", "Plan", "Planned", "open_plan", "planned_portion", "write_plan"]

MAX_PER_SHARD: Final = 1_000_000
"""Most clips of a shard."""

_HINT: Final = "`emotool plan URL -o PLAN.parquet` writes it"
_MOST_SHARDS: Final = 32_767  # row groups that Parquet numbers
_MOST_BYTES: Final = 1 << 30  # of a shard's rows; keys have 1,024 bytes at most
_MOST_ETAG: Final = 1_024
_MOST_ROW: Final = 4_096  # bytes
_MOST_SIZE: Final = 1 << 48
_FORM: Final = b"emotool.plan/1"
_BATCH: Final = 8_192


@dataclass(slots=True)
class Planned:
    """What a plan holds.

    Attributes
    ----------
    clips, size : int
        How many, and how many bytes they have together.
    shards : int
    skipped, hidden : int
        Keys that do not end like audio, and those with a part that begins with a dot.
    """

    clips: int = 0
    size: int = 0
    shards: int = 0
    skipped: int = 0
    hidden: int = 0


def write_plan(
    target: str, url: str, pages: Iterable[Sequence[Object]], per_shard: int = 100_000
) -> Planned:
    """Write a plan; the file is whole or absent.

    Parameters
    ----------
    target : str
        A path, or a URL of object storage.
    url : str
        The prefix that was listed.
    pages : iterable of sequences of Object
        As of `emotool.inputs.listing.list_objects`.
    per_shard : int, default 100000
        Clips of a shard, 1 to `MAX_PER_SHARD`; the last one may have fewer.

    Raises
    ------
    InputError
        If there is no clip, or there are more shards than a plan can have.
    OutputError
        If the plan cannot be written.
    MissingExtraError
        Without the extra ``parquet``.
    """
    remote = checked_remote(url)
    with atomic_write(target) as handle, ExitStack() as stack:
        writer = _Writer(handle, remote, per_shard)
        stack.callback(writer.release)
        for page in pages:
            writer.add(page)
        writer.finish()
    return writer.planned


def _prefix_of(remote: Remote) -> str:
    """Return what all keys of a plan begin with: "" or a path that ends with ``/``."""
    key = remote.key.rstrip("/")
    return f"{key}/" if key else ""


class _Writer:
    """Writes row groups of one shard each."""

    def __init__(self, handle: IO[bytes], remote: Remote, per_shard: int) -> None:
        pa, parquet = _pyarrow()
        self._pa = pa
        self._remote = remote
        self._per_shard = per_shard
        self._digest = hashlib.sha256()
        self._keys: list[Object] = []
        self._batches: list[Any] = []
        self._held = 0  # rows in batches
        self._schema = _schema()
        self._parquet = parquet.ParquetWriter(handle, self._schema, compression="zstd")
        self.planned = Planned()

    def add(self, page: Sequence[Object]) -> None:
        """Add those objects of a page that are clips."""
        planned, prefix = self.planned, self._remote.key
        for each in page:
            if is_hidden_key(each.key, prefix):
                planned.hidden += 1
            elif not has_audio_name(each.key):
                planned.skipped += 1
            else:
                self._keys.append(each)
                if len(self._keys) == _BATCH or self._held + len(self._keys) == self._per_shard:
                    self._put_batch()

    def _put_batch(self) -> None:
        """Turn the rows that wait into arrays, and a full shard into a row group."""
        rows, self._keys = self._keys, []
        keys, sizes, etags = (list(column) for column in zip(*rows, strict=True))
        shards = [self.planned.shards + 1] * len(rows)
        self._digest.update("".join(f"{k}\0{s}\0{e}\0" for k, s, e in rows).encode())
        self._batches.append(
            self._pa.record_batch([keys, sizes, etags, shards], schema=self._schema)
        )
        self._held += len(rows)
        self.planned.clips += len(rows)
        self.planned.size += sum(sizes)
        if self._held == self._per_shard:
            self._put_shard()

    def _put_shard(self) -> None:
        self.planned.shards += 1
        if self.planned.shards > _MOST_SHARDS:
            raise InputError(
                f"more than {_MOST_SHARDS:,} shards",
                hint="give --clips-per-shard a larger number",
            )
        table = self._pa.Table.from_batches(self._batches)
        self._parquet.write_table(table, row_group_size=self._per_shard)
        self._batches, self._held = [], 0

    def finish(self) -> None:
        """Write what waits, and the file's end."""
        if self._keys:
            self._put_batch()
        if self._held:
            self._put_shard()
        if not self.planned.clips:
            raise InputError(
                f"no audio files in {printable(self._remote.url)} ({self.planned.skipped} other "
                f"keys skipped, {self.planned.hidden} hidden)"
            )
        remote = self._remote
        place = f"{remote.scheme}://{remote.bucket}/{_prefix_of(remote)}"
        about = {"form": _FORM.decode(), "prefix": place, "sha256": self._digest.hexdigest()}
        self._parquet.add_key_value_metadata(about)
        self._parquet.close()

    def release(self) -> None:
        """Forget the file; what the library still writes does not matter."""
        if self._parquet.is_open:
            self._parquet.close()


class Plan:
    """A plan, opened to be read; made by `open_plan`.

    Attributes
    ----------
    shown : str
        What messages call it.
    prefix : str
        The URL that all its keys begin with.
    clips, shards : int
        How many it has.
    sha256 : str
        Names what is planned, as 64 hexadecimal digits.
    """

    def __init__(self, file: Any, shown: str) -> None:
        self.shown = shown
        self._file = file
        about = file.metadata.metadata or {}
        self.clips, self.shards = int(file.metadata.num_rows), int(file.num_row_groups)
        if not file.schema_arrow.remove_metadata().equals(_schema()) or about.get(b"form") != _FORM:
            raise self.error("is not a plan of this version", "emotool plan writes one")
        if not 1 <= self.shards <= _MOST_SHARDS:
            raise self.error(f"has {self.shards:,} shards, not 1 to {_MOST_SHARDS:,}")
        self.prefix = about.get(b"prefix", b"")[:2_000].decode("utf-8", "replace")
        remote = checked_remote(self.prefix)
        self._bucket, self._below = f"{remote.scheme}://{remote.bucket}/", remote.key
        if self._below != _prefix_of(remote):
            raise self.error("has a prefix that does not end with a slash")
        stated = about.get(b"sha256", b"")[:100]
        self.sha256 = hashlib.sha256(
            b"%s\n%s\n%d\n%d" % (stated, self.prefix.encode(), self.clips, self.shards)
        ).hexdigest()

    def shard(self, number: int) -> list[Clip]:
        """Return the clips of a shard, from 1, with indexes from 0.

        Raises
        ------
        InputError
            If they are not what `write_plan` writes.
        """
        group = self._file.metadata.row_group(number - 1)
        if group.num_rows > MAX_PER_SHARD or group.total_byte_size > _MOST_BYTES:
            raise self.error(f"has a shard of more than {MAX_PER_SHARD:,} clips or 1 GiB")
        clips: list[Clip] = []
        with _reading(self.shown):
            for batch in self._file.iter_batches(_BATCH, row_groups=[number - 1]):
                if len(clips) + batch.num_rows > MAX_PER_SHARD:
                    raise self.error(f"has a shard of more than {MAX_PER_SHARD:,} clips")
                if batch.nbytes > _BATCH * _MOST_ROW:
                    raise self.error("has keys or ETags that are too long")
                columns = [column.to_pylist() for column in batch.columns]
                for key, size, etag, shard in zip(*columns, strict=True):
                    if shard != number:
                        raise self.error(f"has rows of other shards in shard {number}")
                    clips.append(self._clip(len(clips), key, size, etag))
        return clips

    def _clip(self, index: int, key: str | None, size: int | None, etag: str | None) -> Clip:
        if key is None or size is None or etag is None:
            raise self.error("has a row without a key, size or ETag")
        parts = key.split("/")
        if not key.startswith(self._below) or {"", ".", ".."} & set(parts):
            raise self.error(f"has a key outside of its prefix {self.prefix}: {key[:200]!r}")
        if not has_audio_name(key) or len(key.encode()) > 1_024 or not key.isprintable():
            raise self.error(f"has a key that is no clip's: {key[:200]!r}")
        if not 0 <= size <= _MOST_SIZE or len(etag) > _MOST_ETAG or not etag.isprintable():
            raise self.error(f"has a size or an ETag that no object has, of {key[:200]!r}")
        url = f"{self._bucket}{key}"
        problem = None if size else "the file is empty (0 bytes)"
        return Clip(index, url, listed_path(url, size, etag), problem)

    def error(self, reason: str, hint: str = _HINT) -> InputError:
        """Return the error for a plan that cannot be used."""
        return InputError(f"the plan {self.shown} {printable(reason)}", hint=hint)


def open_plan(path: str, stack: ExitStack) -> Plan:
    """Open a plan to read shards of it.

    Parameters
    ----------
    path : str
        A file, or a URL of object storage, of which only the parts that are needed are fetched.
    stack : ExitStack
        Closes it.

    Raises
    ------
    InputError
        If it cannot be read, or is no plan.
    MissingExtraError
        Without the extra ``parquet``, or ``cloud`` for a URL.
    """
    _, parquet = _pyarrow()
    shown = printable(path)
    with _reading(shown):
        source = stack.enter_context(_opened(path))
        return Plan(parquet.ParquetFile(source, thrift_string_size_limit=1 << 24), shown)


def planned_portion(path: str, shard: Shard) -> Portion:
    """Return the clips of one shard of a plan.

    Parameters
    ----------
    path : str
        The plan, as `open_plan` takes it.
    shard : Shard
        Which shard; it must count as many as the plan has.

    Raises
    ------
    InputError, MissingExtraError
        As `open_plan`.
    """
    with ExitStack() as stack:
        plan = open_plan(path, stack)
        if shard.count != plan.shards:
            raise InputError(
                f"the plan {plan.shown} has {plan.shards:,} shards, not {shard.count:,}",
                hint=f"--shard takes 1/{plan.shards} to {plan.shards}/{plan.shards}",
            )
        found = Found(plan.shard(shard.number), skipped=0, hidden=0)
    return Portion(shard, plan.clips, plan.sha256, found)


@contextmanager
def _reading(shown: str) -> Iterator[None]:
    """Name the plan in the error for what cannot be read."""
    pa, _ = _pyarrow()
    try:
        yield
    except AudioError as error:  # of a remote file
        raise InputError(f"cannot read the plan {shown}: {error.reason}", hint=_HINT) from None
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = getattr(error, "strerror", None) or "it is not Parquet, or damaged"
        raise InputError(f"cannot read the plan {shown}: {reason}", hint=_HINT) from error


def _opened(path: str) -> Any:
    if is_remote(path):
        from emotool.files.remote_reading import open_remote

        return open_remote(path)[0]
    return open(path, "rb")  # noqa: PTH123 - closed by the caller


def _schema() -> Any:
    pa, _ = _pyarrow()
    kinds = {"key": pa.string(), "size": pa.int64(), "etag": pa.string(), "shard": pa.int32()}
    return pa.schema(list(kinds.items()))


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("parquet", "a plan") from error
    return pa, parquet
