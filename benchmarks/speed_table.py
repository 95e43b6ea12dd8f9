"""Tables of what `speed.py` has measured, and whether it is what was asked for."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.speed_limit import KERNEL_NAMES, limit

__all__ = ["tables"]

Rounds = Mapping[str, Sequence[Mapping[str, Any]]]

_PEERS = {
    "peer notebook cnn": "(a) librosa and Keras, file by file, `cnn`'s network",
    "peer batched cnn": "(b) the same, batches of 32",
    "peer notebook resnet50": "(a) librosa and Keras, file by file, ResNet50",
    "peer batched resnet50": "(b) the same, batches of 32",
    "peer opensmile": "(d) openSMILE eGeMAPS, no network",
    "peer opensmile-2": "(d) the same, two workers",
    "peer wav2vec2": "(e) transformers, wav2vec2-base's size",
}
# Model, peer, and how many times its clips/s are wanted.
_WANTED = (
    ("cnn", "peer notebook cnn", 30.0),
    ("cnn", "peer batched cnn", 3.5),
    ("cnn", "peer opensmile", 8.0),
    ("cnn", "peer audonnx cnn", 5.0),
    ("resnet_ft", "peer notebook resnet50", 12.0),
    ("resnet_ft", "peer batched resnet50", 3.0),
    ("resnet_ft", "peer wav2vec2", 30.0),
    ("whisper", "peer wav2vec2", 40.0),
    ("whisper", "emotool resnet_ft", 0.8),
)
_EFFICIENCY = {"cnn": 0.85, "resnet_ft": 0.9}
_MOST_MIB = 600


def tables(rounds: Rounds, conditions: Mapping[str, Any], seconds: Sequence[float]) -> str:
    """Write everything as Markdown.

    Parameters
    ----------
    rounds : mapping
        By case, the figures of each round.
    conditions : mapping
        What was measured, and where.
    seconds : sequence of float
        Lengths of the clips.
    """
    models = [name for name in conditions["models"] if rounds.get(f"emotool {name}")]
    mean = statistics.mean(seconds)
    parts = [
        f"{conditions['processor']}, {conditions['cores']} cores, Python {conditions['python']}; "
        f"{len(seconds):,} clips of {mean:.2f} s on average, {len(seconds) / 60 * mean:.0f} "
        f"minutes; medians of {conditions['repeat']}; emotool: {conditions['emotool']}. Clips/s "
        "and processor time are after start-up, which is the time until one clip is done. Memory "
        "is the sum of all processes' proportional shares (PSS).",
        _table(_rates(rounds, models, mean)),
        _table(_efficiency(rounds, models)),
        _table(_starts(rounds)),
        _table(_wanted(rounds, models)),
    ]
    return "\n".join(part for part in parts if part)


def _median(rounds: Rounds, case: str, figure: str) -> float | None:
    found = [one[figure] for one in rounds.get(case, ()) if one.get(figure) is not None]
    return statistics.median(found) if found else None


def _rates(rounds: Rounds, models: Sequence[str], mean: float) -> Iterable[Sequence[str]]:
    yield (
        *("", "clips", "clips/s", "with start-up", "times real time", "CPU s per 1,000 clips"),
        *("peak memory, MiB", "start-up, s"),
    )
    names = {f"emotool {model}": f"**emotool `{model}`**" for model in models} | _PEERS
    names |= {f"peer audonnx {m}": f"(c) audonnx and librosa, our `{m}.onnx`" for m in models}
    for case, shown in sorted(names.items(), key=lambda item: ("**" not in item[1], item[1])):
        done = rounds.get(case, ())
        if done and "absent" in done[0]:
            yield (shown, f"absent: {done[0]['absent']}", *[""] * 6)
        elif done:
            rate = _median(rounds, case, "clips_s")
            yield (
                shown,
                _number(done[0]["clips"], ",.0f"),
                _number(rate, ",.1f"),
                _number(_median(rounds, case, "whole_clips_s"), ",.1f"),
                _number(None if rate is None else rate * mean, ",.0f"),
                _number(_median(rounds, case, "cpu_s_1000"), ",.2f"),
                _number(_median(rounds, case, "peak_mib"), ",.0f"),
                _number(_median(rounds, case, "start_s"), ".2f"),
            )


def _kernels(rounds: Rounds, model: str) -> dict[str, float]:
    rates = {k: _median(rounds, f"kernel {model} {k}", "clips_s") for k in KERNEL_NAMES}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _efficiencies(rounds: Rounds, models: Sequence[str]) -> dict[str, float]:
    found = {}
    for model in models:
        kernels = _kernels(rounds, model)
        rate = _median(rounds, f"emotool {model}", "clips_s")
        measured = all(f"kernel {model} {name}" in rounds for name in KERNEL_NAMES)
        if measured and rate is not None:
            found[model] = rate / limit(kernels)
    return found


def _efficiency(rounds: Rounds, models: Sequence[str]) -> Iterable[Sequence[str]]:
    yield (
        *("bare kernels, clips/s", *KERNEL_NAMES, "network's batch, threads"),
        *("limit 1/Σ(1/r)", "emotool", "efficiency"),
    )
    for model, efficiency in _efficiencies(rounds, models).items():
        kernels = _kernels(rounds, model)
        setting = rounds[f"kernel {model} network"][0]["setting"]
        yield (
            f"`{model}`",
            *(format(kernels[k], ",.0f") if k in kernels else "none" for k in KERNEL_NAMES),
            "{}, {}".format(*setting),
            _number(limit(kernels), ",.0f"),
            _number(efficiency * limit(kernels), ",.0f"),
            f"{efficiency:.2f}",
        )


def _starts(rounds: Rounds) -> Iterable[Sequence[str]]:
    done = rounds.get("start", ())
    yield ("start-up, one WAV, ms", *(done[0] if done else ()))
    if done:
        times = (_median(rounds, "start", what) for what in done[0])
        yield ("", *(_number(1000 * time if time else None, ".0f") for time in times))


def _wanted(rounds: Rounds, models: Sequence[str]) -> Iterable[Sequence[str]]:
    yield "", "measured", "target"
    for model, peer, wanted in _WANTED:
        ours, theirs = (_median(rounds, c, "clips_s") for c in (f"emotool {model}", peer))
        if ours and theirs:
            yield f"`{model}` over {_name_of(peer)}", f"{ours / theirs:.3g}", f"{wanted:g}"
    for model, efficiency in _efficiencies(rounds, models).items():
        if model in _EFFICIENCY:
            yield f"efficiency of `{model}`", f"{efficiency:.2f}", f"{_EFFICIENCY[model]:g}"
    peak = _median(rounds, "emotool cnn", "peak_mib")
    if peak:
        yield "memory with `cnn`, MiB", f"{peak:.0f}", f"at most {_MOST_MIB}"


def _name_of(case: str) -> str:
    if case.startswith("emotool "):
        return f"`{case.removeprefix('emotool ')}`"
    return _PEERS.get(case, "(c)")


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def _table(lines: Iterable[Sequence[str]]) -> str:
    """Write lines as a Markdown table, the first being the header; nothing if it is alone."""
    rows = list(lines)
    if len(rows) < 2:
        return ""
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)
