"""The self-check: models, devices, decoders and extras, each tried."""

import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from emotool.cores import usable_cores
from emotool.errors import EmotoolError, install_command
from emotool.model.catalog import DEFAULT_MODEL, list_models
from emotool.model.classifier import load_classifier
from emotool.model.metadata import golden_input
from emotool.version import __version__

__all__ = ["Check", "Status", "examine"]

Status = Literal["ok", "broken", "absent"]

_PACKAGES = ("numpy", "onnxruntime", "pydantic", "rich", "soundfile", "soxr", "typer")
_DEVICES = {"CPUExecutionProvider": "cpu", "CUDAExecutionProvider": "cuda"}
_NEEDED = {"WAV", "FLAC", "OGG", "MP3", "AIFF", "OPUS"}
_SKIPPED = {"RAW"}  # has no header: its format is unknown
_RATES = (16_000, 8_000, 44_100)  # some formats allow one only
_BATCH = 8
# What may come of anything that is tried. ImportError is also of libraries that cannot be loaded.
_FAULTS = (EmotoolError, ImportError, RuntimeError, ValueError, TypeError, OSError)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was tried.

    Parameters
    ----------
    group : str
        What it belongs to: ``versions``, ``machine``, ``models``, ``devices``, ``decoders`` or
        ``extras``.
    name : str
        What was tried.
    status : {"ok", "broken", "absent"}
        ``broken`` is what a user needs and does not get; ``absent`` what is optional and not there.
    detail : str
        What was found, or what to do.
    """

    group: str
    name: str
    status: Status
    detail: str


def examine() -> Iterator[Check]:
    """Try everything, one after the other.

    Yields
    ------
    Check
        As soon as it is known; errors of what is tried become ``broken`` checks.
    """
    for part in (_versions, _machine, _models, _devices, _decoders, _extras):
        yield from part()


def _versions() -> Iterator[Check]:
    yield Check("versions", "emotool", "ok", __version__)
    yield Check("versions", "python", "ok", f"{platform.python_version()} on {platform.platform()}")
    for package in _PACKAGES:
        version = _installed(package)
        if version is None and package == "onnxruntime":
            version = _installed("onnxruntime-gpu")
        if version is None:
            yield Check("versions", package, "broken", f"not installed: pip install {package}")
        else:
            yield Check("versions", package, "ok", version)


def _machine() -> Iterator[Check]:
    yield Check("machine", "cores", "ok", f"{usable_cores()} of {os.cpu_count()} usable")
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        yield Check("machine", "memory", "ok", f"{size / 2**30:.1f} GiB")


def _models() -> Iterator[Check]:
    """Load every model, which checks its metadata, its shapes and its reference output."""
    models = list_models()
    if DEFAULT_MODEL not in {entry.name for entry in models}:
        yield Check(
            "models", DEFAULT_MODEL, "broken", "the default model is missing: reinstall emotool"
        )
    for entry in models:
        yield _tried("models", entry.name, partial(_load, entry.path))


def _load(path: Path) -> str:
    classifier = load_classifier(path, "cpu")
    kind, given = "labels", classifier.labels
    if not given:
        kind, given = "dimensions", classifier.dimensions
    return f"reproduces its reference output; {kind} {', '.join(given)}"


def _devices() -> Iterator[Check]:
    try:
        import onnxruntime
    except _FAULTS as error:
        yield Check("devices", "onnxruntime", "broken", _first_line(error))
        return
    for provider in onnxruntime.get_available_providers():
        if provider in _DEVICES:
            device = _DEVICES[provider]
            yield _tried("devices", device, partial(_infer, device))
        else:
            yield Check("devices", provider, "absent", "available, not used by emotool")


def _infer(device: str) -> str:
    import numpy as np

    classifier = load_classifier(DEFAULT_MODEL, device)
    spec = classifier.spec
    batch = np.repeat(golden_input(0, spec), _BATCH, axis=0)  # [batch, n_mels, frames]
    classifier.predict(batch)  # the first batch is slower: memory, kernels
    began = time.perf_counter()
    classifier.predict(batch)
    milliseconds = 1000 * (time.perf_counter() - began) / _BATCH
    return f"{milliseconds:.1f} ms for a window of {spec.window_seconds:g} s with {DEFAULT_MODEL}"


def _decoders() -> Iterator[Check]:
    """Write a tone in each format that can be written or is needed, and read it back."""
    try:
        import soundfile
    except _FAULTS as error:
        yield Check("decoders", "soundfile", "broken", _first_line(error))
        return
    names = sorted({*soundfile.available_formats(), *_NEEDED})
    formats = dict.fromkeys(names, "") | {"OPUS": "OPUS"}
    with tempfile.TemporaryDirectory() as folder:
        for name, subtype in formats.items():
            if name in _SKIPPED:
                continue
            path = Path(folder) / f"tone.{name.lower()}"
            needed: Status = "broken" if name in _NEEDED else "absent"
            trial = partial(_round_trip, path, name, subtype)
            yield _tried("decoders", name, trial, otherwise=needed)
        for path, muxer, encoder in (
            (Path(folder) / "tone.m4a", "ipod", "aac"),
            (Path(folder) / "tone.webm", "webm", "libopus"),
            (Path(folder) / "tone.wma", "asf", "wmav2"),
        ):
            name = path.suffix[1:].upper()
            if _installed("av") is None:
                yield Check("decoders", name, "absent", install_command("av"))
            else:
                yield _tried("decoders", name, partial(_container_trip, path, muxer, encoder))


def _round_trip(path: Path, name: str, subtype: str) -> str:
    import numpy as np
    import soundfile

    failure: Exception = ValueError("cannot be written")
    for rate in _RATES:
        tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)  # [samples], 1 s
        try:
            container = "OGG" if name == "OPUS" else name
            soundfile.write(path, tone, rate, subtype or None, format=container)
            _check_tone(path, rate)
        except (EmotoolError, RuntimeError, ValueError, TypeError) as error:
            failure = error  # some formats take one sample rate only: the next may do
        else:
            return f"read back at {rate} Hz"
    raise failure


def _container_trip(path: Path, muxer: str, encoder: str) -> str:
    import av
    import numpy as np

    rate = 48_000  # which Opus and all the others take
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)  # [samples], 1 s
    with av.open(str(path), "w", format=muxer) as container:
        track: Any = container.add_stream(encoder, rate=rate, layout="mono", bit_rate=96_000)
        container.start_encoding()
        frame = av.AudioFrame.from_ndarray(tone.astype(np.float32)[None], "fltp", "mono")
        frame.sample_rate = rate
        context = track.codec_context
        cutter = av.AudioResampler(context.format, "mono", rate, context.frame_size)
        for piece in (*cutter.resample(frame), *cutter.resample(None), None):
            container.mux(track.encode(piece))
    _check_tone(path, rate)
    return f"read back at {rate} Hz"


def _check_tone(path: Path, rate: int) -> None:
    """Raise ValueError if a second of a tone is not what comes back."""
    import numpy as np

    from emotool.audio.reader import read_audio  # needs what may be broken

    sound = read_audio(path, rate)
    loudness = float(np.sqrt(np.mean(sound.samples**2)))
    if abs(sound.duration_s - 1) > 0.1 or abs(loudness - 0.354) > 0.05:
        raise ValueError(f"a tone came back as {sound.duration_s:.2f} s, RMS {loudness:.2f}")


def _extras() -> Iterator[Check]:
    try:
        needs = metadata.requires("emotool") or []
    except metadata.PackageNotFoundError:
        yield Check("extras", "emotool", "absent", "runs from a folder, not installed by pip")
        return
    extras: dict[str, list[str]] = {}
    for need in needs:
        if marked := re.search(r"""extra == ['"]([\w-]+)['"]""", need):
            package = re.split(r"[^\w.-]", need)[0]
            extras.setdefault(marked[1], []).append(package)
    for extra, packages in extras.items():
        missing = [package for package in packages if _installed(package) is None]
        if missing:
            yield Check("extras", extra, "absent", install_command(*missing))
        else:
            yield Check("extras", extra, "ok", ", ".join(packages))


def _tried(
    group: str, name: str, action: Callable[[], str], *, otherwise: Status = "broken"
) -> Check:
    try:
        return Check(group, name, "ok", action())
    except _FAULTS as error:
        return Check(group, name, otherwise, _first_line(error))


def _first_line(error: Exception) -> str:
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0]


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
