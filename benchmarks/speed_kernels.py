"""The bare kernels, timed each by itself: what a clip costs without anything around it.

``speed.py`` starts one of these processes per core and lets them work at the same time, or one
with several threads (the ONNX session has both), so that both cores are busy:

    python benchmarks/speed_kernels.py decode --clips clips.json --model cnn --share 0/2

Each takes its share of the clips, prepares, prints ``ready``, waits for a line on its standard
input, works, and prints one line of JSON: how many clips, and in how many seconds.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import soundfile
import soxr

from emotool.features.extraction import extract
from emotool.features.mel import log_mel
from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import cut_windows, trim
from emotool.model.catalog import find_model
from emotool.model.classifier import read_metadata
from emotool.model.int8_sums import int8_sums_overflow
from emotool.model.onnx_prune import only_outputs

__all__ = ["KERNELS", "main"]

Work = tuple[int, Callable[[], object]]  # how many clips, and what to do with them


def decode(paths: Sequence[str], spec: SpectrogramSpec, options: argparse.Namespace) -> Work:
    """Decode files to float32."""
    return len(paths), lambda: [soundfile.read(path, dtype="float32") for path in paths]


def resample(paths: Sequence[str], spec: SpectrogramSpec, options: argparse.Namespace) -> Work:
    """Resample the clips that have another rate than the model's; no work if there are none."""
    decoded = [soundfile.read(path, dtype="float32", always_2d=True) for path in paths]
    sounds = [(samples[:, 0], rate) for samples, rate in decoded if rate != spec.sample_rate]
    clips = len(paths) if sounds else 0
    return clips, lambda: [soxr.resample(s, rate, spec.sample_rate) for s, rate in sounds]


def log_mels(paths: Sequence[str], spec: SpectrogramSpec, options: argparse.Namespace) -> Work:
    """Make log-mel spectrograms of windows that are cut already."""
    clips = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(samples.mean(axis=1), rate, spec.sample_rate)
        start, stop = trim(mono, spec)
        clips.append(cut_windows(mono[start:stop], spec))  # [windows, window_samples]
    return len(paths), lambda: [log_mel(windows, spec) for windows in clips]


def network(paths: Sequence[str], spec: SpectrogramSpec, options: argparse.Namespace) -> Work:
    """Run the network in ONNX Runtime on spectrograms that are stacked already."""
    import onnxruntime

    windows = np.concatenate([extract(path, spec).windows for path in paths])
    # [windows, n_mels, frames]
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = options.threads
    chosen.log_severity_level = 3  # unused weights of the pruned graph are no news
    if int8_sums_overflow():  # as emotool.model.session has it
        chosen.add_session_config_entry("session.x64quantprecision", "1")
    # Only what a label needs.
    content = only_outputs(find_model(options.model).read_bytes(), ("probabilities",))
    session = onnxruntime.InferenceSession(content, chosen, providers=["CPUExecutionProvider"])
    batches = [windows[s : s + options.batch] for s in range(0, len(windows), options.batch)]

    def work() -> list[Any]:
        return [session.run(["probabilities"], {"log_mel": batch}) for batch in batches]

    session.run(["probabilities"], {"log_mel": batches[0]})
    return len(paths), work


KERNELS: dict[str, Callable[[Sequence[str], SpectrogramSpec, argparse.Namespace], Work]] = {
    "decode": decode,
    "resample": resample,
    "log-mel": log_mels,
    "network": network,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Time a kernel; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kernel", choices=list(KERNELS))
    parser.add_argument("--clips", type=Path, required=True, help="list of clips")
    parser.add_argument("--model", required=True)
    parser.add_argument("--share", default="0/1", help="which part of how many")
    parser.add_argument("--every", type=int, default=1, help="take one clip of so many")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    entries = json.loads(options.clips.read_text(encoding="utf-8"))
    part, parts = map(int, options.share.split("/"))
    paths = [entry["path"] for entry in entries[:: options.every]][part::parts]
    spec: Any = read_metadata(Path(find_model(options.model))).input
    KERNELS[options.kernel](paths[:2], spec, options)[1]()  # tables and buffers are made
    clips, work = KERNELS[options.kernel](paths, spec, options)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    work()
    print(json.dumps({"clips": clips, "seconds": time.perf_counter() - start}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
