"""What adapting to few clips of few speakers does to other speakers of their corpus."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.adapt_protocol import Part, Vectors, left_out, uar_of
from emotool_training.adapting.head import solved_head
from emotool_training.adapting.validation import probabilities_of
from emotool_training.loop.linear_head import Solved

__all__ = ["few_speakers", "few_speakers_table"]

COUNTS = (10, 20, 40)
DRAWS = 3
_SEED = 1
_WHOLE = (0.0, 1.0)


@dataclass(frozen=True)
class _Kind:
    """Which clips a model is adapted to."""

    speakers: int = 1
    right: bool = False
    one_label: bool = False
    named: bool = True


KINDS = {
    "1 speaker": _Kind(),
    "1 speaker, all right already": _Kind(right=True),
    "1 speaker, one label": _Kind(one_label=True),
    "2 speakers": _Kind(2),
    "3 speakers": _Kind(3),
    "half of the speakers": _Kind(0),
    "half of the speakers, not named": _Kind(0, named=False),
}


def few_speakers(vectors: Vectors, model: str, corpus: str, results: Path) -> dict[str, Any]:
    """Adapt a model that was trained without a corpus to few clips, and judge it on the others.

    Each speaker in turn is the single one; several are drawn at random, as often. A draw has 10, 20
    or 40 clips at random, and none if there are fewer than six tenths of that.

    Parameters
    ----------
    vectors : Vectors
    model : str
        A recipe's name.
    corpus : str
        That is left out.
    results : Path
        Of `benchmarks.accuracy`.

    Returns
    -------
    dict
        By kind of draw: ``base`` and ``adapted``, the UAR of each draw on the other speakers.
    """
    whole, solved, temperature, _ = left_out(vectors, model, corpus, results)
    generator = np.random.default_rng(_SEED)
    found: dict[str, dict[str, list[float]]] = {}
    for name, kind in KINDS.items():
        into = found[name] = {"base": [], "adapted": []}
        for mine, chosen in _draws(whole, kind, _right(whole, solved, temperature), generator):
            part = whole.only(chosen)
            names = part.speakers if kind.named else [""] * len(chosen)
            added = solved_head(part.data(solved, _WHOLE, temperature), names)[1]
            others = np.flatnonzero(~np.isin(whole.speakers, mine))
            test = whole.only(others).data(solved, _WHOLE, temperature)
            into["base"].append(uar_of(test, None))
            into["adapted"].append(uar_of(test, added))
    return found


def _right(whole: Part, solved: Solved, temperature: float) -> npt.NDArray[np.bool_]:
    """Return which clips the base has right."""
    data = whole.data(solved, _WHOLE, temperature)
    shares = probabilities_of(data.offsets, data.owner, len(data.targets))
    return np.asarray(shares.argmax(axis=1) == whole.targets)


def _draws(
    whole: Part, kind: _Kind, right: npt.NDArray[np.bool_], generator: np.random.Generator
) -> Iterator[tuple[list[str], npt.NDArray[np.int64]]]:
    """Give speakers and clips of theirs."""
    there = sorted(set(whole.speakers))
    many = kind.speakers or len(there) // 2
    for turn in range(len(there)):
        for count in COUNTS:
            for _ in range(DRAWS):
                mine = [there[turn]] if many == 1 else generator.permutation(there)[:many].tolist()
                usable = np.isin(whole.speakers, mine) & (right | (not kind.right))
                if kind.one_label and usable.any():
                    usable &= whole.targets == generator.choice(whole.targets[usable])
                if usable.sum() >= 0.6 * count:
                    yield mine, np.sort(generator.permutation(np.flatnonzero(usable))[:count])


def few_speakers_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the table.

    Parameters
    ----------
    found : mapping
        By model and corpus, as `few_speakers` gives them.
    """
    head = ["model", "left out", "clips of", "draws", "base", "adapted", "mean", "lowest", "worse"]
    lines = [
        "# Adapting to few clips of few speakers",
        "",
        "UAR in per cent on the other speakers of a corpus that was left out; 10, 20 and 40 clips; "
        "mean and lowest difference from the base in points; share of draws more than a point "
        "worse; written by `python benchmarks/adapt.py few-table`.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    for model, corpora in found.items():
        for corpus, kinds in corpora.items():
            for kind, draws in kinds.items():
                if draws["base"]:
                    cells = [model, corpus, kind, *_cells(draws)]
                    lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cells(draws: Mapping[str, Sequence[float]]) -> list[str]:
    base, adapted = 100 * np.array(draws["base"]), 100 * np.array(draws["adapted"])
    change = adapted - base
    return [
        str(len(base)),
        f"{base.mean():.1f}",
        f"{adapted.mean():.1f}",
        f"{change.mean():+.1f}",
        f"{change.min():+.1f}",
        f"{100 * (change < -1).mean():.0f} %",
    ]
