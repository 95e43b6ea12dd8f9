"""A clip's sound and pictures, as a browser takes them.

The sound is 16 kHz mono MP3 at a variable rate of about 35 kbit/s: every browser plays it, and
the same samples give the same bytes. (Opus would be as small, but takes five times as long to
encode, is not played by older Safaris, and libsndfile draws a random serial number for each
Ogg file.)

A clip is decoded once more for the report, in this process. That is not where untrusted files
are first met: a worker process has decoded the same bytes to their end, or the clip would have no
row to be shown in. Clips that have failed are not touched.
"""

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile

from emotool.errors import AudioError, ModelError
from emotool.explain.explanation import Explanation, explain
from emotool.text import printable
from emotool.writers.html.png import evidence_png, spectrogram_png

if TYPE_CHECKING:
    from emotool.model.classifier import Classifier

__all__ = ["ENDINGS", "MIME_TYPES", "Media", "clip_media"]

ENDINGS: Final = {"sound": ".mp3", "spectrogram": ".png", "evidence": ".evidence.png"}
"""What there may be for a clip, and how the names of such files end."""

MIME_TYPES: Final = {"sound": "audio/mpeg", "spectrogram": "image/png", "evidence": "image/png"}

_MP3_RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_MP3_LEVEL: Final = 0.5  # of 0 (largest) to 1 (smallest)


@dataclass(frozen=True, slots=True)
class Media:
    """A clip's sound, pictures and facts for the report.

    Parameters
    ----------
    about : dict
        For the page: ``seconds``, ``window`` (its length in s), ``windows`` (start,
        probabilities and dimensions of each) and whether there is ``evidence``; or ``error``.
    parts : dict of str to bytes
        By the names in `ENDINGS`.
    """

    about: dict[str, Any]
    parts: dict[str, bytes]


def clip_media(path: str, classifier: "Classifier") -> Media:
    """Prepare a clip for the report; one that cannot be used gets the reason.

    Parameters
    ----------
    path : str
        The clip.
    classifier : Classifier
        The model that has labelled it.

    Returns
    -------
    Media
        Of the clip's first minute at most.
    """
    try:
        heard = explain(path, classifier)
    except (AudioError, ModelError) as error:
        return Media({"error": printable(error.message)}, {})
    parts = {
        "sound": _mp3(heard.samples, heard.spec.sample_rate),
        "spectrogram": spectrogram_png(heard.spectrogram, heard.spec.top_db),
    }
    if heard.evidence is not None:
        parts["evidence"] = evidence_png(heard.evidence)
    return Media(_about(heard), parts)


def _about(heard: Explanation) -> dict[str, Any]:
    windows = [
        [round(start, 3), *(round(float(number), 4) for number in (*shares, *numbers))]
        for start, shares, numbers in zip(
            heard.starts_s, heard.probabilities, heard.dimensions, strict=True
        )
    ]
    return {
        "seconds": round(heard.seconds, 3),
        "window": heard.spec.window_seconds,
        "windows": windows if len(windows) > 1 else [],
        "evidence": heard.evidence is not None,
    }


def _mp3(samples: np.ndarray[Any, np.dtype[np.float32]], sample_rate: int) -> bytes:
    """Encode float32 [n], what is beyond full scale as ±1.

    A rate that MP3 does not have becomes the next below that it has.
    """
    if sample_rate not in _MP3_RATES:
        import soxr

        known = max((rate for rate in _MP3_RATES if rate < sample_rate), default=_MP3_RATES[0])
        samples = soxr.resample(samples, sample_rate, known)
        sample_rate = known
    sound = io.BytesIO()
    soundfile.write(
        sound,
        np.clip(samples, -1, 1),  # LAME ends the whole process at samples far beyond full scale
        sample_rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=_MP3_LEVEL,
        bitrate_mode="VARIABLE",
    )
    return sound.getvalue()
