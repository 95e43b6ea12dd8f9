"""An audio file as a stream of mono float32 samples at the rate a model wants.

Files are decoded in blocks until they end, in flat memory however long they are. The header is
believed about the format, never about the length.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO, Final, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from emotool.audio.channels import Mixing, Survey
from emotool.audio.decoding import File, open_sound
from emotool.audio.full_scale import FullScale
from emotool.audio.joined import Sound
from emotool.errors import AudioError
from emotool.files.opening import open_regular, plain_reason
from emotool.files.remote import is_remote
from emotool.files.zip_members import read_member, split_member

__all__ = ["AudioStream", "open_audio"]

Floats: TypeAlias = npt.NDArray[np.float32]

_RATES: Final = (2_000, 768_000)
"""Sample rates (Hz) that are taken for real."""

_BLOCK_VALUES: Final = 1 << 20
"""Values (frames times channels) decoded at once: 4 MiB of float32, a minute at 16 kHz."""

_HELD_VALUES: Final = 2_900_000
_HELD_SECONDS: Final = 60.0
"""Clips of more values (11 MiB) or seconds are decoded twice; others are held in memory."""


class AudioStream:
    """An open clip, read piece by piece; made by `open_audio`.

    Attributes
    ----------
    sample_rate : int
        Samples per second (Hz) of what `read` gives.
    source_rate, channels : int
        The file's own sample rate (Hz) and number of channels.
    """

    def __init__(
        self, start: Callable[[], Sound], sample_rate: int, check: Callable[[], None]
    ) -> None:
        file = start()
        self.sample_rate = sample_rate
        self.source_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self._start = start  # reopens the file
        self._check = check  # raises AudioError if bytes that were read are missing
        self._file = file
        self._block = self._block_frames()
        self._ended = False
        self._decoded = 0  # frames
        self._given = 0  # frames
        self._values = FullScale(self.channels, getattr(file, "subtype", ""))
        self._held: list[Floats] | None = []  # decoded, not yet mixed; None: decoded again
        self._mixing: Mixing | None = None
        self._pending: list[Floats] = []  # resampled, not yet asked for
        self._resampler = self._make_resampler()

    def _make_resampler(self) -> Any:
        low, high = _RATES
        if not low <= self.source_rate <= high:
            raise AudioError(
                "open", f"a sample rate of {self.source_rate} Hz is not within {low} to {high} Hz"
            )
        if self.source_rate == self.sample_rate:
            return None
        import soxr  # only where a clip has another rate: most corpora do not

        return soxr.ResampleStream(self.source_rate, self.sample_rate, 1, dtype="float32")

    def _block_frames(self) -> int:
        """Return how many frames make `_BLOCK_VALUES`, before as well as after resampling."""
        widest = max(self.channels, self.sample_rate / self.source_rate)
        return max(1, int(_BLOCK_VALUES / widest))

    @property
    def seconds(self) -> float | None:
        """The clip's length in seconds, to the file's own sample; None before its end is met."""
        return self._given / self.source_rate if self._ended else None

    @property
    def flags(self) -> tuple[str, ...]:
        """What was found: ``clipped``, the flags of `emotool.audio.channels`, and of decoding."""
        mixing = self._survey() if self._mixing is None else self._mixing
        return (("clipped",) if self.clipped else ()) + mixing.flags + self._file.flags

    @property
    def clipped(self) -> bool:
        """Whether what is used of the clip was cut off at full scale."""
        mixing = self._survey() if self._mixing is None else self._mixing
        return self._values.clipped(mixing.channel)

    def read(self, count: int) -> Floats:
        """Return the next ``count`` samples, fewer only at the end of the clip.

        Where pieces are cut has no influence on the samples.

        Parameters
        ----------
        count : int
            How many samples, at `sample_rate`.

        Returns
        -------
        numpy.ndarray
            float32 ``[<= count]``, mono.

        Raises
        ------
        AudioError
            If the clip cannot be decoded further or holds values that are no sound.
        """
        have = sum(piece.size for piece in self._pending)
        while have < count and not self._ended:
            piece = self._resample(self._next())
            self._pending.append(piece)
            have += piece.size
        if len(self._pending) == 1:
            joined = self._pending[0]
        else:
            joined = np.concatenate([np.empty(0, np.float32), *self._pending])
        self._pending = [joined[count:]] if have > count else []
        return joined[:count]

    def _survey(self) -> Mixing:
        """Decode the whole clip to decide on its channels and offset; hold it if it is short."""
        survey = Survey(self.channels, self.source_rate)
        held: list[Floats] = []
        frames = min(_HELD_VALUES // self.channels, int(_HELD_SECONDS * self.source_rate) + 1)
        while not self._ended:
            block = self._decode()
            survey.add(block)
            held.append(block)
            if self._decoded > frames:
                held.clear()
        self._mixing = survey.decide(max(1.0, self._values.peak))
        self._ended = False
        self._held = held or None
        if self._held is None:
            self._file = self._start()
            self._decoded = 0
        return self._mixing

    def _next(self) -> Floats:
        """Return the next block at the file's own rate, as mono; mark the end."""
        mixing = self._survey() if self._mixing is None else self._mixing
        if self._held is None:
            block = self._decode()
        else:
            block = self._held.pop(0)
            self._ended = not self._held
        mono = mixing.apply(block, self._given)
        self._given += len(block)
        return mono

    def _decode(self) -> Floats:
        """Return the next block at the file's own rate, [n, channels]; mark the end."""
        block = self._file.read(self._block)
        self._check()
        self._decoded += len(block)
        self._ended = len(block) < self._block
        if len(block):
            self._values.add(block)
        return block

    def _resample(self, block: Floats) -> Floats:
        if self._resampler is None:
            return block
        try:
            resampled: Floats = self._resampler.resample_chunk(block, last=self._ended)
        except (RuntimeError, ValueError) as error:
            raise AudioError("resample", str(error)) from error
        return resampled


@contextmanager
def open_audio(path: str | os.PathLike[str], sample_rate: int) -> Iterator[AudioStream]:
    """Open a clip to be read piece by piece.

    Parameters
    ----------
    path : str or os.PathLike
        A regular file in any format that libsndfile reads, or with the extra ``av`` in one of
        `emotool.audio.containers.CONTAINERS`, whatever its name ends in; or a clip in a zip
        archive, such as ``talks.zip/a.wav``.
    sample_rate : int
        Rate (Hz) to which the samples are brought (soxr, "HQ").

    Yields
    ------
    AudioStream
        Usable within the ``with`` block.

    Raises
    ------
    AudioError
        If the file is not audio that can be read; says what it is and what to do.
    """
    name = os.fspath(path)
    with ExitStack() as opened:
        source, sound, size = _open_bytes(name, opened)

        def start() -> Sound:
            source.seek(0)
            return opened.enter_context(open_sound(File(name, source, sound, size)))

        def check() -> None:
            failed = getattr(getattr(source, "raw", None), "error", None)
            if failed is not None:
                raise AudioError("open", plain_reason(failed))

        try:
            yield AudioStream(start, sample_rate, check)
        except AudioError:
            check()
            raise


def _open_bytes(name: str, opened: ExitStack) -> tuple[BinaryIO, Any, int]:
    """Open what holds a clip.

    Returns
    -------
    file-like, Any, int
        The bytes; what libsndfile opens; how many bytes there are.
    """
    if is_remote(name):
        from emotool.files.remote_reading import open_remote

        fetched, size = open_remote(name)
        return opened.enter_context(fetched), fetched, size
    if inside := split_member(name):
        content = read_member(*inside)
        source = io.BytesIO(content)
        return source, source, len(content)
    descriptor = opened.enter_context(open_regular(name))
    file = opened.enter_context(io.FileIO(descriptor, closefd=False))
    # C runtimes of Windows do not share descriptors; names do everywhere but in non-UTF-8 paths,
    # which only exist elsewhere.
    return (
        cast("BinaryIO", file),
        name if os.name == "nt" else descriptor,
        os.fstat(descriptor).st_size,
    )
