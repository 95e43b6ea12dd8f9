"""Figures of a model by protocol: from its own run, or from the benchmark's folds."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from emotool.errors import TrainingError
from emotool_training.evaluation.predictions import Predictions
from emotool_training.evaluation.scores import score
from emotool_training.recipes.recipe import Recipe

__all__ = [
    "benchmark_figures",
    "for_metadata",
    "is_one_more_training",
    "keys_digest",
    "recipe_digest",
    "run_figures",
]

_ENDS = ("epochs", "patience")
_OTHERS = 0.05
"""Share of clips of corpora that the benchmark does not test, up to which a run is of its kind."""

_KEPT = (
    *(f"{name}{end}" for name in ("uar", "accuracy", "f1") for end in ("", "_low", "_high")),
    *("clips", "speakers", "unknown_speakers", "seeds", "averaged_corpora", "per_corpus"),
    "comparable",
    *("ece_before", "ece_after", "ece_stored", "description"),
    *("uar_several", "uar_several_low", "uar_several_high"),
    *("uar_others_low", "uar_others_high"),
)


def recipe_digest(recipe: Recipe, *, length: bool = True) -> str:
    """Fingerprint a recipe.

    Parameters
    ----------
    recipe : Recipe
        Any.
    length : bool
        Whether it matters how long it trains. A final model has no test clips and trains for
        the folds' median number of epochs; it is of their kind all the same.

    Returns
    -------
    str
        SHA-256 as 64 hexadecimal digits.
    """
    ignored = () if length else _ENDS
    plain = {name: value for name, value in recipe.to_dict().items() if name not in ignored}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def keys_digest(keys: Iterable[str]) -> str:
    """Fingerprint which clips there are, in whatever order: SHA-256 as 64 hexadecimal digits."""
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()


def is_one_more_training(
    found: Mapping[str, Any], recipe: Recipe, keys: Iterable[str], epochs: int
) -> bool:
    """Tell whether a run may be published with the benchmark's figures of its recipe.

    It may where it has learnt by that recipe, for about as long, from the clips that the
    benchmark tests. Others may have been with them if they are few, such as a corpus of one
    speaker who always trains.

    Parameters
    ----------
    found : mapping
        What `benchmark_figures` has found; maybe nothing.
    recipe : Recipe
        The run's.
    keys : iterable of str
        Keys (``corpus/name``) of all clips that the run used.
    epochs : int
        How long it trained.

    Returns
    -------
    bool
    """
    if not found or found["kind"] != recipe_digest(recipe, length=False):
        return False
    shortest, longest = found["epochs"]
    tested = set(found["protocols"].get("new_speakers", {}).get("per_corpus", ()))
    keys = list(keys)
    known = [key for key in keys if key.partition("/")[0] in tested]
    few_others = len(keys) - len(known) <= _OTHERS * len(known)
    return (
        shortest <= epochs <= longest and few_others and keys_digest(known) == found["clips_digest"]
    )


def run_figures(predictions: Predictions, split: Mapping[str, Any]) -> dict[str, Any]:
    """Score one run: its test clips, or its validation clips where it tested on none.

    Parameters
    ----------
    predictions : Predictions
        Of one run, with subsets.
    split : mapping
        ``emotool_training.splits.Split.to_dict()``.

    Returns
    -------
    dict
        One entry, named ``new_speakers`` or ``random_clips`` after what the split keeps
        apart, or ``validation``; empty without either subset.
    """
    description = str(split.get("description", ""))
    tested, validated = predictions.subset("test"), predictions.subset("validation")
    comparable = bool(split.get("comparable", False))
    if len(tested):
        name = "new_speakers" if comparable else "random_clips"
        said = f"One run; test clips of the split: {description}"
        return {name: {**score(tested), "comparable": comparable, "description": said}}
    if len(validated):
        said = f"One run; no clip was kept for testing. Split: {description}"
        return {"validation": {**score(validated), "comparable": False, "description": said}}
    return {}


def benchmark_figures(path: Path, name: str) -> dict[str, Any]:
    """Read what the benchmark found out about a recipe.

    Parameters
    ----------
    path : Path
        ``figures.json`` as ``benchmarks/accuracy.py table`` writes it.
    name : str
        A recipe's name.

    Returns
    -------
    dict
        ``kind`` (`recipe_digest` without length), ``labels``, ``clips_digest`` (of the clips
        that are tested), ``epochs`` (fewest and most that a fold trained for) and
        ``protocols``; empty where the file or the name is not there.

    Raises
    ------
    TrainingError
        If the file is damaged.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8")).get(name, {})
    except (OSError, ValueError, AttributeError) as error:
        raise TrainingError(f"{path}: no table of figures: {error}") from error
    if found and not {"kind", "labels", "clips_digest", "epochs", "protocols"} <= set(found):
        raise TrainingError(f"{path}: figures of {name} are incomplete")
    return dict(found)


def for_metadata(metrics: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Keep what a model file and its card say; bounds that are unknown are left out.

    Examples
    --------
    >>> for_metadata({"new_speakers": {"uar": 0.9, "uar_low": None, "confusion": [[1]]}})
    {'new_speakers': {'uar': 0.9}}
    """
    return {
        protocol: {k: figures[k] for k in _KEPT if figures.get(k) is not None}
        for protocol, figures in metrics.items()
    }
