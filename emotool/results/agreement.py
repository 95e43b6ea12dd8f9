"""Two tables of labels, or a table and the truth: how far they agree, and where they do not.

Besides the share of equal labels there is Cohen's kappa, which takes from it what would agree
by chance given how often each side uses each label (J. Cohen, 1960, "A coefficient of agreement
for nominal scales", Educational and Psychological Measurement 20(1), 37-46,
doi:10.1177/001316446002000104).
"""

from collections import Counter
from dataclasses import dataclass

from emotool.errors import InputError
from emotool.results.label_tables import Table, read_table
from emotool.results.matching import same_clips, same_names
from emotool.results.row import UNCERTAIN
from emotool.text import printable

__all__ = ["Comparison", "Table", "cohens_kappa", "compare", "read_table"]

Rows = tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two tables agree.

    Parameters
    ----------
    pairs : Counter
        How often the first has one label and the second another: ``(first, second)``.
    differing : tuple of (path, first, second)
        The clips on which they differ, in the first table's order.
    unlabelled : tuple of (path, first, second)
        Clips in both tables that have no label in at least one; they are in no figure.
    only_first, only_second : tuple of str
        Paths that only one table has.
    uncertain : tuple of (path, first, second), default ()
        Clips that at least one table calls `UNCERTAIN`; they are in no figure.
    unknown : tuple of (path, first, second), default ()
        Clips with a label that the other table's model does not know; they are in no figure.
    joined : tuple of (first, second), default ()
        The paths of clips that the two tables write differently.
    alike : tuple of (first, second), default ()
        Paths that are not joined although only they have this file name.
    """

    pairs: Counter[tuple[str, str]]
    differing: Rows
    unlabelled: Rows
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    uncertain: Rows = ()
    unknown: Rows = ()
    joined: tuple[tuple[str, str], ...] = ()
    alike: tuple[tuple[str, str], ...] = ()

    @property
    def compared(self) -> int:
        """How many clips are in the figures."""
        return self.pairs.total()

    @property
    def agreement(self) -> float:
        """The share of equal labels, 0 to 1."""
        return (self.compared - len(self.differing)) / self.compared

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of the compared clips, sorted."""
        return tuple(sorted({label for pair in self.pairs for label in pair}))

    @property
    def recalls(self) -> dict[str, float]:
        """Of the clips that the second table gives a label, the share that the first does, too.

        By label, sorted, 0 to 1, for the labels that the second table has.
        """
        truth: Counter[str] = Counter()
        for (_, label), count in self.pairs.items():
            truth[label] += count
        return {label: self.pairs[label, label] / truth[label] for label in sorted(truth)}

    @property
    def uar(self) -> float:
        """The unweighted average recall: the mean of `recalls`, 0 to 1."""
        recalls = self.recalls.values()
        return sum(recalls) / len(recalls)


def compare(first: Table, second: Table, *, by_name: bool = False) -> Comparison:
    """Compare two tables clip by clip; labels are equal whatever their case.

    Parameters
    ----------
    first, second : Table
    by_name : bool, default False
        Also join paths whose file name only they have.

    Raises
    ------
    InputError
        If no clip has a label in both that can be compared.

    Examples
    --------
    >>> ours = Table("a.csv", {"1.wav": "sad", "2.wav": "sad", "3.wav": ""})
    >>> theirs = Table("b.csv", {"./1.wav": "Sad", "2.wav": "happy", "3.wav": "sad"})
    >>> found = compare(ours, theirs)
    >>> found.agreement, found.differing, len(found.unlabelled)
    (0.5, (('2.wav', 'sad', 'happy'),), 1)
    """
    same = same_clips(first.labels, second.labels)
    alike = same_names(same, first.labels, second.labels)
    if by_name:
        same, alike = same | alike, {}
    spelled = _spellings(first, second)
    common = [
        (path, spelled[label.casefold()], spelled[second.labels[same[path]].casefold()])
        for path, label in first.labels.items()
        if path in same
    ]
    known = [{spelled[label.casefold()] for label in table.known} for table in (first, second)]
    parts: dict[str, list[tuple[str, str, str]]] = {
        kind: [] for kind in ("both", "unlabelled", "uncertain", "unknown")
    }
    for row in common:
        parts[_kind(row[1], row[2], known)].append(row)
    if not parts["both"]:
        raise _nothing(first, second, parts, alike)
    theirs = set(same.values())
    return Comparison(
        Counter((a, b) for _, a, b in parts["both"]),
        tuple(row for row in parts["both"] if row[1] != row[2]),
        tuple(parts["unlabelled"]),
        tuple(path for path in first.labels if path not in same),
        tuple(path for path in second.labels if path not in theirs),
        tuple(parts["uncertain"]),
        tuple(parts["unknown"]),
        tuple((a, b) for a, b in same.items() if a != b),
        tuple(alike.items()),
    )


def _spellings(first: Table, second: Table) -> dict[str, str]:
    """Return how each label is written, by its form without case: as the models do, if they do."""
    spelled: dict[str, str] = {UNCERTAIN: UNCERTAIN}
    for table in (first, second):
        for label in (*table.known, *table.labels.values()):
            spelled.setdefault(label.casefold(), label)
    return spelled


def _kind(first: str, second: str, known: list[set[str]]) -> str:
    """Return which part of a comparison two labels of a clip belong to."""
    if not first or not second:
        return "unlabelled"
    if UNCERTAIN in (first, second):
        return "uncertain"
    # Nobody can agree with a label that they do not know.
    if (known[0] and second not in known[0]) or (known[1] and first not in known[1]):
        return "unknown"
    return "both"


def _nothing(
    first: Table,
    second: Table,
    parts: dict[str, list[tuple[str, str, str]]],
    alike: dict[str, str],
) -> InputError:
    """Return the error for tables that have nothing to compare."""
    names = f"{printable(first.name)} and {printable(second.name)}"
    counts = [f"{len(rows):,} {kind}" for kind, rows in parts.items() if rows]
    if counts:
        return InputError(f"no clip has a label in both {names} to compare ({', '.join(counts)})")
    hint = "clips are the same if their paths are: classify them from the same folder"
    if alike:
        a, b = next(iter(alike.items()))
        hint = (
            f"{len(alike):,} files have the same name, such as {printable(a)} and "
            f"{printable(b)}: --by-name compares them"
        )
    return InputError(f"no clip is in both {names}", hint=hint)


def cohens_kappa(pairs: Counter[tuple[str, str]]) -> float | None:
    """Compute Cohen's kappa (1960, doi:10.1177/001316446002000104) of a confusion matrix.

    Parameters
    ----------
    pairs : Counter
        How often one side gave the first label and the other the second.

    Returns
    -------
    float or None
        1 for full agreement, 0 for what chance gives, less for less; None where both sides use
        one and the same label only, or there is nothing: chance explains it all.

    Examples
    --------
    >>> cohens_kappa(Counter({("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}))
    0.4
    """
    total = pairs.total()
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    for (a, b), count in pairs.items():
        first[a] += count
        second[b] += count
    # In whole numbers, so that perfect agreement is exactly 1.
    by_chance = sum(first[label] * second[label] for label in first)  # times total squared
    equal = total * sum(count for (a, b), count in pairs.items() if a == b)
    return None if total**2 == by_chance else (equal - by_chance) / (total**2 - by_chance)
