"""Speed of emotool beside its peers and the machine's limit: one command, one table.

    python benchmarks/speed.py --peers-python PATH [--models cnn resnet_ft] [--emotool PATH]

Everything is measured in turns on one folder of 2,000 clips (copies from the corpus, or
synthesised where there is none), five times; the table has medians. Each measurement is kept at
once, so an interrupted run goes on where it was (``--minutes`` interrupts it). Only measurements
of the same code, models and machine are put together.

The peers need an environment of their own: ``python -m venv PEERS`` and
``PEERS/bin/pip install -r benchmarks/peers.txt``. Without it they are listed as absent.
``--emotool`` names an installed ``emotool`` (from a wheel, as users have it); without it the
checkout is measured. Commands run without OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE, which
environments for tests set and which slow numpy.
"""

import argparse
import hashlib
import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.speed_cases import Bench, all_cases  # noqa: E402
from benchmarks.speed_clips import make_clips  # noqa: E402
from benchmarks.speed_process import CommandFailedError  # noqa: E402
from benchmarks.speed_table import tables  # noqa: E402
from emotool.cores import usable_cores  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402
from emotool.model.catalog import find_model, list_models  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "speed"

Rounds = dict[str, list[dict[str, Any]]]  # by case, the figures of each round


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is missing and print the tables; return the exit code."""
    options = _parser().parse_args(arguments)
    models = options.models or [entry.name for entry in list_models()]
    clips = make_clips(options.folder, options.clips)
    emotool = [options.emotool] if options.emotool else checkout_command()
    bench = Bench(options.folder, clips, models, emotool, options.peers_python)
    conditions = _conditions(bench, options)
    kept = options.folder / "measurements.json"
    rounds = {} if options.restart else _read(kept, conditions)
    try:
        complete = _measure(bench, options, rounds, lambda: _write(kept, conditions, rounds))
    except CommandFailedError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    conditions["repeat"] = min(len(done) for done in rounds.values() if done)
    text = tables(rounds, conditions, [clip.seconds for clip in clips])
    print(text)
    if complete:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        _write(options.output.with_suffix(".json"), conditions, rounds)
        with atomic_write(options.output.with_suffix(".md"), text=True) as handle:
            handle.write(text)
    return 0


def checkout_command() -> list[str]:
    """Return the command that runs this checkout's emotool, installed or not."""
    first = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
    return [sys.executable, "-c", f"{first}; from emotool.__main__ import main; main()"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", help="names or files (default: all exported)")
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--emotool", default="", metavar="PATH", help="an installed emotool")
    parser.add_argument("--peers-python", default="", metavar="PATH")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name begins so")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="then stop for now")
    parser.add_argument("--restart", action="store_true", help="forget earlier measurements")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    parser.add_argument("--output", type=Path, default=RESULTS)
    return parser


def _measure(bench: Bench, options: argparse.Namespace, rounds: Rounds, keep: Any) -> bool:
    """Measure what is missing, round by round; say whether everything is there."""
    until = time.monotonic() + 60 * options.minutes
    cases = all_cases(bench)
    for number in range(options.repeat):
        for case in cases:
            done = rounds.setdefault(case.name, [])
            if len(done) > number or not case.name.startswith(options.only):
                continue
            if time.monotonic() > until:
                return False
            figures = case.measure(number, done[0] if done else {})
            done.append(figures)
            keep()
            shown = {name: _short(value) for name, value in figures.items()}
            print(f"{number + 1}/{options.repeat} {case.name}: {shown}", file=sys.stderr)
    return all(len(rounds[case.name]) >= options.repeat for case in cases)


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def _conditions(bench: Bench, options: argparse.Namespace) -> dict[str, Any]:
    """Say what must be the same for measurements to be put together."""
    models = {
        Path(model).stem: hashlib.sha256(Path(find_model(model)).read_bytes()).hexdigest()[:16]
        for model in bench.models
    }
    return {
        **machine(),
        "clips": len(bench.clips),
        "emotool": "installed" if options.emotool else "checkout",
        "code": code(),
        "models": models,
    }


def machine() -> dict[str, Any]:
    """Say where it was measured."""
    return {
        "processor": _processor(),
        "cores": usable_cores(),
        "python": platform.python_version(),
    }


def code() -> str:
    """Return a fingerprint of emotool's code."""
    content = hashlib.sha256()
    for path in sorted((ROOT / "emotool").rglob("*.py")):
        content.update(path.read_bytes())
    return content.hexdigest()[:16]


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text("ascii")
        return next(line for line in text.splitlines() if "model name" in line).partition(": ")[2]
    except (OSError, StopIteration):
        return platform.processor()


def _read(path: Path, conditions: dict[str, Any]) -> Rounds:
    """Read measurements that were made under the same conditions."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["conditions"] != conditions:
        print("earlier measurements are of other code or models: beginning anew", file=sys.stderr)
        return {}
    rounds: Rounds = found["rounds"]
    return rounds


def _write(path: Path, conditions: dict[str, Any], rounds: Rounds) -> None:
    with atomic_write(path, text=True) as handle:
        handle.write(json.dumps({"conditions": conditions, "rounds": rounds}, indent=1) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
