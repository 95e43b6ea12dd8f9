"""The results table, in Markdown, from the figures of all models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.accuracy_figures import OTHERS

__all__ = ["NOTEBOOK", "markdown"]

NOTEBOOK = {
    "autoencoder": "~85",
    "cnn": "85-88",
    "resnet": "90-92",
    "resnet_ft": "94-96",
}
"""Per cent right that the notebook this project began with reports, on CREMA-D, happy against
sad, probably on random clips of speakers it had heard. Other clips than ours."""

_ABROAD = {"another_corpus": "", "another_corpus_own_statistics": ", its own statistics half-way"}

_ABROAD_NOTE = (
    "UAR by corpus, each predicted by a model trained on the others. Intervals are by bootstrap of "
    "the speakers of the corpora that have several. *Its own statistics half-way*: mean and "
    "deviation of the corpus's embeddings, without any label, blended with those of training. *At "
    "an even prior*: the labels weighed so that all are equally frequent on average. ECE: as "
    "trained, and at a temperature from what was predicted of the other corpora."
)

NOT_COMPARABLE = "not comparable: speakers shared"


def markdown(figures: Mapping[str, Mapping[str, Any]], listeners: Mapping[int, float]) -> str:
    """Write the results table, one part per set of labels.

    Parameters
    ----------
    figures : mapping
        By model, as `figures_of` gives them.
    listeners : mapping of int to float
        By number of labels, the share of right votes of CREMA-D's listeners, 0 … 1; empty
        where the votes are not at hand.
    """
    parts = []
    sizes = sorted({len(one["labels"]) for one in figures.values() if one})
    for size in sizes:
        models = {n: one for n, one in figures.items() if one and len(one["labels"]) == size}
        parts.append(_part(models, size, listeners.get(size)))
    return "\n".join([*parts, *_abroad(figures)])


def _abroad(figures: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Write what each model does on corpora that it has heard nothing of, if any was tried."""
    tried = {
        f"`{model}`{said}": one["protocols"][protocol]
        for model, one in figures.items()
        for protocol, said in _ABROAD.items()
        if one and protocol in one["protocols"]
    }
    if not tried:
        return []
    corpora = sorted({c for one in tried.values() for c in one["per_corpus"]})
    header = ["model", _mean_of(tried, corpora), *corpora, "at an even prior", "ECE"]
    lines = ["### Another corpus", "", _row(header), _row(["---"] * len(header))]
    for name, one in tried.items():
        even = [one["uar_even"][c] for c in corpora]
        cells = [_per_cent(one["per_corpus"].get(c, {}).get("uar")) for c in corpora]
        ece = f"{one['ece_before']:.3f} → {one['ece_after']:.3f}"
        mean = _per_cent(sum(even) / len(even))
        lines.append(_row([name, _with_interval(one, "uar_several"), *cells, mean, ece]))
    lines += ["", _ABROAD_NOTE, "", *_predicted(tried, corpora)]
    return ["\n".join(lines) + "\n"]


def _mean_of(tried: Mapping[str, Mapping[str, Any]], corpora: Sequence[str]) -> str:
    """Head the column of means over the corpora with several speakers."""
    lone = _lone(tried.values())
    left_out = f" ({_listed(lone)} has one speaker)" if lone else ""
    return f"mean of {', '.join(c for c in corpora if c not in lone)}{left_out}, UAR (95 %)"


def _lone(parts: Iterable[Mapping[str, Any]]) -> list[str]:
    """Name the corpora with a single speaker."""
    corpora = (part["per_corpus"].items() for part in parts)
    return sorted({c for one in corpora for c, figures in one if figures["speakers"] == 1})


def _predicted(tried: Mapping[str, Mapping[str, Any]], corpora: Sequence[str]) -> list[str]:
    """List the shares of predicted labels, as they are and at an even prior."""
    lines = ["Shares of predicted labels, in per cent (in brackets: at an even prior):", ""]
    for name, one in tried.items():
        for corpus in corpora:
            even = one["predicted_even"][corpus]
            shares = [
                f"{label} {100 * share:.0f} ({100 * even[label]:.0f})"
                for label, share in one["predicted"][corpus].items()
            ]
            lines.append(f"- {name}, {corpus}: {', '.join(shares)}")
    return lines


def _part(models: Mapping[str, Mapping[str, Any]], size: int, human: float | None) -> str:
    """Write the table of the models with one set of labels."""
    labels = next(iter(models.values()))["labels"]
    corpora = sorted({c for one in models.values() for c in _corpora(one)})
    header = [
        "model",
        "**another corpus**, UAR (95 %)",
        "its own statistics half-way",
        "**new speakers**, UAR (95 %)",
        f"{OTHERS} other speakers",
        *corpora,
        "accuracy (95 %)",
        "ECE: before → own temperature / as stored",
        f"random clips, UAR ({NOT_COMPARABLE})",
        *(["notebook, CREMA-D, its own split"] if size == 2 else []),
        "seeds (another / new / random)",
    ]
    lines = [f"### {_listed(labels)}", "", _row(header), _row(["---"] * len(header))]
    lines += [_row(_cells(name, one, corpora, size)) for name, one in models.items()]
    lines += ["", _footnote(models, human, size)]
    return "\n".join(lines) + "\n"


def _cells(name: str, one: Mapping[str, Any], corpora: Sequence[str], size: int) -> list[str]:
    """Write one model's row."""
    new = one["protocols"].get("new_speakers")
    random = one["protocols"].get("random_clips")
    abroad = one["protocols"].get("another_corpus")
    own = one["protocols"].get("another_corpus_own_statistics")
    per_corpus = new["per_corpus"] if new else {}
    return [
        f"`{name}`",
        _with_interval(abroad, "uar"),
        _with_interval(own, "uar"),
        _with_interval(new, "uar"),
        _range(new),
        *(_per_cent(per_corpus.get(c, {}).get("uar")) for c in corpora),
        _with_interval(new, "accuracy"),
        _calibration(new),
        _with_interval(random, "uar"),
        *([f"{NOTEBOOK.get(name, '-')}"] if size == 2 else []),
        " / ".join(str(part["seeds"] if part else 0) for part in (abroad, new, random)),
    ]


def _range(new: Mapping[str, Any] | None) -> str:
    """Give where the figure of a few other speakers lies."""
    if new is None or new["uar_others_low"] is None:
        return "-"
    return f"{_per_cent(new['uar_others_low'])}-{_per_cent(new['uar_others_high'])}"


def _calibration(new: Mapping[str, Any] | None) -> str:
    if new is None:
        return "-"
    return f"{new['ece_before']:.3f} → {new['ece_after']:.3f} / {new['ece_stored']:.3f}"


def _corpora(one: Mapping[str, Any]) -> list[str]:
    """Corpora that a model's figures are averaged over."""
    return [c for part in one["protocols"].values() for c in part["averaged_corpora"]]


def _footnote(models: Mapping[str, Mapping[str, Any]], human: float | None, size: int) -> str:
    """Say what the table's figures mean."""
    protocols = [part for one in models.values() for part in one["protocols"].values()]
    clips = sorted({part["clips"] for part in protocols})
    people = sorted({part["speakers"] for part in protocols})
    lone = _lone(protocols)
    text = (
        f"{_counts(clips)} clips of {_counts(people)} speakers, each predicted once per seed by a "
        "model that was not trained on it; *new speakers*: nor on anyone who speaks in it. "
        "UAR is averaged over the corpora, mean over the seeds; 95 % intervals by bootstrap of "
        "speakers within corpora"
    )
    if lone:
        text += f" (which {_listed(lone)}, with one speaker, cannot widen)"
    text += (
        f". *{OTHERS} other speakers*: where the UAR of so few people lies in 95 % of draws, each "
        "corpus with its share of them"
        ". ECE, the gap between confidence and accuracy: as trained; with a temperature from each "
        "fold's own validation speakers; at one as models store it: where a corpus was left out, "
        "from the predictions of another corpus and of new speakers (here less the corpus that is "
        "judged), else from all folds' validation speakers less those whom the fold tests"
        f". Guessing: {_per_cent(1 / size)} %."
    )
    if human is not None:
        text += (
            f" People who heard CREMA-D's voices were right in {_per_cent(human)} % of their "
            f"votes for {'one of the two' if size == 2 else 'one of the six'} (other clips)."
        )
    return f"{text} {_durations(models)}"


def _durations(models: Mapping[str, Mapping[str, Any]]) -> str:
    """Say how long trainings take, by the longer protocol."""
    longest = {
        name: max(part["minutes"] for part in one["protocols"].values())
        for name, one in models.items()
    }
    told = [f"`{name}` {max(1, round(minutes))}" for name, minutes in longest.items()]
    return f"Minutes of one training, median: {', '.join(told)}."


def _with_interval(part: Mapping[str, Any] | None, name: str) -> str:
    if part is None or part[name] is None:
        return "-"
    low, high = part[f"{name}_low"], part[f"{name}_high"]
    bounds = "" if low is None else f" ({_per_cent(low)}-{_per_cent(high)})"
    mark = "**" if part["comparable"] and name == "uar" else ""
    return f"{mark}{_per_cent(part[name])}{mark}{bounds}"


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _counts(values: Sequence[int]) -> str:
    return " or ".join(f"{value:,}" for value in values)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
