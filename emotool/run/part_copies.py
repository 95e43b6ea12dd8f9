"""Parts in object storage, copied to this machine to be read."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from emotool.errors import EmotoolError, InputError, OutputError
from emotool.files.atomic import place_of
from emotool.files.remote import checked_remote, is_remote
from emotool.run.part import PART_SUFFIXES, record_place
from emotool.text import printable

__all__ = ["local_parts"]


@contextlib.contextmanager
def local_parts(names: Sequence[str], targets: Sequence[str] = ()) -> Iterator[list[str]]:
    """Copy those parts, and their records, that are in object storage.

    Parameters
    ----------
    names : sequence of str
        Parts and folders of parts, as `emotool.run.parts.find_parts` takes them; a URL that ends
        with ``/`` is a folder.
    targets : sequence of str, optional
        Where tables will be written.

    Yields
    ------
    list of str
        The same, with copies in a temporary folder, which is removed at the end. An error about
        a copy, raised in the block, names its URL instead.

    Raises
    ------
    InputError
        If one cannot be read.
    OutputError
        If a table would replace one that is in object storage, or its record.
    """
    if not any(map(is_remote, names)):
        yield list(names)
        return
    with tempfile.TemporaryDirectory(prefix="emotool-parts-") as folder:
        found: list[str] = []
        urls: dict[str, str] = {}
        for name in names:
            if not is_remote(name):
                found.append(name)
                continue
            for number, part in enumerate(_parts_at(name)):
                _spare(part, targets)
                # Keys may hold what no file's name can; each part gets one of its own.
                suffix = next(end for end in PART_SUFFIXES if part.endswith(end))
                copy = Path(folder, f"{len(found)}-{number}{suffix}")
                _copy(part, copy)
                _copy(str(record_place(place_of(part))), record_place(copy))
                found.append(str(copy))
                urls[printable(str(copy))] = printable(part)
        try:
            yield found
        except EmotoolError as error:
            for shown, url in urls.items():
                error.message = error.message.replace(shown, url)
            raise


def _spare(part: str, targets: Sequence[str]) -> None:
    """Check that no table would replace a part in object storage, or its record."""
    own = {checked_remote(url).place for url in (part, str(record_place(place_of(part))))}
    for target in filter(is_remote, targets):
        if checked_remote(target).place in own:
            raise OutputError(
                f"{printable(target)} is a part or its record: it would be overwritten",
                hint="give the table another name with -o",
            )


def _parts_at(url: str) -> list[str]:
    """Return the URLs of the part that is named, or of those that have records in a folder."""
    if not url.endswith("/"):
        if not url.endswith(PART_SUFFIXES):
            raise InputError(f"{printable(url)} is no part, and no folder, which ends with /")
        return [url]
    from emotool.inputs.listing import list_objects

    remote = checked_remote(url)
    keys = {each.key for page in list_objects(url) for each in page}
    parts = sorted(key for key in keys if key.endswith(PART_SUFFIXES) and f"{key}.json" in keys)
    return [f"{remote.scheme}://{remote.bucket}/{key}" for key in parts]


def _copy(url: str, target: Path) -> None:
    try:
        with place_of(url).open("rb") as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
            failed = getattr(getattr(source, "raw", None), "error", None)
        if failed is not None:
            raise failed
    except FileNotFoundError as error:
        if url.endswith(".json"):
            return  # a part without a record: `read_record` says what that means
        raise InputError(f"cannot read {printable(url)}: {error.strerror}") from error
    except OSError as error:
        raise InputError(f"cannot read {printable(url)}: {error.strerror}") from error
