"""The table and the picture of `benchmarks.adapt`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.adapt_protocol import COUNTS, DRAWS, KINDS

__all__ = ["markdown", "picture"]

_NAMES = tuple("all" if count is None else str(count) for count in COUNTS)
_ENOUGH = 0.85
_COLOURS = {"as shipped": "#2a78d6", "own statistics": "#d1495b"}


def markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the table.

    Parameters
    ----------
    found : mapping
        By model and corpus, as `benchmarks.adapt_protocol.measure` gives them.
    """
    head = ["model", "left out", "base", *(f"{name} clips a label" for name in _NAMES)]
    lines = [
        "# Adapting to a corpus that was left out",
        "",
        f"UAR in per cent on the corpus's other speakers, mean (standard deviation) over {DRAWS} "
        "draws of speakers and clips; written by `python benchmarks/adapt.py table`.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
    ]
    verdicts = []
    for model, corpora in found.items():
        for corpus, one in corpora.items():
            for kind in KINDS:
                draws = one["uar"][kind]
                cells = [f"{_mean(draws[n])} ({100 * np.std(draws[n]):.1f})" for n in _NAMES]
                lines.append(f"| {model} | {corpus} | {kind} | {' | '.join(cells)} |")
                verdicts.append((f"{model}, {corpus}, {kind}", draws))
    lines += ["", *_judged(verdicts), "", *_checked(found)]
    return "\n".join(lines) + "\n"


def _mean(values: Sequence[float]) -> str:
    return f"{100 * float(np.mean(values)):.1f}"


def _judged(verdicts: Sequence[tuple[str, Mapping[str, Sequence[float]]]]) -> list[str]:
    """Say whether few clips ever harm, and whether twenty a label help."""
    losses = {
        name: min(float(np.mean(draws[n]) - np.mean(draws["0"])) for n in _NAMES)
        for name, draws in verdicts
    }
    gains = {
        name: float(np.mean(draws["20"]) - np.mean(draws["0"]))
        for name, draws in verdicts
        if np.mean(draws["0"]) < _ENOUGH
    }
    lowest, least = min(losses, key=losses.__getitem__), min(gains, key=gains.__getitem__)
    return [
        f"- Lowest difference of any number of clips from the base: {100 * losses[lowest]:+.1f} "
        f"points ({lowest}).",
        f"- Least gain of 20 clips a label where the base is below {100 * _ENOUGH:.0f} %: "
        f"{100 * gains[least]:+.1f} points ({least}).",
    ]


def _checked(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Compare the rebuilt bases with the published predictions."""
    lines = ["Bases on the whole corpus, rebuilt here and as published in `accuracy.md`:", ""]
    for model, corpora in found.items():
        parts = [
            f"{corpus} {100 * one['base']:.1f} and {100 * one['kept']:.1f}"
            for corpus, one in corpora.items()
        ]
        lines.append(f"- {model}: {', '.join(parts)}")
    return lines


def picture(found: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw mean and spread over the draws by clips a label."""
    from matplotlib.figure import Figure

    models, corpora = list(found), list(next(iter(found.values())))
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots(len(models), len(corpora), sharex=True, sharey="row", squeeze=False)
    places = np.arange(len(_NAMES))
    for row, model in enumerate(models):
        for column, corpus in enumerate(corpora):
            axis = axes[row, column]
            for kind in KINDS:
                draws = np.array([found[model][corpus]["uar"][kind][n] for n in _NAMES]) * 100
                mean, spread = draws.mean(axis=1), draws.std(axis=1)
                axis.plot(places, mean, "o-", color=_COLOURS[kind], label=kind, markersize=4)
                axis.fill_between(
                    places, mean - spread, mean + spread, color=_COLOURS[kind], alpha=0.15, lw=0
                )
            axis.set_title(f"{model}, {corpus} left out", fontsize=9)
            axis.set_xticks(places, _NAMES)
            axis.grid(alpha=0.3)
        axes[row, 0].set_ylabel("UAR on other speakers (%)")
    for axis in axes[-1]:
        axis.set_xlabel("labelled clips of each label")
    axes[0, 0].legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=110, metadata={"Software": None})
