"""A set of figures in one line, the same in every output, with what stands behind them."""

from collections.abc import Mapping
from typing import Any

from emotool.model.evidence import basis, warning
from emotool_training.evaluation.metrics import MIN_CORPUS_CLIPS

__all__ = ["averaged", "headline"]


def averaged(figures: Mapping[str, Any]) -> str:
    """Say which corpora a UAR is the mean over, and which are left out.

    Parameters
    ----------
    figures : mapping
        As `emotool_training.evaluation.scores.score` gives them.

    Examples
    --------
    >>> averaged({"averaged_corpora": ["emodb"], "per_corpus": {"emodb": {}, "mine": {}}})
    'mean over emodb; mine left out: fewer than 20 clips'
    """
    names = figures["averaged_corpora"]
    text = f"mean over {', '.join(names)}"
    if few := sorted(figures["per_corpus"].keys() - set(names)):
        text += f"; {', '.join(few)} left out: fewer than {MIN_CORPUS_CLIPS} clips"
    return text


def headline(figures: Mapping[str, Any]) -> str:
    """Write UAR and accuracy with the clips and people that they rest on.

    Parameters
    ----------
    figures : mapping
        As `emotool_training.evaluation.scores.score` gives them.

    Returns
    -------
    str
        One line; it ends in a warning where these are too few.

    Examples
    --------
    >>> part = {"averaged_corpora": ["emodb"], "per_corpus": {"emodb": {}}}
    >>> headline({"uar": 0.875, "accuracy": 0.9, "clips": 120, "speakers": 12} | part)
    'UAR 87.5 % (mean over emodb), accuracy 90.0 %; 120 clips of 12 people'
    """
    return (
        f"UAR {100 * figures['uar']:.1f} % ({averaged(figures)}), accuracy "
        f"{100 * figures['accuracy']:.1f} %; {warning(figures) or basis(figures)}"
    )
