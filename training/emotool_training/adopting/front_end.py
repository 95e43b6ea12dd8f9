"""Whisper's feature extractor as nodes of a graph: waveform in, scaled log-mel spectrogram out.

As nodes, its reflected ends, its 30 s and its scaling are the publisher's to the last step, and a
run treats the model as any other model of waveforms. The transform of a frame is a convolution
with sines and cosines (the short-time Fourier transform written as a matrix product).
"""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from emotool.features.mel_scale import mel_filterbank
from emotool.features.spec import SpectrogramSpec
from emotool_training.adopting.published import Extractor

__all__ = ["HIGHEST_HZ", "log_mel_nodes"]

HIGHEST_HZ = 8_000.0
"""Upper edge of the last mel band, the same for every sample rate."""

_PREFIX = "front_end_"
_FLOOR, _RANGE = 1e-10, 8.0  # least power; tens below the loudest


def log_mel_nodes(
    extractor: Extractor, waveform: str, features: str
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Write the nodes.

    Parameters
    ----------
    extractor : Extractor
        Of Whisper's kind.
    waveform : str
        Name of the input, float32 [batch, samples].
    features : str
        Name of the output, float32 [batch, mel bands, samples / hop length].

    Returns
    -------
    list of onnx.NodeProto
        In order.
    list of onnx.TensorProto
        Their weights.
    """
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def weight(name: str, value: object, kind: type = np.float32) -> str:
        weights.append(numpy_helper.from_array(np.asarray(value, kind), _PREFIX + name))
        return _PREFIX + name

    def node(operator: str, name: str, *inputs: str, **attributes: Any) -> str:
        output = name if name == features else _PREFIX + name
        nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    half, frames = extractor.n_fft // 2, _frames(extractor)
    pads = weight("pads", [0, half, 0, half], np.int64)
    padded = node("Pad", "padded", waveform, pads, mode="reflect")
    row = node("Unsqueeze", "row", padded, weight("axis", [1], np.int64))
    waves = weight("waves", _waves(extractor.n_fft))
    parts = node("Conv", "parts", row, waves, strides=[extractor.hop_length])
    ends = [weight(f"end_{number}", [number], np.int64) for number in (0, frames, 2)]
    parts = node("Slice", "kept", parts, *ends)  # [batch, 2 * bins, frames]
    squares = node("Mul", "squares", parts, parts)
    power = node("MatMul", "power", weight("bands", _bands(extractor)), squares)
    floored = node("Max", "floored", power, weight("floor", _FLOOR))
    tens = node("Mul", "tens", node("Log", "log", floored), weight("per_ten", 1 / np.log(10)))
    loudest = node("ReduceMax", "loudest", tens, axes=[1, 2], keepdims=1)
    least = node("Sub", "least", loudest, weight("range", _RANGE))
    limited = node("Max", "limited", tens, least)
    shifted = node("Add", "shifted", limited, weight("shift", 4.0))
    node("Div", features, shifted, weight("scale", 4.0))
    return nodes, weights


def _frames(extractor: Extractor) -> int:
    """Count the frames: one for each hop, the last one left out."""
    return extractor.seconds * extractor.sample_rate // extractor.hop_length


def _waves(n_fft: int) -> np.ndarray:
    """Return windowed cosines and sines, float32 [2 * bins, 1, n_fft]."""
    samples = np.arange(n_fft)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * samples / n_fft)
    angles = 2 * np.pi * np.outer(np.arange(1 + n_fft // 2), samples) / n_fft  # [bins, n_fft]
    waves = np.concatenate([np.cos(angles), np.sin(angles)]) * window
    return waves[:, None].astype(np.float32)


def _bands(extractor: Extractor) -> np.ndarray:
    """Return the mel filters for squares of real and imaginary parts, float32 [mels, 2 * bins]."""
    spec = SpectrogramSpec(
        sample_rate=extractor.sample_rate,
        window_seconds=extractor.seconds,
        n_fft=extractor.n_fft,
        hop_length=extractor.hop_length,
        n_mels=extractor.mel_bands,
        f_max=HIGHEST_HZ,
    )
    filters = mel_filterbank(spec)
    return np.concatenate([filters, filters], axis=1)
