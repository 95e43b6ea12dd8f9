"""Which clips a URL names: an object, what a web server gives, or all sounds below a prefix."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from emotool.errors import InputError
from emotool.files.remote import (
    BUCKETS,
    Remote,
    is_remote,
    listed_path,
    shown_url,
    split_remote,
    url_problem,
)
from emotool.text import printable

if TYPE_CHECKING:
    from emotool.inputs.search import Search

__all__ = ["is_remote", "search_remote"]

_EMPTY: Final = "the file is empty (0 bytes)"


def search_remote(search: "Search", url: str, is_clip: Callable[[str], bool]) -> None:
    """Take the clips that a URL names.

    A key that ends like a sound is an object, for which no request is sent; anything else is a
    prefix, below which every key that ends like a sound is taken.

    Parameters
    ----------
    search : Search
        Where clips and other keys are counted.
    url : str
        As typed or from a list.
    is_clip : callable
        Whether a name ends like audio.

    Raises
    ------
    InputError, MissingExtraError
        If a store cannot be used at all: no credentials, or not the extra ``cloud``.
    """
    remote = split_remote(url)
    if remote is None or url in search.seen.files:
        return
    if problem := url_problem(remote):
        search.seen.files.add(url)
        search.add(shown_url(url), url, problem)
    elif remote.scheme not in BUCKETS:
        search.seen.files.add(url)
        search.add(shown_url(url), url)
    elif is_clip(remote.key):
        from emotool.files.stores import open_store

        open_store(remote.scheme, remote.bucket)
        search.seen.files.add(url)
        search.add(url, url)
    else:
        _prefix(search, remote, is_clip)


def _prefix(search: "Search", remote: Remote, is_clip: Callable[[str], bool]) -> None:
    """Take what is below a prefix, each object in the version that is listed."""
    from emotool.inputs.listing import list_objects

    bucket = f"{remote.scheme}://{remote.bucket}"
    place = f"{bucket}/{remote.key}".rstrip("/")
    if not search.seen.enter(place):
        return
    before, hidden_from = len(search.clips), len(remote.key)
    try:
        for page in list_objects(remote.url):
            for key, size, etag in page:
                url = f"{bucket}/{key}"
                if any(part.startswith(".") for part in key[hidden_from:].split("/")):
                    search.hidden += 1
                elif not is_clip(key):
                    search.pass_over(key)
                elif url not in search.seen.files:
                    search.seen.files.add(url)
                    search.add(url, listed_path(url, size, etag), None if size else _EMPTY)
    except InputError as error:
        if len(search.clips) == before:
            raise
        reason = f"the listing ended here: {error.message}"
        search.add(f"{place}/", place, reason)
    if len(search.clips) == before:
        search.empty.append(printable(place))
