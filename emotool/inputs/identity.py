"""Which file a clip was, so that a later run can tell whether it is still the same."""

import hashlib
import os
from pathlib import Path

from emotool.errors import AudioError
from emotool.files.remote import is_remote
from emotool.files.zip_members import read_member, split_member

__all__ = ["file_identity"]


def file_identity(path: str, *, by_content: bool) -> str:
    """Say which file this is, so that a later run can tell whether it is still the same.

    Parameters
    ----------
    path : str
        A file.
    by_content : bool
        Tell files by their bytes alone (SHA-256), wherever they are and however old, instead
        of by absolute path, size and time of last change (of the archive, for a clip in one).
        Remote clips are always told by URL, and by size and ETag where they were listed: no
        request is sent.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file, or the archive that it is in, cannot be read.
    """
    if is_remote(path):
        return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
    inside = split_member(path)
    if by_content:
        if inside:
            return hashlib.sha256(_member(*inside)).hexdigest()
        with Path(path).open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    facts = os.stat(inside[0] if inside else path)  # noqa: PTH116 - for every clip
    # Joined, not normalised: `link/../a.wav` is not `a.wav`. An absolute path needs no folder,
    # which may have been removed.
    whole = path if os.path.isabs(path) else str(Path.cwd() / path)  # noqa: PTH117
    # Not as a file's name is encoded: one in an archive need not be possible for a file.
    named = whole.encode("utf-8", "surrogatepass")
    return hashlib.sha256(b"%d:%d:%s" % (facts.st_size, facts.st_mtime_ns, named)).hexdigest()


def _member(archive: str, name: str) -> bytes:
    try:
        return read_member(archive, name)
    except AudioError as error:
        raise OSError(error.reason) from error
