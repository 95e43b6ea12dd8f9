"""What happens to a training window: place, noise, level, masks, and mixing with another.

All on spectrograms in dB, in numpy, and all random numbers from the generator passed in: who
calls with the same generator gets the same batch.
"""

import numpy as np
import numpy.typing as npt

from emotool.spectrogram import SpectrogramSpec
from training.recipe import Augmentation

__all__ = ["SILENCE_DB", "add_noise", "cut", "floor", "mask", "mix", "random_start"]

Floats = npt.NDArray[np.float32]
SILENCE_DB = -100.0
"""dB of no power at all (`emotool.spectrogram.power_to_db`'s smallest power is 1e-10)."""


def random_start(time: int, frames: int, shift: int, random: np.random.Generator) -> int:
    """Draw where a window of a clip begins.

    Parameters
    ----------
    time, frames : int
        Lengths of the clip and of the window.
    shift : int
        Frames by which the window may begin before the clip, or end after it.

    Returns
    -------
    int
        First frame, negative before the clip. A clip shorter than the window keeps, but for
        the shift, its place at the window's beginning, as at prediction.
    """
    return int(random.integers(-shift, max(time - frames, 0) + shift + 1))


def cut(image: npt.NDArray[np.float16], start: int, frames: int) -> Floats:
    """Cut a window out of a clip's image, silence where the clip has ended or not begun.

    Parameters
    ----------
    image : ndarray of float16, shape (n_mels, time)
        dB without floor.
    start, frames : int
        First frame (may be negative) and length of the window.

    Returns
    -------
    ndarray of float32, shape (n_mels, frames)

    Examples
    --------
    >>> cut(np.array([[1, 2, 3]], np.float16), 1, 3).tolist()
    [[2.0, 3.0, -100.0]]
    """
    window = np.full((image.shape[0], frames), SILENCE_DB, np.float32)
    begin, end = max(start, 0), min(start + frames, image.shape[1])
    if begin < end:
        window[:, begin - start : end - start] = image[:, begin:end]
    return window


def add_noise(
    window: Floats, augmentation: Augmentation, spec: SpectrogramSpec, random: np.random.Generator
) -> Floats:
    """Add noise in power, as sounds add, between white and 6 dB an octave falling.

    The ratio of signal to noise is drawn from ``augmentation.noise_snr_db``, by mean power over
    the window. Each band's noise fluctuates from frame to frame as noise does.

    Shape
    -----
    f32 [n_mels, frames] dB → the same
    """
    signal = np.power(10.0, window / 10.0, dtype=np.float32)  # [n_mels, frames] power
    snr = random.uniform(*augmentation.noise_snr_db)
    tilt = random.uniform(0.0, 6.0)  # dB an octave
    centres = np.linspace(0.0, _mel(spec.f_max), spec.n_mels + 2)[1:-1]  # [n_mels] mel
    octaves = np.log2(np.maximum(_hertz(centres), 100.0) / 100.0)  # [n_mels]
    shape = np.power(10.0, -tilt * octaves / 10.0)[:, None]  # [n_mels, 1] power
    # A band's power sums some exponentially distributed bins: between 1 and many; take 3.
    noise = shape * random.standard_gamma(3.0, window.shape) / 3.0  # [n_mels, frames]
    scale = signal.mean() / max(float(noise.mean()), 1e-20) * 10.0 ** (-snr / 10.0)
    noisy = 10.0 * np.log10(np.maximum(signal + scale * noise, 1e-10))
    return np.asarray(noisy, np.float32)


def floor(window: Floats, top_db: float) -> Floats:
    """Raise everything more than ``top_db`` below the loudest point, as the features do."""
    return np.asarray(np.maximum(window, window.max() - np.float32(top_db)), np.float32)


def mask(
    window: Floats, augmentation: Augmentation, spec: SpectrogramSpec, random: np.random.Generator
) -> Floats:
    """Blot out bands of mels and stretches of time with the window's mean, in place.

    SpecAugment (Park et al. 2019, doi:10.21437/Interspeech.2019-2680); the mean, since it is 0
    once normalised.

    Shape
    -----
    f32 [n_mels, frames] dB → the same array
    """
    mean = window.mean()
    longest = round(augmentation.time_mask_seconds * spec.sample_rate / spec.hop_length)
    for _ in range(augmentation.mel_masks):
        start, width = _stretch(spec.n_mels, augmentation.mel_mask_bands, random)
        window[start : start + width] = mean
    for _ in range(augmentation.time_masks):
        start, width = _stretch(window.shape[1], longest, random)
        window[:, start : start + width] = mean
    return window


def mix(
    windows: Floats, targets: Floats, augmentation: Augmentation, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mix each window, and its target, with another of the batch.

    Mixup (Zhang et al. 2018, arXiv:1710.09412), with one share for each pair, the larger one
    kept for the window itself.

    Parameters
    ----------
    windows : ndarray of float32, shape (batch, n_mels, frames)
        dB.
    targets : ndarray of float32, shape (batch, labels)
        Probabilities.
    augmentation : Augmentation
    random : numpy.random.Generator

    Returns
    -------
    tuple of ndarray
        New windows and targets of the same shapes.
    """
    # All draws are made even where nothing is mixed.
    partner = random.permutation(len(windows))
    share = random.beta(*2 * (max(augmentation.mixup_alpha, 1e-3),), size=len(windows))
    if random.uniform() >= augmentation.mixup_probability or augmentation.mixup_alpha <= 0:
        return windows, targets
    kept = np.maximum(share, 1 - share).astype(np.float32)  # [batch]
    mixed = kept[:, None, None] * windows + (1 - kept)[:, None, None] * windows[partner]
    return mixed, kept[:, None] * targets + (1 - kept)[:, None] * targets[partner]


def _stretch(length: int, widest: int, random: np.random.Generator) -> tuple[int, int]:
    """Draw a stretch of at most ``widest`` of ``length`` places: its start and its width."""
    width = int(random.integers(0, min(widest, length) + 1))
    return int(random.integers(0, length - width + 1)), width


def _mel(hertz: float) -> float:
    """Hertz to mel after O'Shaughnessy (1987); near enough to place noise."""
    return 2595.0 * float(np.log10(1.0 + hertz / 700.0))


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mel back to hertz."""
    return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
