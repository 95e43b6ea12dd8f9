"""Sound that libsndfile does not read, such as phones record, decoded by FFmpeg's libraries (PyAV).

FFmpeg reads hundreds of formats, some of which are lists of other files and addresses. Here it is
given a file that is already open, told by the file's first bytes which of a few containers it is
(FFmpeg never guesses), and allowed the decoders of sound that belong in them. It opens nothing
itself: no name, no network, no second file; pictures and films beside the sound are not decoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from emotool.errors import AudioError, install_command

if TYPE_CHECKING:
    import av

__all__ = ["CONTAINERS", "ForeignSound", "Reach", "container_of", "open_foreign"]


_HEADERS: Final = 5_000  # bytes that Matroska files have before their first packet


_BETWEEN: Final = 100  # and between two


@dataclass(slots=True)
class Reach:
    """How far into a recording a track has been read, where it may begin late or have gaps.

    A gap in time is the recording's own if its packets lie side by side in the file. Where bytes
    are left out between them, FFmpeg has gone on behind damage without a word, and as much of the
    gap as they may have held is lost.

    Parameters
    ----------
    container : str
        A key of `CONTAINERS`.
    """

    container: str
    _sound_s: float = 0.0  # decoded
    _sound_bytes: int = 0  # that it was decoded from
    _lost_s: float = 0.0
    _start: float | None = None
    _end: float = 0.0  # of the last frame, by its time
    _behind: int = _HEADERS  # where the last packet ends in the file
    _skipped: int = 0  # bytes between it and the packet before

    def read(self, packet: "av.Packet[Any]") -> None:
        """Note where a packet lies."""
        if packet.pos is not None and packet.size:
            self._skipped = packet.pos - self._behind
            self._behind = packet.pos + packet.size
            self._sound_bytes += packet.size

    def decoded(self, time: float | None, seconds: float) -> None:
        """Note when a frame of that packet begins, if that is known, and its length in s."""
        self._sound_s += seconds
        if time is None:
            time = self._end
        if self._start is None:
            # Matroska's length counts from zero, an MP4's from its first sound.
            self._start = self._end = 0.0 if self.container == "matroska" else time
        gap = time - self._end
        # An MP4 lists where its packets are, and reading on behind damage is an error.
        if self.container == "matroska" and gap > 0 and self._skipped > _BETWEEN:
            self._lost_s += min(gap, self._skipped * self._sound_s / max(1, self._sound_bytes))
        self._end = time + seconds

    @property
    def seconds(self) -> float:
        """What was read and the gaps in it, in s."""
        if self.container not in ("matroska", "mov"):  # others' times are not for all frames
            return self._sound_s
        return max(self._sound_s, self._end - (self._start or 0.0) - self._lost_s)


Floats: TypeAlias = npt.NDArray[np.float32]


CONTAINERS: Final = {
    "mov": "an MP4 or M4A file",
    "matroska": "a WebM or Matroska file",
    "asf": "a Windows Media file",
    "aac": "an AAC stream",
    "amr": "an AMR file",
}
"""FFmpeg's names of the containers that may be opened, and what to call them."""


_DECODERS: Final = frozenset(
    {
        *("aac", "aac_latm", "alac", "amrnb", "amrwb", "ac3", "eac3", "flac", "opus", "libopus"),
        *("mp3", "mp3float", "vorbis", "libvorbis", "wmav1", "wmav2", "wmapro", "wmalossless"),
        *("wmavoice", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_f32le"),
    }
)
"""FFmpeg's names of the decoders that may be used."""


_LIMITS: Final = {
    "format_whitelist": ",".join(CONTAINERS),
    "codec_whitelist": ",".join(sorted(_DECODERS)),
    "protocol_whitelist": "",
    "max_streams": "64",
}


_ATOMS: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")


_MOST_PLANES: Final = 7
"""Beyond, PyAV 18 finds no end of a frame's channels, and reads where nothing is."""


_TOLERANCE_S: Final = 0.25
"""Containers give times in coarse units, and encoders round up to whole frames."""


def container_of(head: bytes, size: int) -> str:
    r"""Recognise a container by a file's first bytes.

    Parameters
    ----------
    head : bytes
        At least the first 16 bytes, or all there are; behind an ID3v2 tag, if there is one.
    size : int
        Length of the whole file in bytes.

    Returns
    -------
    str
        A key of `CONTAINERS`, or an empty string.

    Examples
    --------
    >>> container_of(b"\0\0\0\x1cftypM4A \0\0\0\0", 20_000)
    'mov'
    >>> container_of(b"the free software song", 20_000)
    ''
    """
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"):
        return "asf"
    # Layer 0, which no MPEG audio but AAC has.
    if head[:1] == b"\xff" and head[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9"):
        return "aac"
    if head.startswith(b"#!AMR"):
        return "amr"
    if head[4:8] in _ATOMS:
        length = int.from_bytes(head[:4])
        # The word may stand in a text; the length before it may not.
        if length == 1 or 8 <= length <= size:
            return "mov"
    return ""


class ForeignSound:
    """A decoded track, read from start to end; made by `open_foreign`.

    It has of `soundfile.SoundFile` what `emotool.audio.stream.AudioStream` uses.

    Attributes
    ----------
    samplerate : int
        Samples per second (Hz).
    channels : int
        How many there are at the beginning.
    frames : int
        Unknown: more than any file has. The length that the container names is checked here.
    format : str
        The container, a key of `CONTAINERS`.
    """

    frames: Final = 1 << 62

    def __init__(self, container: "av.container.InputContainer", name: str) -> None:
        self.format = name
        self._container = container
        self._track = _best_track(container, name)
        self._promised_s = _promised_seconds(container, self._track, name)
        self._blocks = self._decoded()
        self.samplerate = 0  # until the first block is there
        first = next(self._blocks, None)
        if first is None:
            raise AudioError("open", f"{CONTAINERS[name]} without any sound")
        self.channels = first.shape[1]
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
            self._pending.append(_with_channels(block, self.channels))
            have += len(block)
        joined = np.concatenate([np.empty((0, self.channels), np.float32), *self._pending])
        self._pending = [joined[count:]] if have > count else []
        return joined[:count]

    def _decoded(self) -> Iterator[Floats]:
        """Yield what each frame holds, float32 [n, channels]; check where it ends."""
        reach = Reach(self.format)
        with _as_audio_errors("decode", "damaged"):
            for packet in self._container.demux(self._track):
                reach.read(packet)
                for frame in packet.decode():
                    self.samplerate = self.samplerate or frame.sample_rate
                    if frame.sample_rate != self.samplerate:
                        raise AudioError(
                            "decode",
                            f"the sample rate changes from {self.samplerate} "
                            f"to {frame.sample_rate} Hz on the way",
                        )
                    reach.decoded(frame.time, frame.samples / frame.sample_rate)
                    yield _floats(frame)
        seconds = reach.seconds
        if seconds < self._promised_s - _TOLERANCE_S:
            raise AudioError(
                "decode",
                f"damaged or cut off: {seconds:.1f} of {self._promised_s:.1f} s can be decoded",
            )


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
    if codec not in _DECODERS:
        raise AudioError("open", f"its sound track is {codec}, which is not decoded here")
    track.codec_context.thread_count = 1  # there is a worker for every core already
    return track


def _promised_seconds(container: "av.container.InputContainer", track: Any, name: str) -> float:
    """Return how long a container says that the track is; 0 if it does not know."""
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


def _with_channels(block: Floats, channels: int) -> Floats:
    """Return [n, other] as [n, channels] of the same mean, which is all that is used of it.

    AAC may turn stereo on the way, where its second voice is hidden in later frames.
    """
    if block.shape[1] == channels:
        return block
    mean = block.mean(axis=1, dtype=np.float32, keepdims=True)  # [n, 1]
    return np.repeat(mean, channels, axis=1)  # [n, channels]


@contextmanager
def _as_audio_errors(stage: str, what: str) -> Iterator[None]:
    """Turn what PyAV raises into `AudioError`; OSError comes of seeking to absurd places."""
    import av

    try:
        yield
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        said = f"{what}: the decoder gave up ({reason.rstrip('. ')})"
        raise AudioError(stage, said) from error


@contextmanager
def open_foreign(source: BinaryIO, name: str) -> Iterator[ForeignSound]:
    """Open the sound track of a container.

    Parameters
    ----------
    source : file-like
        The file's bytes, at their start; can be sought in.
    name : str
        The container, a key of `CONTAINERS`.

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
            f"{CONTAINERS[name]}, for which an extra is needed: "
            f"{install_command('av')} (or convert it: ffmpeg -i FILE clip.flac)",
        ) from error
    with _as_audio_errors("open", f"{CONTAINERS[name]}, but damaged"):
        container = av.open(source, "r", format=name, options=_LIMITS, metadata_errors="replace")
    with container:
        yield ForeignSound(container, name)
