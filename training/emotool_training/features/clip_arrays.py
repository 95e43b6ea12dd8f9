"""Compute the arrays that training and prediction need from an audio file.

Two forms of a clip:

* its **windows**, exactly as ``classify`` cuts and computes them, for validation and test;
* its **image**, the spectrogram of the whole trimmed clip without the dB floor, from which
  training cuts a window at a place of its own each time (`emotool_training.augmentation.window`);
  also of altered copies (`emotool_training.augmentation.waveform`).

Runs in worker processes: nothing here imports TensorFlow.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from emotool.audio.stream import open_audio
from emotool.errors import AudioError
from emotool.features.extraction import LONG_SECONDS, extract, iter_extract
from emotool.features.mel import mel_power, power_to_db
from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import trim
from emotool_training.augmentation.settings import Variants

__all__ = ["Form", "Outcome", "clip_image", "compute"]

Form = Literal["windows", "image"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result of computing one clip.

    Attributes
    ----------
    status : str
        ``ok``, ``silent``, ``too_short`` or ``failed``.
    reason : str
        Why it failed; empty otherwise.
    array : ndarray
        Windows, f32 [windows, n_mels, frames] in dB, or an image, f16 [n_mels, time] in dB
        without floor; empty unless ``ok``.
    """

    status: str
    reason: str
    array: npt.NDArray[Any]


_NOTHING = np.zeros((0,), np.float32)


def compute(path: Path, form: Form, spec: SpectrogramSpec, copy: tuple[int, Variants]) -> Outcome:
    """Compute one form of one clip.

    Parameters
    ----------
    path : Path
        The audio file.
    form : str
        ``windows`` or ``image``.
    spec : SpectrogramSpec
        What to compute.
    copy : tuple of int and Variants
        Number of the altered copy, 0 for the clip itself, and how copies are altered; images
        only.

    Returns
    -------
    Outcome
        Their status is the reason where the clip cannot be used.
    """
    try:
        if form == "windows":
            features = extract(path, spec)
            return Outcome(features.status, "", features.windows)
        # The first part tells whether a clip can be used; it is all there is of a short one.
        status = next(iter_extract(path, spec)).status
        image = clip_image(path, spec, copy) if status == "ok" else _NOTHING
        return Outcome(status, "", image)
    except AudioError as error:
        return Outcome("failed", error.message, _NOTHING)


def clip_image(
    path: Path, spec: SpectrogramSpec, copy: tuple[int, Variants]
) -> npt.NDArray[np.float16]:
    """Compute the unfloored spectrogram of a clip's first minute, or of an altered copy's.

    Returns
    -------
    ndarray of float16, shape (n_mels, time)
        dB, -100 where there is no power; float16 is good to 0.03 dB here.
    """
    with open_audio(path, spec.sample_rate) as stream:
        samples = stream.read(round(LONG_SECONDS * spec.sample_rate))
    number, variants = copy
    if number:
        # Imported here: the copies' tools take two seconds to import.
        from emotool_training.augmentation.waveform import altered

        samples = altered(samples, spec.sample_rate, number, variants)
    start, stop = trim(samples, spec)
    # Frames that reach past the end still hear some of it: a window padded with zeros has them.
    whole = np.pad(samples[start:stop], (0, spec.n_fft // 2))  # [n]
    power = mel_power(whole[None], spec)  # [1, n_mels, time]
    return np.asarray(power_to_db(power, None)[0], np.float16)  # [n_mels, time]
