"""Altered copies of a clip: another pitch, another tempo, a room.

Kept within what leaves the emotion audible. Each copy's draws depend only on the samples and
the copy's number, so that the cache can be thrown away and comes back the same.
"""

import hashlib

import numpy as np
import numpy.typing as npt
from librosa.effects import pitch_shift, time_stretch
from scipy.signal import fftconvolve

from emotool_training.augmentation.settings import Variants

__all__ = ["altered", "in_room"]

Samples = npt.NDArray[np.float32]


def altered(samples: Samples, sample_rate: int, number: int, variants: Variants) -> Samples:
    """Make one altered copy of a clip.

    Parameters
    ----------
    samples : ndarray of float32, shape (n,)
    sample_rate : int
        Hz.
    number : int
        Which copy, from 1.
    variants : Variants
        How far copies may go.

    Returns
    -------
    ndarray of float32, shape (m,)
        Its length differs where the tempo does, or a room rings on.
    """
    digest = hashlib.sha256(samples.tobytes()).digest()
    random = np.random.default_rng([number, *np.frombuffer(digest, np.uint32)])
    # All draws are made whatever is switched on: one setting does not change another's draws.
    semitones = random.uniform(-1, 1) * variants.pitch_semitones
    # Evenly on a logarithmic scale: as many copies are slower as are faster.
    rate = float((1 + variants.speed) ** random.uniform(-1, 1))
    in_a_room = random.uniform() < variants.reverb_probability
    seconds = random.uniform(*variants.reverb_seconds)
    copy = samples
    if semitones:
        copy = pitch_shift(copy, sr=sample_rate, n_steps=semitones)
    if rate != 1.0:
        copy = time_stretch(copy, rate=rate)
    if in_a_room:
        copy = in_room(copy, sample_rate, seconds, random)
    return np.ascontiguousarray(copy, np.float32)


def in_room(
    samples: Samples, sample_rate: int, seconds: float, random: np.random.Generator
) -> Samples:
    """Let samples sound in a room that does not exist.

    Its impulse response is the direct sound and noise that decays exponentially by 60 dB in
    ``seconds`` (Moorer 1979, doi:10.2307/3680280), 3 to 15 dB below the direct sound in energy.
    """
    length = max(1, round(seconds * sample_rate))
    time = np.arange(length) / sample_rate  # [length] s
    tail = random.standard_normal(length) * 10 ** (-3 * time / seconds)  # -60 dB at the end
    tail *= 10 ** (-random.uniform(3, 15) / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    wet = fftconvolve(samples, tail.astype(np.float32))  # [n + length - 1]
    return np.asarray(wet, np.float32)
