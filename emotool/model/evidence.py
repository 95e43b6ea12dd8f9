"""How many people and clips stand behind a figure, and whether these are too few to trust it."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["FEW_CLIPS", "FEW_SPEAKERS", "basis", "is_thin", "temperature_warning", "warning"]

FEW_SPEAKERS: Final = 10
"""With fewer people, one more or less moves a figure by ten points."""

FEW_CLIPS: Final = 50
"""With fewer clips, one clip is two points."""

_TEMPERATURES: Final = (0.2, 5.0)


def is_thin(figures: Mapping[str, Any]) -> bool:
    """Return whether figures rest on fewer than ten known people or fifty clips.

    Parameters
    ----------
    figures : mapping
        With ``clips``, ``speakers`` and maybe ``unknown_speakers`` (clips of which it is unknown
        who speaks). What lacks a count, as other programs' models may, is not judged by it.

    Examples
    --------
    >>> is_thin({"clips": 400, "speakers": 12}), is_thin({"clips": 400, "speakers": 9}), is_thin({})
    (False, True, False)
    """
    speakers, clips = figures.get("speakers"), figures.get("clips")
    unknown = bool(figures.get("unknown_speakers"))
    few_speakers = unknown or (speakers is not None and speakers < FEW_SPEAKERS)
    return bool(few_speakers or (clips is not None and clips < FEW_CLIPS))


def basis(figures: Mapping[str, Any]) -> str:
    """Say how many clips of how many people figures rest on.

    Examples
    --------
    >>> basis({"clips": 10, "speakers": 1})
    '10 clips of 1 person'
    >>> basis({"clips": 10, "speakers": 1, "unknown_speakers": 10})
    '10 clips of unknown people'
    """
    clips, speakers = figures.get("clips"), figures.get("speakers")
    if clips is None or speakers is None:
        return ""
    people = "1 person" if speakers == 1 else f"{speakers:,} people"
    if figures.get("unknown_speakers"):
        people = "unknown people"
    return f"{clips:,} {'clip' if clips == 1 else 'clips'} of {people}"


def warning(figures: Mapping[str, Any]) -> str:
    """Say that figures rest on too little; nothing where they do not.

    Examples
    --------
    >>> warning({"clips": 10, "speakers": 1})
    "10 clips of 1 person: too few to measure the model's accuracy (10 people and 50 clips or more)"
    >>> warning({"clips": 500, "speakers": 20})
    ''
    """
    if not is_thin(figures):
        return ""
    return (
        f"{basis(figures)}: too few to measure the model's accuracy ({FEW_SPEAKERS} people and "
        f"{FEW_CLIPS} clips or more)"
    )


def temperature_warning(temperature: float) -> str:
    """Say that confidences mean nothing at a temperature; nothing where they may.

    Examples
    --------
    >>> temperature_warning(12.8)
    'temperature 12.8: accuracy too low, or clips too few, to calibrate confidences'
    >>> temperature_warning(1.3)
    ''
    """
    low, high = _TEMPERATURES
    if low <= temperature <= high:
        return ""
    return (
        f"temperature {temperature:.1f}: accuracy too low, or clips too few, to "
        "calibrate confidences"
    )
