"""A manifest's own columns, which every format keeps beside the results."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from emotool.results.row import ClipResult

__all__ = ["Kept"]

_PREFIX: Final = "manifest_"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a manifest says about its clips, as text.

    Parameters
    ----------
    names : sequence of str
        Its columns, each once; none if there is no manifest.
    rows : sequence of sequence of str
        Row ``i`` is about the clip whose ``index`` is ``i``.
    """

    names: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()

    def columns(self, before: Sequence[str]) -> tuple[str, ...]:
        """Name the columns as they come after those of the results.

        One that is called like a column of the results gets ``manifest_`` in front, until no
        other has that name.

        Examples
        --------
        >>> Kept(("file", "label", "manifest_label")).columns(["path", "label"])
        ('file', 'manifest_manifest_label', 'manifest_label')
        """
        taken = {*before, *self.names}
        found = []
        for name in self.names:
            if name in before:
                while name in taken:
                    name = _PREFIX + name
                taken.add(name)
            found.append(name)
        return tuple(found)

    def cells(self, result: ClipResult) -> list[str]:
        """Return a clip's cells, as many as there are names."""
        return list(self.rows[result.index]) if self.names else []

    def record(self, result: ClipResult) -> dict[str, dict[str, str]]:
        """Return what a clip's JSON object has more: ``manifest`` with a text per column.

        Examples
        --------
        >>> Kept(("file", "age"), [("a.wav", "42")]).record(ClipResult(0, "a.wav", "silent"))
        {'manifest': {'file': 'a.wav', 'age': '42'}}
        >>> Kept().record(ClipResult(0, "a.wav", "silent"))
        {}
        """
        if not self.names:
            return {}
        return {"manifest": dict(zip(self.names, self.rows[result.index], strict=True))}
