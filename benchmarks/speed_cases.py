"""What is measured: emotool with each model, the peers, the kernels, start-up."""

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed_clips import Clip
from benchmarks.speed_limit import KERNEL_NAMES, Setting, best_setting, kernel_rate
from benchmarks.speed_process import ROOT, measure

__all__ = ["Bench", "Case", "all_cases"]

Figures = dict[str, Any]

# How many clips the peers get: the slow ones a part, spread evenly over the folder.
_COUNTS = {"notebook": 200, "audonnx": 800, "opensmile": 200, "opensmile-2": 200, "wav2vec2": 40}
_RESNET_COUNTS = {"notebook": 60, "batched": 256}
_STARTS = 5  # of each command of the start-up table, in each round


@dataclass(frozen=True)
class Bench:
    """What all measurements share.

    Parameters
    ----------
    folder : Path
        For clips and measurements.
    clips : sequence of Clip
        What is labelled.
    models : sequence of str
        Names or files.
    emotool : sequence of str
        The command.
    peers_python : str
        An interpreter that has the peers, or "".
    """

    folder: Path
    clips: Sequence[Clip]
    models: Sequence[str]
    emotool: Sequence[str]
    peers_python: str

    @property
    def python(self) -> str:
        """The Python that runs emotool."""
        program = Path(self.emotool[0])
        return str(program if program.stem.startswith("python") else program.with_name("python"))

    @property
    def listed(self) -> Path:
        """The file that lists the clips."""
        return self.folder / f"clips-{len(self.clips)}.json"


@dataclass(frozen=True)
class Case:
    """One thing to be measured, once in each round.

    Parameters
    ----------
    name : str
        Distinct.
    measure : callable
        Takes the number of the round, from 0, and what the first round found; returns figures.
    """

    name: str
    measure: Callable[[int, Figures], Figures]


def all_cases(bench: Bench) -> list[Case]:
    """List everything there is to measure, in the order of measuring."""
    cases = [Case("start", lambda round_, first: _start(bench))]
    for model in bench.models:
        name = Path(model).stem
        cases.append(Case(f"emotool {name}", _emotool(bench, model)))
        cases += [
            Case(f"kernel {name} {kernel}", _kernel(bench, model, kernel))
            for kernel in KERNEL_NAMES
        ]
    cases += [_peer(bench, kind, "cnn") for kind in ("notebook", "batched")]
    cases += [_peer(bench, kind, "resnet50") for kind in ("notebook", "batched")]
    # Its spectrogram is written here, with the windows that all models but Whisper's take.
    cases += [_peer(bench, "audonnx", model) for model in bench.models if "whisper" not in model]
    cases += [_peer(bench, kind, "") for kind in ("opensmile", "opensmile-2", "wav2vec2")]
    return cases


def _emotool(bench: Bench, model: str) -> Callable[[int, Figures], Figures]:
    def work(round_: int, first: Figures) -> Figures:
        sounds = Path(bench.clips[0].path).parent
        one = _classify(bench, [bench.clips[0].path], model)
        many = _classify(bench, [str(sounds)], model)
        count = len(bench.clips)
        # Memory hardly varies, so it is looked at in one run of its own, which is not timed.
        peak = first.get("peak_mib") or _classify(bench, [str(sounds)], model, watch=True).peak_mib
        return {
            "clips": count,
            "clips_s": (count - 1) / (many.wall_s - one.wall_s),
            "whole_clips_s": count / many.wall_s,
            "cpu_s_1000": 1000 * (many.cpu_s - one.cpu_s) / (count - 1),
            "start_s": one.wall_s,
            "peak_mib": peak,
        }

    return work


def _classify(bench: Bench, paths: Sequence[str], model: str, *, watch: bool = False) -> Any:
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "labels.csv"
        command = [*bench.emotool, "classify", *paths, "-m", model, "-o", str(target), "-q"]
        done = measure(command, cwd=Path(name), watch=watch)
        if not target.read_text(encoding="utf-8").count(",ok,"):
            raise SystemExit(f"error: {model} has labelled nothing")
        return done


def _kernel(bench: Bench, model: str, kernel: str) -> Callable[[int, Figures], Figures]:
    def work(round_: int, first: Figures) -> Figures:
        setting = None
        if kernel == "network":
            chosen = first.get("setting")
            setting = Setting(*chosen) if chosen else best_setting(model, bench.listed)
        rate = kernel_rate(kernel, model, bench.listed, setting)
        return {
            "clips_s": rate or None,
            "setting": [setting.batch, setting.threads] if setting else None,
        }

    return work


def _peer(bench: Bench, kind: str, network: str) -> Case:
    counts = _COUNTS | (_RESNET_COUNTS if network == "resnet50" else {})
    count = min(counts.get(kind, len(bench.clips)), len(bench.clips))
    if kind == "audonnx" and Path(network).stem.startswith("resnet"):
        count = min(count, 256)

    def work(round_: int, first: Figures) -> Figures:
        if "absent" in first:
            return first
        if not bench.peers_python:
            return {"absent": "no --peers-python given"}
        command = [bench.peers_python, str(ROOT / "benchmarks" / "speed_peers.py"), kind]
        command += ["--clips", str(bench.listed), "--count", str(count)]
        command += ["--network", _file_of(network) if kind == "audonnx" else network or "none"]
        began = time.time()
        done = measure(command, watch=round_ == 0)
        said = json.loads(done.stdout.strip().splitlines()[-1])
        if "absent" in said:
            return dict(said)
        return {
            "clips": said["clips"],
            "clips_s": said["clips"] / said["wall_s"],
            "cpu_s_1000": 1000 * said["cpu_s"] / said["clips"],
            "start_s": said["first_done"] - began,
            "peak_mib": first.get("peak_mib") or done.peak_mib,
        }

    return Case(f"peer {kind} {Path(network).stem}".strip(), work)


def _file_of(model: str) -> str:
    from emotool.model.catalog import find_model

    return str(find_model(model))


def _start(bench: Bench) -> Figures:
    """Time what does nearly nothing, several times in turns; return medians (s)."""
    wav = _one_wav(bench)
    with tempfile.TemporaryDirectory() as name:
        labels = str(Path(name) / "labels.csv")
        commands = {
            "python -c pass": [bench.python, "-c", "pass"],
            "import typer": [bench.python, "-c", "import typer"],
            "--version": [*bench.emotool, "--version"],
            "--help": [*bench.emotool, "--help"],
        }
        for model in bench.models:
            command = [*bench.emotool, "classify", wav, "-m", model, "-o", labels, "-q"]
            commands[f"classify {Path(model).stem}"] = command
        times: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(_STARTS):
            for what, command in commands.items():
                times[what].append(measure(command, cwd=Path(name)).wall_s)
    return {what: sorted(found)[len(found) // 2] for what, found in times.items()}


def _one_wav(bench: Bench) -> str:
    """Return a WAV of the folder's first clip."""
    import soundfile

    target = bench.folder / "one.wav"
    if not target.is_file():
        samples, rate = soundfile.read(bench.clips[0].path, dtype="int16")
        soundfile.write(target, samples, rate)
    return str(target)
