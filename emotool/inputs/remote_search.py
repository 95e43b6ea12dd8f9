"""Which clips a URL names: an object, what a web server gives, or all sounds below a prefix."""

from typing import TYPE_CHECKING, Final

from emotool.audio.formats import has_audio_name
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

__all__ = ["is_hidden_key", "is_remote", "prefix_of", "search_remote"]

_EMPTY: Final = "the file is empty (0 bytes)"


def search_remote(search: "Search", url: str) -> None:
    """Take the clips that a URL names.

    A key that ends like a sound is an object, for which no request is sent; anything else is a
    prefix, below which every key that ends like a sound is taken.

    Parameters
    ----------
    search : Search
        Where clips and other keys are counted.
    url : str
        As typed or from a list.

    Raises
    ------
    InputError, MissingExtraError
        If a store cannot be used at all: no credentials, or not the extra ``cloud``.
    """
    remote = split_remote(url)
    if remote is None or url in search.seen.files:
        return
    problem = url_problem(remote)
    if problem is not None or remote.scheme not in BUCKETS:
        search.seen.files.add(url)
        search.add(_shown(search, url), url, problem)
    elif has_audio_name(remote.key):
        from emotool.files.stores import open_store

        open_store(remote.scheme, remote.bucket)
        search.seen.files.add(url)
        search.add(url, url)
    else:
        _prefix(search, remote)


def _shown(search: "Search", url: str) -> str:
    """Return a URL without secrets, numbered where several look the same."""
    shown = shown_url(url)
    if shown == url:
        return url
    search.links[shown] += 1
    number = search.links[shown]
    return shown if number == 1 else f"{shown} ({number})"


def _prefix(search: "Search", remote: Remote) -> None:
    """Take what is below a prefix, each object in the version that is listed."""
    from emotool.inputs.listing import list_objects

    bucket = f"{remote.scheme}://{remote.bucket}"
    place = _place(remote)
    if not search.seen.enter(place):
        return
    before = len(search.clips)
    try:
        for page in list_objects(remote.url):
            for key, size, etag in page:
                url = f"{bucket}/{key}"
                if is_hidden_key(key, remote.key):
                    search.hidden += 1
                elif not has_audio_name(key):
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


def prefix_of(url: str) -> str:
    """Return the prefix that a URL names, with a slash at its end; "" if it names none.

    Examples
    --------
    >>> prefix_of("s3://calls/2024"), prefix_of("s3://calls/a.wav"), prefix_of("calls/")
    ('s3://calls/2024/', '', '')
    """
    remote = split_remote(url)
    if remote is None or remote.scheme not in BUCKETS or has_audio_name(remote.key):
        return ""
    return f"{_place(remote)}/"


def _place(remote: Remote) -> str:
    return f"{remote.scheme}://{remote.bucket}/{remote.key}".rstrip("/")


def is_hidden_key(key: str, prefix: str) -> bool:
    """Return whether a part of a key behind a prefix begins with a dot.

    Examples
    --------
    >>> is_hidden_key("a/.trash/b.wav", "a"), is_hidden_key(".a/b.wav", ".a/")
    (True, False)
    """
    return any(part.startswith(".") for part in key[len(prefix) :].split("/"))
