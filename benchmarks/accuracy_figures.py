"""From out-of-fold predictions to figures and pictures, in seconds."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy_store import OWN_STATISTICS, PROTOCOLS, Outcome, load_all
from emotool.errors import TrainingError
from emotool_training.evaluation.calibration import apply_temperature, fit_temperature, reliability
from emotool_training.evaluation.metrics import even_prior, mean_uar
from emotool_training.evaluation.plots import save_confusion_plot, save_reliability_plot
from emotool_training.evaluation.predictions import Predictions, concatenate
from emotool_training.evaluation.ranking import area_under_curve
from emotool_training.evaluation.scores import score
from emotool_training.export.figures import keys_digest

__all__ = ["OTHERS", "figures_of", "pictures"]

Jobs = Mapping[int, tuple[Predictions, Outcome]]

OTHERS = 10
"""Speakers of a small study: the figure of so few people lies much further from the mean than the
interval of the mean over all speakers."""


def figures_of(results: Path, model: str) -> dict[str, Any]:
    """Score everything there is of a model.

    Parameters
    ----------
    results : Path
        The folder of `benchmarks.accuracy_store`.
    model : str
        A recipe's name.

    Returns
    -------
    dict
        ``labels``, ``kind``, ``clips_digest``, ``epochs`` (see `emotool_training.export.figures`)
        and ``protocols``: for each protocol with at least one seed of which no fold is missing, the
        dictionary of `emotool_training.evaluation.scores.score` (without the lists of speakers)
        and ``comparable``,
        ``temperature`` (to be stored in the model: where a corpus was left out, fitted on the
        predictions of ``another_corpus`` and ``new_speakers`` together, else on all validation
        clips), ``ece_before``, ``ece_after`` (each fold at the temperature of its own validation
        clips), ``ece_stored`` (as ``temperature``, but each corpus at one from the other corpora's
        predictions, or each fold at one from all folds' validation clips, less those of whom, or
        what, it tests), ``best_epoch`` (median), ``minutes`` (of a training, median) and
        ``hours`` (of all). Empty if nothing is complete.

    Raises
    ------
    TrainingError
        If a file cannot be used, or results are of different recipes.
    """
    done: dict[str, list[Jobs]] = {}
    for protocol in (*PROTOCOLS, OWN_STATISTICS):
        seeds = load_all(results, model, protocol)
        whole: list[Jobs] = [jobs for _, jobs in sorted(seeds.items()) if _is_whole(jobs)]
        if whole:
            done[protocol] = whole
    trained = [job for seeds in done.values() for jobs in seeds for job in jobs.values()]
    if len({outcome.recipe for _, outcome in trained}) > 1:
        raise TrainingError(f"{model}: its protocols' results are of different recipes")
    if not done:
        return {}
    unheard = _unheard(done)
    protocols = {
        protocol: _protocol_figures(seeds, protocol, unheard) for protocol, seeds in done.items()
    }
    first = next(iter(done.values()))
    return {**_head([job for jobs in first for job in jobs.values()]), "protocols": protocols}


def _unheard(done: Mapping[str, Sequence[Jobs]]) -> list[Predictions]:
    """Join what was predicted of other corpora and of new speakers, one seed of each.

    A recording of a user's is something between the two. Empty where no corpus was left out.
    """
    if "another_corpus" not in done:
        return []
    seeds = [
        done[protocol][0] for protocol in ("another_corpus", "new_speakers") if protocol in done
    ]
    return [job.subset("test") for jobs in seeds for job, _ in jobs.values()]


def _head(jobs: Sequence[tuple[Predictions, Outcome]]) -> dict[str, Any]:
    """Say what was trained, for how long, and which clips were tested."""
    epochs = [outcome.best_epoch for _, outcome in jobs]
    tested = {key for job, _ in jobs for key in job.subset("test").facts["key"].tolist()}
    predictions, outcome = jobs[0]
    return {
        "labels": list(predictions.labels),
        "kind": outcome.kind,
        "clips_digest": keys_digest(tested),
        "epochs": [min(epochs), max(epochs)],
    }


def _is_whole(jobs: Jobs) -> bool:
    """Whether no fold of a seed is missing."""
    return len(jobs) == next(iter(jobs.values()))[1].folds


def _protocol_figures(
    seeds: Sequence[Jobs], protocol: str, unheard: Sequence[Predictions]
) -> dict[str, Any]:
    """Score the seeds of one protocol."""
    tested = [concatenate([job.subset("test") for job, _ in jobs.values()]) for jobs in seeds]
    figures = score(tested)
    del figures["per_speaker"], figures["calibration"]
    others = score(tested, drawn=OTHERS)
    outcomes = [outcome for jobs in seeds for _, outcome in jobs.values()]
    return {
        "comparable": protocol != "random_clips",
        **figures,
        **{f"uar_others_{end}": others[f"uar_{end}"] for end in ("low", "high")},
        **_protocol_calibration(seeds, protocol, unheard),
        **_of_another_corpus(tested, protocol),
        "best_epoch": int(statistics.median(outcome.best_epoch for outcome in outcomes)),
        "minutes": statistics.median(outcome.seconds for outcome in outcomes) / 60,
        "hours": sum(outcome.seconds for outcome in outcomes) / 3600,
    }


def _protocol_calibration(
    seeds: Sequence[Jobs], protocol: str, unheard: Sequence[Predictions]
) -> dict[str, float]:
    """Calibrate by other clips: of other speakers, or of other corpora where one was left out."""
    own = {}
    if protocol not in ("another_corpus", OWN_STATISTICS):
        own = _calibrated(seeds, "speaker" if protocol == "new_speakers" else "key")
    return {**own, **(_calibrated_abroad(seeds, unheard, after=not own) if unheard else {})}


def _calibrated_abroad(
    seeds: Sequence[Jobs], unheard: Sequence[Predictions], *, after: bool
) -> dict[str, float]:
    """Calibrate each corpus by what was predicted of the others, unheard too.

    With ``after``, the error is also that after calibration, for want of validation clips.
    """
    raw = [_tested(jobs, lambda _: 1.0) for jobs in seeds]
    others = [_at_other_corpora(one, unheard) for one in raw]
    before, stored = (
        statistics.fmean(reliability(o.probabilities, o.truth).ece for o in sets)
        for sets in (raw, others)
    )
    found = {"temperature": _fit(unheard), "ece_stored": stored}
    return {**found, "ece_before": before, "ece_after": stored} if after else found


def _at_other_corpora(tested: Predictions, unheard: Sequence[Predictions]) -> Predictions:
    """Soften each corpus's clips by a temperature from the other corpora."""
    parts = []
    for corpus in np.unique(tested.facts["corpus"]):
        part = tested.select(tested.facts["corpus"] == corpus)
        temperature = _fit([one.select(one.facts["corpus"] != corpus) for one in unheard])
        parts.append(part.with_probabilities(apply_temperature(part.probabilities, temperature)))
    return concatenate(parts)


def _of_another_corpus(tested: Sequence[Predictions], protocol: str) -> dict[str, Any]:
    """Add what matters where a corpus is unknown.

    ``uar_several`` is the mean over the corpora of several speakers, with its interval, None
    without any; ``predicted`` and ``predicted_even`` are the shares of each label in each corpus,
    as it is and where all labels are made equally frequent on average; ``uar_even`` is each
    corpus's UAR then; ``auc`` its area under the curve, for two labels.
    """
    if protocol not in ("another_corpus", OWN_STATISTICS):
        return {}
    first = tested[0]
    several = [
        corpus
        for corpus in np.unique(first.facts["corpus"])
        if len(np.unique(first.facts["speaker"][first.facts["corpus"] == corpus])) > 1
    ]
    kept = [one.select(np.isin(one.facts["corpus"], several)) for one in tested]
    scored = score(kept) if several else {}
    found: dict[str, Any] = {
        f"uar_several{end}": scored.get(f"uar{end}") for end in ("", "_low", "_high")
    }
    return {**found, **_shares(first)}


def _shares(predictions: Predictions) -> dict[str, Any]:
    """Give shares of predicted labels by corpus, and figures at an even prior."""
    found: dict[str, dict[str, Any]] = {"predicted": {}, "predicted_even": {}, "uar_even": {}}
    if len(predictions.labels) == 2:
        found["auc"] = {}
    for corpus in np.unique(predictions.facts["corpus"]).tolist():
        part = predictions.select(predictions.facts["corpus"] == corpus)
        even = part.with_probabilities(even_prior(part.probabilities))
        for name, one in (("predicted", part), ("predicted_even", even)):
            counts = np.bincount(one.predicted, minlength=len(one.labels))
            shares = (counts / len(one)).round(4).tolist()
            found[name][corpus] = dict(zip(one.labels, shares, strict=True))
        found["uar_even"][corpus] = mean_uar(
            even.truth, even.predicted, [corpus] * len(even), len(even.labels)
        )
        if "auc" in found:
            found["auc"][corpus] = area_under_curve(part.truth == 0, part.probabilities[:, 0])
    return found


def _calibrated(seeds: Sequence[Jobs], kept_apart: str) -> dict[str, float]:
    """Calibration error before and after, averaged over the seeds.

    ``kept_apart`` is the fact that a fold's test clips share with none that it learns from.
    """
    # A clip validates in several folds and seeds, each time judged by another model: all count.
    judged = [job.subset("validation") for jobs in seeds for job, _ in jobs.values()]
    raw = [_tested(jobs, lambda _: 1.0) for jobs in seeds]
    own = [_tested(jobs, lambda job: _fit([job.subset("validation")])) for jobs in seeds]
    pooled = [
        _tested(jobs, lambda job: _fit(_of_others(judged, job, kept_apart))) for jobs in seeds
    ]
    return {
        "temperature": _fit(judged),
        **{
            name: statistics.fmean(reliability(o.probabilities, o.truth).ece for o in sets)
            for name, sets in (("ece_before", raw), ("ece_after", own), ("ece_stored", pooled))
        },
    }


def _fit(parts: Sequence[Predictions]) -> float:
    """Fit one temperature on several models' validation clips; 1 if there are none."""
    if not any(map(len, parts)):
        return 1.0
    probabilities = np.concatenate([part.probabilities for part in parts])  # [clips, labels]
    return fit_temperature(probabilities, np.concatenate([part.truth for part in parts]))


def _of_others(
    parts: Sequence[Predictions], job: Predictions, kept_apart: str
) -> list[Predictions]:
    """Leave out clips whose labels a job is judged by, or whose speakers' are."""
    tested = np.unique(job.subset("test").facts[kept_apart])
    return [part.select(~np.isin(part.facts[kept_apart], tested)) for part in parts]


def _tested(jobs: Jobs, temperature: Callable[[Predictions], float]) -> Predictions:
    """Join the folds' test clips, each fold at the temperature that is found for it."""
    parts = []
    for job, _ in jobs.values():
        part = job.subset("test")
        softened = apply_temperature(part.probabilities, temperature(job))
        parts.append(part.with_probabilities(softened))
    return concatenate(parts)


def pictures(results: Path, model: str) -> list[Path]:
    """Draw what a model said of new speakers' clips, all seeds together.

    Returns
    -------
    list of Path
        ``MODEL/confusion_matrix.png`` and ``MODEL/reliability.png``; none where no seed is
        complete.
    """
    seeds = load_all(results, model, "new_speakers")
    whole = [jobs for jobs in seeds.values() if _is_whole(jobs)]
    if not whole:
        return []
    raw = [_tested(jobs, lambda _: 1.0) for jobs in whole]
    own = [_tested(jobs, lambda job: _fit([job.subset("validation")])) for jobs in whole]
    counted = "" if len(whole) == 1 else f", {len(whole)} seeds added up"
    matrix, diagram = (results / model / f"{n}.png" for n in ("confusion_matrix", "reliability"))
    title = f"{model}: new speakers, out of fold{counted}"
    save_confusion_plot(score(raw), matrix, title=title)
    diagrams = {
        name: reliability(
            np.concatenate([o.probabilities for o in sets]), np.concatenate([o.truth for o in sets])
        )
        for name, sets in (("temperature 1", raw), ("each fold at its own temperature", own))
    }
    save_reliability_plot(diagrams, diagram)
    return [matrix, diagram]
