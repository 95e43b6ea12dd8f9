"""One long recording, window by window: pace, memory, and whether times are exact.

    python benchmarks/long_recording.py [--minutes 60] [--format wav] [--model cnn]

The recording is synthesised: 48 kHz, stereo, 16 bits, a voice-like sound in noise with pauses of
known places, and a number of samples that three does not divide, so that it has no whole number
of samples at the model's 16 kHz. It is labelled with ``--segments`` by the command as a user
would call it. The times that it writes are compared with where the windows must be, in samples
of the recording.
"""

import argparse
import csv
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed import checkout_command, code, machine  # noqa: E402
from benchmarks.speed_process import CommandFailedError, measure  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "long_recording"

_RATE = 48_000
_WINDOW = 3 * _RATE  # samples
_MORE = 2 * _RATE + 1  # samples beyond whole minutes
_PAUSES = (4, 13)  # windows of each minute in which nothing is heard
_LEAST_PACE, _MOST_MIB = 300, 400  # the targets


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and keep the figures; return the exit code."""
    options = _parser().parse_args(arguments)
    name = f"long-{options.minutes}.{options.format}"
    recording = (options.folder / name).resolve()
    if not recording.is_file():
        synthesise(recording, options.minutes)
    table = recording.with_name("long.csv")
    command = [*checkout_command(), "classify", str(recording), "-m", options.model, "--segments"]
    figures = []
    try:
        for number in range(options.repeat):
            done = measure([*command, "--quiet", "-o", str(table)], watch=True)
            figures.append({"wall_s": done.wall_s, "cpu_s": done.cpu_s, "mib": done.peak_mib})
            print(f"{number + 1}/{options.repeat}: {figures[-1]}", file=sys.stderr)
    except CommandFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    off = misplaced(table, options.minutes)
    about = {**machine(), "model": options.model, "minutes": options.minutes}
    about |= {"file": name, "code": code()}
    text = _text(about, figures, off)
    print(text)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    kept = json.dumps({"conditions": about, "misplaced": off, "rounds": figures}, indent=1) + "\n"
    for suffix, content in ((".json", kept), (".md", text)):
        with atomic_write(options.output.with_suffix(suffix), text=True) as handle:
            handle.write(content)
    return 1 if off["times"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--format", choices=("wav", "flac"), default="wav")
    parser.add_argument("--model", default="cnn", help="one whose windows are 3 s long")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser


def synthesise(path: Path, minutes: int) -> None:
    """Write a recording of so many minutes and a little more.

    Parameters
    ----------
    path : Path
        Its suffix chooses the format.
    minutes : int
        At least 1.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    time = np.arange(60 * _RATE) / _RATE  # [n] s
    phase = 2 * np.pi * np.cumsum(150 * (1 + 0.2 * np.sin(2 * np.pi * 0.3 * time))) / _RATE
    voice = np.sum([np.sin(k * phase) / k for k in range(1, 17)], axis=0)
    voice *= 0.1 * np.clip(np.sin(2 * np.pi * 3 * time), 0, 1)  # syllables
    growing = path.with_name(f"growing-{path.name}")
    with soundfile.SoundFile(growing, "w", _RATE, 2, "PCM_16") as file:
        for minute in range(minutes + 1):
            length = time.size if minute < minutes else _MORE
            sound = voice[:length, None] + 0.003 * draw.standard_normal((length, 2))  # [n, 2]
            for window in _PAUSES:
                # A little wider, since resampling lets what is beside them ring in them.
                sound[window * _WINDOW - _RATE // 20 : (window + 1) * _WINDOW + _RATE // 20] = 0
            file.write(sound.astype(np.float32))
    growing.replace(path)


def misplaced(table: Path, minutes: int) -> dict[str, Any]:
    """Compare the times of a table of segments with where windows must be.

    Parameters
    ----------
    table : Path
        As ``emotool classify --segments`` has written it.
    minutes : int
        As for `synthesise`.

    Returns
    -------
    dict
        How many ``rows`` there are, how many ``times`` are wrong by a hundredth of a sample at
        48 kHz or more besides rounding to a microsecond, and the ``largest`` difference in
        samples.
    """
    length = 60 * minutes * _RATE + _MORE
    windows = [n for n in range(20 * minutes + 1) if n % 20 not in _PAUSES]
    expected = [(n * _WINDOW, min((n + 1) * _WINDOW, length)) for n in windows]
    with table.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    if len(rows) != len(expected):
        raise SystemExit(f"error: {len(rows)} rows, where {len(expected)} windows have sound")
    told = [(float(row["start_s"]) * _RATE, float(row["end_s"]) * _RATE) for row in rows]
    differences = np.abs(np.array(told) - np.array(expected))  # [rows, 2] samples
    rounding = 0.5e-6 * _RATE
    return {
        "rows": len(rows),
        "times": int((differences > rounding + 0.01).sum()),
        "largest": float(differences.max()),
    }


def _text(about: dict[str, Any], figures: Sequence[dict[str, float]], off: dict[str, Any]) -> str:
    wall, cpu = (statistics.median(one[key] for one in figures) for key in ("wall_s", "cpu_s"))
    memory = max(one["mib"] for one in figures)
    pace = 60 * about["minutes"] / wall

    def met(is_met: bool) -> str:
        return "met" if is_met else "missed"

    return (
        f"{about['processor']}, {about['cores']} cores, Python {about['python']}; "
        f"{about['minutes']} minutes of 48 kHz stereo, {Path(about['file']).suffix[1:].upper()}, "
        f"`{about['model']}`, `--segments`; median of {len(figures)}.\n\n"
        "| | | target |\n|---|---|---|\n"
        f"| wall time, start-up included | {wall:.1f} s | |\n"
        f"| times real time | {pace:,.0f} | {_LEAST_PACE}: {met(pace >= _LEAST_PACE)} |\n"
        f"| processor time | {cpu:.1f} s | |\n"
        f"| peak memory of all processes (PSS) | {memory:.0f} MiB | {_MOST_MIB} MiB: "
        f"{met(memory <= _MOST_MIB)} |\n"
        f"| rows; times that are not where the window is | {off['rows']:,}; {off['times']} "
        f"(largest difference {off['largest']:.3f} samples) | none: {met(not off['times'])} |\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
