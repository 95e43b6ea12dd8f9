"""Names for corpora of your own, no name twice."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["CorpusNames"]


class CorpusNames:
    """Names a corpus by its folder or manifest.

    Two folders with one name are two corpora: ``anna`` in one and ``anna`` in the other need
    not be one speaker, nor ``happy/01.wav`` one clip.

    Parameters
    ----------
    taken : iterable of str
        Names that are given already.

    Examples
    --------
    >>> names = CorpusNames(["ravdess"])
    >>> names.of(Path("/a/mine")), names.of(Path("/b/mine")), names.of(Path("/a/mine"))
    ('mine', 'mine-2', 'mine')
    >>> names.of(Path("/a/ravdess")), names.of(Path("/a/list.csv")), names.of(Path("/a/v1.5"))
    ('ravdess-2', 'list', 'v1.5')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._given: dict[Path, str] = {}

    def of(self, home: Path) -> str:
        """Give the name of the corpus in a folder or manifest."""
        home = home.resolve()
        if home not in self._given:
            name = base = (home.stem if home.suffix == ".csv" else home.name) or "folder"
            count = 1
            while name in self._taken:
                count += 1
                name = f"{base}-{count}"
            self._taken.add(name)
            self._given[home] = name
        return self._given[home]
