"""Augment a training window: position, tempo, frequencies, room, noise and masks.

All on spectrograms in dB, in numpy, and all random numbers from the generator passed in: who
calls with the same generator gets the same batch.
"""

import numpy as np
import numpy.typing as npt

from emotool.features.spec import SpectrogramSpec
from emotool_training.augmentation import spectrogram as alter
from emotool_training.augmentation.settings import Augmentation

__all__ = ["SILENCE_DB", "cut", "mask", "window_of"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

SILENCE_DB = np.float32(-100.0)
"""dB of no power at all (`emotool.features.mel.power_to_db`'s smallest power is 1e-10)."""


def window_of(
    image: npt.NDArray[np.float16],
    augmentation: Augmentation,
    spec: SpectrogramSpec,
    random: np.random.Generator,
) -> Floats:
    """Cut a window out of a clip and alter it.

    Parameters
    ----------
    image : ndarray of float16, shape (n_mels, time)
        The clip in dB, without floor.
    augmentation : Augmentation
    spec : SpectrogramSpec
    random : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (n_mels, frames)
        dB, floored as `emotool.features.extraction` does.
    """
    settings = augmentation
    pace = float(np.exp(random.uniform(-1, 1) * settings.pace))
    shift = settings.shift_seconds * spec.sample_rate / spec.hop_length  # frames
    start = random_start(image.shape[1], spec.frames * pace, shift, random)
    window, sounding = cut(image, start, spec.frames, pace)
    if settings.warp:
        factor = float(np.exp(random.uniform(-1, 1) * settings.warp))
        window = alter.warp_mels(window, spec, factor)
    if settings.tilt_db or settings.response_db:
        tilt = random.uniform(-1, 1) * settings.tilt_db
        window = alter.colour(window, tilt, random.normal(0, settings.response_db, alter.KNOTS))
    if random.uniform() < settings.room_probability:
        seconds = random.uniform(*settings.room_seconds)
        window = alter.resonate(window, spec, seconds, random.uniform(*settings.room_level))
    if random.uniform() < settings.noise_probability:
        level = window[:, sounding].max() - random.uniform(*settings.noise_below_peak_db)
        window = alter.add_noise(window, level, random.uniform(*settings.noise_tilt_db), random)
    # Behind a clip there is digital silence when it is classified, so no noise there either.
    window = np.where(sounding, window, SILENCE_DB)
    window += np.float32(random.uniform(-1, 1) * settings.gain_db)
    window = np.maximum(window, window.max() - np.float32(spec.top_db))
    return mask(window, sounding, settings, random, spec)


def random_start(time: int, span: float, shift: float, random: np.random.Generator) -> float:
    """Draw where a window of a clip begins.

    Parameters
    ----------
    time : int
        Frames of the clip.
    span : float
        Frames of the clip that the window takes in.
    shift : float
        Frames of silence at most before a clip that is shorter than the window.

    Returns
    -------
    float
        First frame: anywhere in a clip longer than the window, and not after the beginning of a
        shorter one, which so is always there as a whole.
    """
    if time > span:
        return float(random.uniform(0.0, time - span))
    return -float(random.uniform(0.0, min(shift, span - time)))


def cut(
    image: npt.NDArray[np.float16], start: float, frames: int, pace: float = 1.0
) -> tuple[Floats, Bools]:
    """Cut a window out of a clip's image, at another pace if need be.

    Parameters
    ----------
    image : ndarray of float16, shape (n_mels, time)
        dB without floor.
    start : float
        First frame; negative begins before the clip.
    frames : int
        Length of the window.
    pace : float
        Frames of the clip to a frame of the window; between frames dB are interpolated.

    Returns
    -------
    tuple of ndarray
        The window, float32 [n_mels, frames], and which of its frames lie within the clip, bool
        [frames]; the others have the clip's nearest frame.

    Examples
    --------
    >>> window, sounding = cut(np.array([[1, 2, 3]], np.float16), 0.5, 3)
    >>> window.tolist(), sounding.tolist()
    ([[1.5, 2.5, 3.0]], [True, True, False])
    """
    last = image.shape[1] - 1
    time = start + np.arange(frames) * pace  # [frames]
    sounding = (time >= 0) & (time <= last)
    # A clip between two of the window's frames would not sound at all.
    sounding[np.abs(time - last / 2).argmin()] = True
    time = np.clip(time, 0, last)
    before = time.astype(np.int64)
    share = (time - before).astype(np.float32)  # [frames]
    after = image[:, np.minimum(before + 1, last)].astype(np.float32)  # [n_mels, frames]
    return image[:, before].astype(np.float32) * (1 - share) + after * share, sounding


def mask(
    window: Floats,
    sounding: Bools,
    augmentation: Augmentation,
    random: np.random.Generator,
    spec: SpectrogramSpec,
) -> Floats:
    """Mask bands of mels and stretches of time with the sound's mean, in place.

    SpecAugment (Park et al. 2019, doi:10.21437/Interspeech.2019-2680).

    Shape
    -----
    f32 [n_mels, frames] dB, bool [frames] → the first
    """
    mean = window[:, sounding].mean()
    longest = round(augmentation.time_mask_seconds * spec.sample_rate / spec.hop_length)
    for _ in range(augmentation.mel_masks):
        start, width = _stretch(spec.n_mels, augmentation.mel_mask_bands, random)
        window[start : start + width] = mean
    for _ in range(augmentation.time_masks):
        start, width = _stretch(window.shape[1], longest, random)
        window[:, start : start + width] = mean
    return window


def _stretch(length: int, widest: int, random: np.random.Generator) -> tuple[int, int]:
    """Draw a stretch of at most ``widest`` of ``length`` places: its start and its width."""
    width = int(random.integers(0, min(widest, length) + 1))
    return int(random.integers(0, length - width + 1)), width
