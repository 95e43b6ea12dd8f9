"""Files that are called almost what a list says: other forms of letters, slashes, quotes."""

import difflib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from emotool.text import printable, unharmed

__all__ = ["Names", "composed"]

_QUOTES: Final = ('""', "''", "\u201c\u201d", "\u2018\u2019")
_HOME: Final = re.compile(r"\A(\$HOME|\$\{HOME\}|%USERPROFILE%)(?=[/\\]|\Z)")
_MOST_NAMES: Final = 5_000  # in a folder, to look for close ones
_MOST_SEARCHES: Final = 200  # of close names in a run
_SHOWN: Final = 3


def composed(name: str) -> str:
    r"""Return a name in the composed form (NFC); macOS stores names decomposed (NFD).

    Examples
    --------
    >>> composed("Zoe\u0308.wav") == "Zo\u00eb.wav"
    True
    """
    return unicodedata.normalize("NFC", name)


@dataclass(slots=True)
class _Folder:
    """The names in a folder: as they are, by composed form, and by stem."""

    names: list[str]
    forms: dict[str, list[str]] = field(default_factory=dict)
    stems: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.names:
            self.forms.setdefault(composed(name), []).append(name)
            self.stems.setdefault(_stem(name), []).append(name)

    def close(self, name: str) -> list[str]:
        """Return the names that are most like one."""
        stem = _stem(name)
        stems = [stem] if stem in self.stems else []
        if not stems and len(self.stems) <= _MOST_NAMES:
            stems = difflib.get_close_matches(stem, self.stems, _SHOWN, 0.7)
        return [found for each in stems for found in self.stems[each]][:_SHOWN]


@dataclass(slots=True)
class Names:
    """Finds what paths mean that name no file; reads each folder once."""

    _folders: dict[str, _Folder | None] = field(default_factory=dict)
    _searches: int = 0

    def find(self, path: str, folder: str = "") -> str | None:
        """Return the one file or folder that a path means, if it is not what it says.

        Tried in this order: without the apostrophe that keeps a spreadsheet from running it as a
        formula; without blanks and quotes around it, as after "Copy as path"; with ``/`` for each
        backslash; with the home folder for ``~`` or ``$HOME`` at its beginning; and with each
        name's letters composed or decomposed.

        Parameters
        ----------
        path : str
            What names nothing as it is written.
        folder : str, default ""
            What it is relative to.
        """
        for written in _readings(path):
            whole = os.path.join(folder, written)  # noqa: PTH118 - keeps what was typed
            if written != path and os.path.lexists(whole):
                return whole
            if found := self._other_form(whole):
                return found
        return None

    def near(self, path: str, folder: str = "") -> str:
        """Say what lies where a path that `find` does not find leads; "" if nothing is like it."""
        if self._searches >= _MOST_SEARCHES:
            return ""
        self._searches += 1
        for written in reversed(list(_readings(path))):
            place, rest = _existing(os.path.join(folder, written))  # noqa: PTH118
            known = self._folder(place)
            if known and rest and (close := known.close(rest[0])):
                names = " or ".join(repr(printable(name)) for name in close)
                return f"there is {names}"
        return ""

    def _other_form(self, path: str) -> str | None:
        """Return the only file whose path differs in the form of its letters."""
        place, rest = _existing(path)
        if not rest or path.isascii():
            return None
        for name in rest:
            known = self._folder(place)
            names = known.forms.get(composed(name), []) if known else []
            if len(names) != 1:
                return None
            place = os.path.join(place, names[0])  # noqa: PTH118
        return place

    def _folder(self, path: str) -> _Folder | None:
        if path not in self._folders:
            try:
                self._folders[path] = _Folder(sorted(os.listdir(path or ".")))  # noqa: PTH208
            except (OSError, ValueError):
                self._folders[path] = None
        return self._folders[path]


def _readings(path: str) -> Iterator[str]:
    """Yield what a path can mean, each once."""
    bare = path.strip()
    while len(bare) > 1 and bare[0] + bare[-1] in _QUOTES:
        bare = bare[1:-1].strip()
    whole = (path, unharmed(path), bare, bare.strip("\"' \t\r\n"))
    slashed = [each.replace("\\", "/") for each in whole] if os.sep == "/" else []
    home = [os.path.expanduser(each) for each in (bare, _HOME.sub("~", bare))]  # noqa: PTH111
    yield from (each for each in dict.fromkeys([*whole, *slashed, *home]) if each)


def _existing(path: str) -> tuple[str, list[str]]:
    """Split a path into the longest part that is there and the names below it."""
    rest: list[str] = []
    while path and not os.path.lexists(path):
        path, name = os.path.split(path)
        if not name and not path.strip("/\\"):
            break
        if name:
            rest.insert(0, name)
    return path, rest


def _stem(name: str) -> str:
    """Return a name without its suffix, case and accents."""
    letters = unicodedata.normalize("NFD", os.path.splitext(name)[0])  # noqa: PTH122 - often
    return "".join(each for each in letters if not unicodedata.combining(each)).casefold()
