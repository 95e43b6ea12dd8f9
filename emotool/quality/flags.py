"""Whether a clip is the kind of sound that models have learnt from, and if not, what is wrong.

Models are trained on acted speech that was recorded close by and in quiet rooms. They label
whatever else they are given just as readily, so a clip that is something else is flagged. All
is measured on the spectrograms that the model is given, window by window; the measures of a
clip are the means over its windows, so an hour takes no more memory than a second. Noise is
judged by the windows with speech: beside those without, any recording would be noisy.

The limits were chosen on clips of 18 speakers that were spoilt on purpose, and judged on those
of 18 others: ``benchmarks/flags.py`` prints how often each flag is right.
"""

from collections.abc import Sequence
from typing import Final

from emotool.features.clip_features import ClipFeatures
from emotool.features.peaks import Peaks
from emotool.features.waveform_spec import InputSpec
from emotool.quality.measures import Measures, measure, spec_to_measure

__all__ = ["Quality", "flags_of"]

SPEECHLESS_SECONDS: Final = 0.5
NARROW_BAND_SECONDS: Final = 1.0
NOISY_SECONDS: Final = 1.5
CLIPPED_SECONDS: Final = 1.0
"""Clips with less sound do not get the flag: a word has no pauses, and maybe no sharp sounds."""

EVENNESS: Final = 0.92
"""Peaks that were cut off are more alike than this, whatever was done to them since."""

FLATNESS: Final = 0.25e-3
"""Where the cut is still to be seen, more samples than this lie level at the top."""

TEXTURE_DB: Final = {64: 2.2, 128: 2.9}
"""By number of bands: noise alone has less texture, its frames are only as rough as chance."""

STILL: Final = 0.2
"""Held tones move less than this from frame to frame: their lines stay, where voices glide."""

MOVEMENT: Final = 0.5
STEADY_DB: Final = 10.0
"""So do hum and music that is as loud all the time; slow clear voices move little, but pause."""

VOICE_RANGE_DB: Final = 7.0
"""Where there is no speech, no group of bands of a voice changes by more."""

RANGE_DB: Final = 15.0
"""In a quiet room, speech is louder than its own pauses by more than this."""

BAND_RANGE_DB: Final = 20.0
"""The same within the bands of speech, which also finds noise that is not the loudest sound."""

TREBLE_DB: Final = -44.0
"""Recordings whose sounds end at 4 kHz have less than this above 5 kHz."""


def flags_of(
    measures: Measures, peaks: Peaks, n_mels: int, seconds: float, spoken: Measures | None = None
) -> tuple[str, ...]:
    """Return the flags that measures stand for, in the order in which they are written.

    A clip without speech has no other flag: noise is noisy, and hum has even peaks.

    Parameters
    ----------
    measures : Measures
        Of a clip.
    peaks : Peaks
        Of the same clip.
    n_mels : {64, 128}
        Bands of its spectrograms.
    seconds : float
        How much sound was measured.
    spoken : Measures, optional
        Of its windows with speech; those of the clip if not given.

    Returns
    -------
    tuple of str
        ``speechless``, or any of ``clipped``, ``narrow_band`` and ``noisy``.

    Examples
    --------
    >>> flags_of(Measures(24.0, 32.0, 38.0, -21.0, 6.9, 0.9), Peaks(0.7, 0.0), 64, 3.0)
    ()
    >>> flags_of(Measures(9.0, 32.0, 38.0, -60.0, 6.9, 0.9), Peaks(1.0, 0.0), 64, 3.0)
    ('clipped', 'narrow_band', 'noisy')
    """
    if seconds < SPEECHLESS_SECONDS or _is_speechless(measures, n_mels):
        return ("speechless",) if seconds >= SPEECHLESS_SECONDS else ()
    clipped = peaks.evenness > EVENNESS or peaks.flatness > FLATNESS
    narrow = measures.treble_db < TREBLE_DB
    speech = spoken or measures
    noisy = speech.range_db < RANGE_DB or speech.band_range_db < BAND_RANGE_DB
    found = (
        ("clipped", clipped and seconds >= CLIPPED_SECONDS),
        ("narrow_band", narrow and seconds >= NARROW_BAND_SECONDS),
        ("noisy", noisy and seconds >= NOISY_SECONDS),
    )
    return tuple(flag for flag, holds in found if holds)


def _is_speechless(measures: Measures, n_mels: int) -> bool:
    """Return whether the measured sound has no speech."""
    steady = measures.movement < MOVEMENT and measures.range_db < STEADY_DB
    return (
        measures.texture_db < TEXTURE_DB[n_mels]
        or measures.voice_range_db < VOICE_RANGE_DB
        or measures.movement < STILL
        or steady
    )


def _plus(total: Sequence[float], weight: float, more: Sequence[float]) -> list[float]:
    """Return the sums of numbers and weighted others."""
    return [old + weight * new for old, new in zip(total, more, strict=True)]


class Quality:
    """What the parts of a clip so far say of it.

    Parameters
    ----------
    spec : SpectrogramSpec or WaveformSpec
        How its windows are made.

    Attributes
    ----------
    extra : SpectrogramSpec or None
        By which its windows have to be computed as well (`ClipFeatures.measured`), if the model's
        own spectrograms cannot be measured.
    """

    def __init__(self, spec: InputSpec) -> None:
        measured = spec_to_measure(spec)
        self.extra = None if measured == spec else measured
        self._spec = measured
        # Plain numbers: arrays of six or two take longer to make than to add.
        self._total = [0.0] * len(Measures._fields)
        self._frames = 0
        self._spoken = list(self._total)  # of windows with speech
        self._spoken_frames = 0
        self._peaks = [0.0] * len(Peaks._fields)
        self._peaks_s = 0.0
        self._seen: tuple[str, ...] = ()

    def add(self, part: ClipFeatures) -> None:
        """Add a part of the clip, with the windows made of it."""
        self._seen = part.flags
        windows = part.windows if self.extra is None else part.measured
        spec = self._spec
        if windows is None or spec is None:
            return
        if part.peaks is not None:
            self._peaks = _plus(self._peaks, part.duration_s, part.peaks)
            self._peaks_s += part.duration_s
        for window, start, end in zip(windows, part.starts_s, part.ends_s, strict=True):
            frames = min(spec.frames, round((end - start) * spec.sample_rate) // spec.hop_length)
            if frames >= 2:
                found = measure(window[:, :frames])
                self._total = _plus(self._total, frames, found)
                self._frames += frames
                if not _is_speechless(found, spec.n_mels):
                    self._spoken = _plus(self._spoken, frames, found)
                    self._spoken_frames += frames

    @property
    def seconds(self) -> float:
        """Sound that was measured; what windows share counts in each of them."""
        spec = self._spec
        return 0.0 if spec is None else self._frames * spec.hop_length / spec.sample_rate

    @property
    def measures(self) -> Measures | None:
        """Means over the windows, by their length; None without any."""
        if not self._frames:
            return None
        return Measures(*(each / self._frames for each in self._total))

    @property
    def spoken(self) -> Measures | None:
        """The same over the windows with speech; None without any."""
        if not self._spoken_frames:
            return None
        return Measures(*(each / self._spoken_frames for each in self._spoken))

    @property
    def peaks(self) -> Peaks:
        """Means over the parts, by their length; zeros without any."""
        return Peaks(*(each / max(self._peaks_s, 1e-9) for each in self._peaks))

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that hold so far, those that its parts came with first."""
        measures = self.measures
        if measures is None or self._spec is None:
            return self._seen
        found = flags_of(measures, self.peaks, self._spec.n_mels, self.seconds, self.spoken)
        return tuple(dict.fromkeys(self._seen + found))
