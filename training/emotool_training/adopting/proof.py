"""Whether an adopted model answers real sound as it should: through the pipeline of a run."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from emotool.errors import AudioError, ModelError
from emotool.features.clip_features import ClipFeatures
from emotool.features.extraction import iter_extract
from emotool.features.waveform import padded_groups
from emotool.features.waveform_spec import WaveformSpec
from emotool.inputs.clips import Clip
from emotool.model.classifier import Classifier
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions

__all__ = ["Proof", "prove_answers"]

_AGREE = 1e-4
_SECONDS = (0.4, 1.3, 2.6)
_VOICE_HZ, _SYLLABLE_HZ = 140.0, 4.0


@dataclass(frozen=True)
class Proof:
    """How a model's answers were proved.

    Parameters
    ----------
    clip : str
        The recording's name, or what was made instead of one.
    windows : int
        How many windows were answered, of different lengths.
    difference : float
        Largest difference of a number between a window alone and among others.
    answers : dict of str to float
        For the clip, by label or dimension.
    """

    clip: str = ""
    windows: int = 0
    difference: float = 0.0
    answers: dict[str, float] | None = None


def prove_answers(classifier: Classifier, clip: str = "") -> Proof:
    """Classify a clip as a run does, and compare its windows alone and among others.

    Parameters
    ----------
    classifier : Classifier
        Of the adopted file.
    clip : str
        A recording; without one, sounds like syllables of different lengths are made.

    Raises
    ------
    ModelError
        If the model fails on it, or a window's answer depends on the others.
    """
    spec = classifier.spec
    with tempfile.TemporaryDirectory() as folder:
        made = [] if clip else _made(Path(folder), spec.sample_rate)
        clips = [Clip(i, path, path) for i, path in enumerate([clip] if clip else made)]
        results = list(classify_clips(clips, classifier, PoolOptions(workers=1)))
        for result in results:
            if result.status != "ok":
                raise ModelError(
                    f"the model has no answer for {result.shown}: {result.status} {result.reason}"
                )
        parts = [part for each in clips for part in _parts(each.path, classifier)]
    names = (*classifier.labels, *classifier.dimensions)
    last = results[-1]
    return Proof(
        Path(clip).name if clip else f"{len(made)} sounds made for it",
        sum(len(part.windows) for part in parts),
        _alone_and_among_others(classifier, parts),
        dict(zip(names, (*last.probabilities, *last.dimensions), strict=True)),
    )


def _parts(path: str, classifier: Classifier) -> list[ClipFeatures]:
    try:
        return list(iter_extract(path, classifier.spec))
    except AudioError as error:
        raise ModelError(f"{path}: {error.message}") from error


def _alone_and_among_others(classifier: Classifier, parts: Sequence[ClipFeatures]) -> float:
    """Return the largest difference between the answers to a window alone and in a batch."""
    spec = classifier.spec
    if isinstance(spec, WaveformSpec) and spec.one_at_a_time:
        return 0.0  # it never is among others
    outputs = classifier.metadata.labelling
    largest = 0.0
    for part in parts:
        for _, windows, lengths in padded_groups(part.windows, part.lengths, spec):
            other = np.concatenate([windows[:1], windows[::-1]])
            sizes = [*lengths[:1], *lengths[::-1]]
            among = classifier.run(other, outputs, sizes)
            for name, wanted in classifier.run(windows[:1], outputs, lengths[:1]).items():
                largest = max(largest, float(np.abs(among[name][0] - wanted[0]).max()))
    if not largest <= _AGREE:
        raise ModelError(
            f"a window's answer changes by {largest:.2g} with the others of its batch",
            hint="export it without operations over the batch",
        )
    return largest


def _made(folder: Path, rate: int) -> list[str]:
    """Make sounds like syllables: harmonics of a voice that rise and fall."""
    paths = []
    random = np.random.RandomState(0)
    for number, seconds in enumerate(_SECONDS):
        time = np.arange(round(seconds * rate)) / rate
        sound: Any = sum(
            np.sin(2 * np.pi * _VOICE_HZ * (k + 1) * time) / (k + 1)
            for k in range(min(20, int(0.4 * rate / _VOICE_HZ)))
        )
        sound = sound * (0.55 - 0.45 * np.cos(2 * np.pi * _SYLLABLE_HZ * time))
        sound += 0.01 * random.standard_normal(time.size)
        path = folder / f"{number}.wav"
        soundfile.write(path, 0.2 * sound.astype(np.float32), rate)
        paths.append(str(path))
    return paths
