"""Which paths of two tables are the same clip, however each table writes them."""

import posixpath
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from emotool.inputs.names import composed
from emotool.text import unharmed

__all__ = ["same_clips", "same_names"]


def same_clips(first: Collection[str], second: Collection[str]) -> dict[str, str]:
    r"""Return how the second table writes each path of the first that it has.

    In this order: equal paths; equal but for the apostrophe that CSV has before a path that begins
    like a formula; equal but for ``./``, ``..``, backslashes, the form of letters and blanks around
    them; and a path that is the end of one other only, as a relative path is of an absolute one.

    Examples
    --------
    >>> same_clips(["./a/x.flac", "/data/b/y.flac"], ["a\\x.flac", "b/y.flac"])
    {'./a/x.flac': 'a\\x.flac', '/data/b/y.flac': 'b/y.flac'}
    """
    same = {path: path for path in first if path in second}
    for form in (unharmed, _plain):
        rest, others = _rest(same, first, second)
        known = _owners((form(path), path) for path in others)
        _add(same, [(path, known.get(form(path))) for path in rest])
    rest, others = _rest(same, first, second)
    if rest and others:
        here, there = (
            _owners((end, path) for path in paths for end in _ends(path))
            for paths in (first, second)
        )
        pairs: list[tuple[str | None, str | None]]
        pairs = [(here.get(_relative(path)), path) for path in others]
        pairs += [(path, there.get(_relative(path))) for path in rest]
        _add(same, [(a, b) for a, b in pairs if a in rest and b in others and not _absolute(a, b)])
    return same


def same_names(
    same: dict[str, str], first: Collection[str], second: Collection[str]
) -> dict[str, str]:
    """Return the paths beside the matched ones whose file name only these two have.

    Examples
    --------
    >>> same_names({}, ["a/x.wav", "a/y.wav", "b/y.wav"], ["c/x.wav", "c/y.wav"])
    {'a/x.wav': 'c/x.wav'}
    """
    rest, others = _rest(same, first, second)
    if not rest or not others:
        return {}
    here, there = (_owners((_name(path), path) for path in paths) for paths in (first, second))
    found: dict[str, str] = {}
    pairs = [(path, there.get(_name(path))) for path in rest if here[_name(path)] == path]
    _add(found, [(a, b) for a, b in pairs if b in others])
    return found


def _rest(
    same: dict[str, str], first: Collection[str], second: Collection[str]
) -> tuple[dict[str, None], dict[str, None]]:
    """Return the paths of both tables that are not matched, in their order."""
    taken = set(same.values())
    return (
        dict.fromkeys(path for path in first if path not in same),
        dict.fromkeys(path for path in second if path not in taken),
    )


def _owners(named: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Return the path that each key stands for; None where it stands for several."""
    owners: dict[str, str | None] = {}
    for key, path in named:
        owners[key] = None if owners.get(key, path) != path else path
    return owners


def _add(same: dict[str, str], pairs: Iterable[tuple[str | None, str | None]]) -> None:
    """Add the pairs whose paths are in no other pair."""
    whole = dict.fromkeys((a, b) for a, b in pairs if a is not None and b is not None)
    firsts, seconds = Counter(a for a, _ in whole), Counter(b for _, b in whole)
    same.update((a, b) for a, b in whole if firsts[a] == 1 and seconds[b] == 1)


def _plain(path: str) -> str:
    """Return a path without the differences that do not matter."""
    slashed = composed(unharmed(path).strip().strip("\"'").strip()).replace("\\", "/")
    return posixpath.normpath(slashed) if slashed else ""


def _relative(path: str) -> str:
    """Return a plain path from where it can be the end of another."""
    plain = _plain(path).lstrip("/")
    while plain.startswith("../"):
        plain = plain.removeprefix("../")
    return plain


def _ends(path: str) -> Iterator[str]:
    """Yield the ends of a path: ``a/b.wav`` and ``b.wav``."""
    end = _relative(path)
    while end:
        yield end
        _, _, end = end.partition("/")


def _absolute(*paths: str | None) -> bool:
    return all(path is not None and _plain(path).startswith("/") for path in paths)


def _name(path: str) -> str:
    return posixpath.basename(_plain(path))
