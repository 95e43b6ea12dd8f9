"""What each dependency weighs: size on disk and time to import, and what stands beside it.

    python benchmarks/dependencies.py [--repeat 5]

Prints one table for the packages that ``emotool classify`` needs, one for alternatives that were
considered, as far as they are installed, and one of what the numeric packages do faster than what
numpy or scipy bring. Import time is the median over new interpreters, less that of one which
imports nothing; what a package needs itself is in its time but not in its size.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

NEEDED = {
    "numpy": "import numpy",
    "onnxruntime": "import onnxruntime",
    "rich": "import rich.console",
    "soundfile": "import soundfile",
    "soxr": "import soxr",
    "typer": "import typer",
}
CONSIDERED = {
    "av": "import av",
    "librosa": "import librosa; librosa.feature.melspectrogram",  # it loads its parts when used
    "pandas": "import pandas",
    "scipy": "import scipy.fft",
    "tensorflow": "import tensorflow",
    "torchaudio": "import torchaudio",
}


def seconds(statement: str, repeat: int) -> float:
    """Return the median wall time of a statement in a new interpreter, or NaN if it fails."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", statement], capture_output=True, check=False)
        times.append(time.perf_counter() - start)
        if done.returncode:
            return float("nan")
    return statistics.median(times)


def megabytes(package: str) -> float:
    """Return the size of an installed package's own files in MB (1e6 bytes)."""
    files = distribution(package).files or []
    # Bytecode is there or not as chance has it.
    paths = [Path(str(file.locate())) for file in files if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def with_all_they_need(packages: Iterable[str]) -> set[str]:
    """Return packages and, again and again, what those need here, extras left out."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: set[str] = set()
    waiting = {canonicalize_name(name) for name in packages}
    while waiting:
        name = waiting.pop()
        found.add(name)
        for line in distribution(name).requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                waiting |= {canonicalize_name(need.name)} - found
    return found


def show(title: str, packages: dict[str, str], repeat: int) -> None:
    """Print the table of some packages; those that are not installed are named as absent."""
    print(f"\n{title}\n\n| package | version | MB | import, s |\n|---|---|---|---|")
    nothing = seconds("pass", repeat)
    for package, statement in packages.items():
        try:
            version, size = distribution(package).version, megabytes(package)
        except PackageNotFoundError:
            print(f"| {package} | absent | | |")
            continue
        seconds(statement, 1)  # compiles, and reads from a cold disk: not counted
        took = seconds(statement, repeat) - nothing
        print(f"| {package} | {version} | {size:.1f} | {took:.2f} |", flush=True)


def fastest(work: Callable[[], object], repeat: int) -> float:
    """Return the shortest of some wall times in ms, the first call (tables, plans) not counted."""
    times = []
    for _ in range(repeat + 1):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return min(times[1:])


def show_kernels(repeat: int) -> None:
    """Print the times of one window's transform and of one clip's resampling."""
    import numpy as np
    import scipy.fft
    import scipy.signal
    import soxr

    noise = np.random.default_rng(0)
    frames = noise.normal(size=(188, 1024)).astype(np.float32)
    clip = noise.normal(size=3 * 44_100).astype(np.float32)
    kernels = {
        "FFT of 188 x 1024, numpy": lambda: np.fft.rfft(frames),
        "FFT of 188 x 1024, scipy": lambda: scipy.fft.rfft(frames),
        "3 s from 44.1 to 16 kHz, scipy": lambda: scipy.signal.resample_poly(clip, 160, 441),
        "3 s from 44.1 to 16 kHz, soxr": lambda: soxr.resample(clip, 44_100, 16_000),
    }
    print("\nWhat numbers cost\n\n| kernel | ms |\n|---|---|")
    for name, work in kernels.items():
        print(f"| {name} | {fastest(work, 10 * repeat):.2f} |")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5, help="imports per package (default 5)")
    repeat = parser.parse_args(arguments).repeat
    show("Needed to classify", NEEDED, repeat)
    everything = with_all_they_need(NEEDED)
    total = sum(megabytes(package) for package in everything)
    print(f"\nWith all that they need: {len(everything)} packages, {total:.0f} MB")
    show("Considered, or needed for training only", CONSIDERED, repeat)
    show_kernels(repeat)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
