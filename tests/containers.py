"""Small files in the containers that phones and browsers record, made by PyAV itself."""

import importlib.util
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

__all__ = ["KINDS", "NEEDS_AV", "Kind", "amr_bytes", "encode", "sources"]

NEEDS_AV = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="needs PyAV (extra av), which is not installed"
)


@dataclass(frozen=True)
class Kind:
    """A container with sound in it.

    Parameters
    ----------
    suffix : str
        Without the dot.
    muxer, encoder : str
        FFmpeg's names.
    rate : int
        Sample rate in Hz.
    layout : str
        ``mono`` or ``stereo``.
    options : dict
        For the muxer.
    loss : float
        How far the level of a tone may be off, as a share.
    """

    suffix: str
    muxer: str
    encoder: str
    rate: int = 16_000
    layout: str = "mono"
    options: dict[str, str] = field(default_factory=dict)
    loss: float = 0.1


_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}

KINDS: dict[str, Kind] = {
    "m4a": Kind("m4a", "ipod", "aac"),
    "stereo m4a": Kind("m4a", "ipod", "aac", 44_100, "stereo"),
    "m4a with its index first": Kind("m4a", "ipod", "aac", options={"movflags": "faststart"}),
    "mp4 in fragments": Kind("mp4", "mp4", "aac", options=_FRAGMENTS),
    "lossless m4a": Kind("m4a", "ipod", "alac", loss=0.01),
    "3gp": Kind("3gp", "3gp", "aac"),
    "QuickTime": Kind("qta", "mov", "pcm_s16be", loss=0.01),
    "AAC": Kind("aac", "adts", "aac"),
    "webm": Kind("webm", "webm", "libopus", 48_000),
    "webm as a browser records it": Kind("webm", "webm", "libopus", 48_000, options={"live": "1"}),
    "Matroska": Kind("mka", "matroska", "aac", 44_100, "stereo"),
    "Matroska of 24 bits": Kind("mka", "matroska", "pcm_s24le", loss=0.01),
    "Matroska of floats": Kind("mka", "matroska", "pcm_f32le", loss=0.01),
    "wma": Kind("wma", "asf", "wmav2", 44_100, "stereo"),
}
"""By what people would call them."""


def encode(kind: Kind, samples: npt.NDArray[np.float32]) -> bytes:
    """Return float32 [n] or [channels, n] at ``kind.rate`` as a file's bytes; one is made two."""
    import av

    channels = {"mono": 1, "stereo": 2}[kind.layout]
    planes = np.ascontiguousarray(np.broadcast_to(samples, (channels, samples.shape[-1])))
    # Not into memory: an index can be put first only where a file can be opened again.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"sound.{kind.suffix}"
        with av.open(str(path), "w", format=kind.muxer, options=kind.options) as container:
            track = container.add_stream(kind.encoder, rate=kind.rate, layout=kind.layout)
            if kind.encoder in ("aac", "libopus", "wmav2"):
                track.bit_rate = 96_000
            context = track.codec_context
            container.start_encoding()
            frame = av.AudioFrame.from_ndarray(planes, "fltp", kind.layout)
            frame.sample_rate = kind.rate
            size = context.frame_size or None
            cutter = av.AudioResampler(context.format, kind.layout, kind.rate, size)
            for piece in (*cutter.resample(frame), *cutter.resample(None), None):
                for packet in track.encode(piece):
                    container.mux(packet)
        return path.read_bytes()


def amr_bytes(seconds: float = 1.0) -> bytes:
    """Return an AMR file of noise: no wheel holds an encoder, but any bits are some sound."""
    draw = np.random.default_rng(0)
    frames = [b"\x3c" + draw.bytes(31) for _ in range(round(seconds * 50))]  # 12.2 kbit/s
    return b"#!AMR\n" + b"".join(frames)


def sources() -> Iterator[tuple[str, bytes]]:
    """Yield a suffix and a small file's bytes of every kind."""
    for number, kind in enumerate(KINDS.values()):
        time = np.arange(round(0.3 * kind.rate)) / kind.rate  # [n] s
        tone = 0.5 * np.sin(2 * np.pi * (200 + 50 * number) * time)  # [n]
        yield kind.suffix, encode(kind, tone.astype(np.float32))
    yield "amr", amr_bytes(0.3)
