"""Sound that libsndfile does not read, such as phones record, decoded by FFmpeg's libraries (PyAV).

FFmpeg reads hundreds of formats, some of which are lists of other files and addresses. Here it is
given an open file and its container, which emotool recognises by the file's first bytes
(FFmpeg never guesses), and allowed the decoders of sound that belong in them. It opens nothing
itself: no name, no network, no second file; pictures and films beside the sound are not decoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.audio.containers import CONTAINERS
from emotool.audio.decoders import DECODERS
from emotool.audio.joined import Levelled
from emotool.audio.reach import Reach
from emotool.errors import AudioError, install_command

if TYPE_CHECKING:
    import av

__all__ = ["ForeignSound", "open_foreign"]


Floats: TypeAlias = npt.NDArray[np.float32]


_LIMITS: Final = {
    "format_whitelist": ",".join(CONTAINERS),
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "protocol_whitelist": "",
    "max_streams": "64",
}


_MOST_PLANES: Final = 7
"""Beyond, PyAV 18 finds no end of a frame's channels, and reads where nothing is."""


_CONVERT: Final = "convert it: ffmpeg -i FILE clip.flac"


_PAUSES: Final = {"amrnb": (8, 8_000), "amrwb": (9, 16_000)}
"""Decoders, from which type on a frame of 20 ms holds no speech, and the rate in Hz."""


_BROADCAST: Final = ("mpeg", "mpegts")
"""Containers whose times begin anywhere."""


_WHOLE: Final = ("aiff", "caf", "mov", "tta")
"""Containers of which FFmpeg reads the first, where several are joined."""


_UNREAD: Final = ((1 << 16, 0.25), (1 << 13, 0.45))
"""Names, remarks and lists of packets may take this many bytes, and this share of the file."""


_TOLERANCE_S: Final = 0.25
"""Containers give times in coarse units, and encoders round up to whole frames."""


class ForeignSound:
    """A decoded track, read from start to end; made by `open_foreign`.

    Attributes
    ----------
    samplerate : int
        Samples per second (Hz).
    channels : int
        How many there are at the beginning.
    format : str
        The container, a key of `CONTAINERS`.
    flags : tuple of str
        Which of several tracks is read; ``incomplete`` once damage was skipped.
    """

    def __init__(self, container: "av.container.InputContainer", name: str) -> None:
        self.format = name
        self.flags: tuple[str, ...] = _tracks(container)
        self._container = container
        self._track: Any = _best_track(container, name)
        self._promised_s = _promised_seconds(container, self._track, name)
        self._blocks = self._decoded()
        self.samplerate = self.channels = 0  # until the first block is there
        first = next(self._blocks, None)
        if first is None:
            raise AudioError("open", f"{CONTAINERS[name]} without any sound")
        self._pending = [first]  # decoded, not yet asked for

    def read(self, count: int, **_: Any) -> Floats:
        """Return the next samples, float32 ``[<= count, channels]``; fewer only at the end.

        Raises
        ------
        AudioError
            If they cannot be decoded, or end before the end that the file names.
        """
        have = sum(len(block) for block in self._pending)
        while have < count and (block := next(self._blocks, None)) is not None:
            self._pending.append(block)
            have += len(block)
        joined = np.concatenate([np.empty((0, self.channels), np.float32), *self._pending])
        self._pending = [joined[count:]] if have > count else []
        return joined[:count]

    def _decoded(self) -> Iterator[Floats]:
        """Yield float32 [n, channels] at one rate, from time 0 on; check where it ends."""
        begins = self._container.start_time if self.format in _BROADCAST else 0
        reach = Reach(self.format, (begins or 0) / 1e6, len(self._container.streams) > 1)
        level: Levelled | None = None
        with _as_audio_errors("decode", "damaged", reach):
            for block, rate, time in self._frames(reach):
                if level is None:
                    self.samplerate, self.channels = rate, block.shape[1]
                    level = Levelled(rate, block.shape[1])
                silence = reach.decoded(time, len(block) / rate)
                yield from self._silence(silence)
                yield level.take(block, rate)
        if level is not None:
            yield level.end()
        seconds = reach.seconds
        if seconds < self._promised_s - _TOLERANCE_S:
            raise AudioError(
                "decode",
                f"damaged or cut off: {seconds:.1f} of {self._promised_s:.1f} s can be decoded",
            )
        if reach.lost_s > _TOLERANCE_S or self._is_unread(reach.behind):
            self.flags = (*self.flags, "incomplete")

    def _is_unread(self, position: int) -> bool:
        """Return whether so much lies behind the last packet that it may be another recording."""
        if self.format not in _WHOLE or len(self._container.streams) > 1:
            return False
        size = self._container.size
        unread = size - position
        return any(unread > max(least, share * size) for least, share in _UNREAD)

    def _frames(self, reach: Reach) -> Iterator[tuple[Floats, int, float | None]]:
        """Yield what each frame holds, float32 [n, channels], its rate (Hz) and its time (s)."""
        import av

        pause = _PAUSES.get(self._track.codec_context.name)
        for packet in self._container.demux(self._track):
            reach.read(packet)
            if pause is not None and packet.size and bytes(packet)[0] >> 3 & 15 >= pause[0]:
                time = None if packet.pts is None else float(packet.pts * packet.time_base)
                yield np.zeros((pause[1] // 50, 1), np.float32), pause[1], time
                continue
            try:
                frames = packet.decode()
            except av.FFmpegError:
                if packet.size:
                    raise
                return  # Speex does not know the request for what is left
            for frame in frames:
                yield _floats(frame), frame.sample_rate, frame.time

    def _silence(self, seconds: float) -> Iterator[Floats]:
        """Yield zeros, a second at most at once."""
        left = round(seconds * self.samplerate)
        while left > 0:
            count = min(left, self.samplerate)
            yield np.zeros((count, self.channels), np.float32)
            left -= count


def _tracks(container: "av.container.InputContainer") -> tuple[str, ...]:
    """Return a flag that names the sound track read, if there is another."""
    tracks = container.streams.audio
    best: Any = container.streams.best("audio")
    if len(tracks) < 2 or best is None:
        return ()
    number = [track.index for track in tracks].index(best.index) + 1
    return (f"track_{number}_of_{len(tracks)}",)


def _best_track(container: "av.container.InputContainer", name: str) -> Any:
    """Return the sound track that players would play; see that no other is read."""
    from av.stream import Discard

    track: Any = container.streams.best("audio")
    if track is None:
        raise AudioError("open", f"{CONTAINERS[name]} without a sound track")
    for other in container.streams:
        if other is not track:
            other.discard = Discard.all
    codec = track.codec_context.name if track.codec_context is not None else "an unknown codec"
    # FFmpeg's own list is not asked when PyAV opens a decoder.
    if codec not in DECODERS:
        raise AudioError(
            "open", f"its sound track is {codec}, which is not decoded here ({_CONVERT})"
        )
    track.codec_context.thread_count = 1  # there is a worker for every core already
    return track


def _promised_seconds(container: "av.container.InputContainer", track: Any, name: str) -> float:
    """Return the track's length by its container; 0 if unknown."""
    if name == "mov" and track.duration:
        return float(track.duration * track.time_base)
    # These know the longest of their tracks only, and streams in the raw name no length.
    if name in ("matroska", "asf") and container.duration and len(container.streams) == 1:
        return float(container.duration) / 1e6
    return 0.0


def _floats(frame: "av.AudioFrame") -> Floats:
    """Return a frame's samples, float32 [n, channels], full scale ±1."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels > _MOST_PLANES:
        reason = f"{channels} channels, more than the {_MOST_PLANES} that are read of such a file"
        raise AudioError("decode", reason)
    # Planar: [channels, n]; packed: [1, n * channels].
    values: npt.NDArray[Any] = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, channels)  # [n, channels]
    floats = values.astype(np.float32)
    if values.dtype == np.uint8:
        return (floats - np.float32(128)) / np.float32(128)
    if values.dtype.kind == "i":
        floats *= np.float32(2.0 ** (1 - 8 * values.dtype.itemsize))
    return floats


@contextmanager
def _as_audio_errors(stage: str, what: str, reach: Reach | None = None) -> Iterator[None]:
    """Turn what PyAV raises into `AudioError`; OSError comes of seeking to absurd places."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f" after {reach.seconds:.1f} s" if reach else ""
        said = f"{what}: the decoder gave up{place} ({reason.rstrip('. ')})"
        raise AudioError(stage, said) from error


@contextmanager
def open_foreign(source: BinaryIO, name: str, what: str = "") -> Iterator[ForeignSound]:
    """Open the sound track of a container.

    Parameters
    ----------
    source : file-like
        The file's bytes, at their start; can be sought in.
    name : str
        The container, a key of `CONTAINERS`.
    what : str
        What to call it in errors, where more is known.

    Yields
    ------
    ForeignSound
        Usable within the ``with`` block.

    Raises
    ------
    AudioError
        If PyAV is not installed, or the file is not such a container with a sound track that can
        be decoded.
    """
    try:
        import av
    except ImportError as error:
        raise AudioError(
            "open",
            f"{what or CONTAINERS[name]}, for which an extra is needed: "
            f"{install_command('av')} (or {_CONVERT})",
        ) from error
    with _as_audio_errors("open", f"{what or CONTAINERS[name]}, but damaged"):
        container = av.open(source, "r", format=name, options=_LIMITS, metadata_errors="replace")
    with container:
        yield ForeignSound(container, name)
