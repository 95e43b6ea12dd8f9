"""Where a clip's time goes: processor time of each step, in one thread, without any waiting.

    python benchmarks/speed_steps.py [--model cnn] [--code PATH]

For finding what is worth improving, and for comparing two checkouts (``--code`` names another
one). The figures are the least of several rounds in turns, so that what else the machine does
disturbs them little; `speed.py` says what all of it together takes.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_EVERY = 20  # one clip of so many will do


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--code", type=Path, default=ROOT, help="a checkout")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "speed")
    options = parser.parse_args(arguments)
    # Before numpy: what is measured here has one thread, as in a worker.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    sys.path[:0] = [str(options.code), str(ROOT)]
    from benchmarks.speed_clips import make_clips

    paths = [clip.path for clip in make_clips(options.folder, 2000)[::_EVERY]]
    works = _steps(paths, options.model)
    least = dict.fromkeys(works, float("inf"))
    for _ in range(options.rounds):
        for name, work in works.items():
            start = time.process_time()
            work()
            least[name] = min(least[name], time.process_time() - start)
    print("| step | ms per clip |\n|---|---|")
    for name, seconds in least.items():
        print(f"| {name} | {1000 * seconds / len(paths):.3f} |")
    return 0


def _steps(paths: Sequence[str], model: str) -> dict[str, Callable[[], object]]:
    """Return what there is to time, each of them through all the clips."""
    import numpy as np
    import soundfile

    from emotool.audio.stream import open_audio
    from emotool.features.extraction import iter_extract
    from emotool.features.mel import log_mel
    from emotool.features.windowing import cut_windows, trim
    from emotool.model.classifier import load_classifier
    from emotool.quality.flags import Quality

    classifier = load_classifier(model, "cpu", 1)
    spec: Any = classifier.spec
    sounds = [soundfile.read(path, dtype="float32")[0] for path in paths]
    windows = [cut_windows(one[slice(*trim(one, spec))], spec) for one in sounds]
    parts = [part for path in paths for part in iter_extract(path, spec)]
    log_mels = np.concatenate([part.windows for part in parts])  # [windows, n_mels, frames]

    def read() -> None:
        for path in paths:
            with open_audio(path, spec.sample_rate) as stream:
                stream.read(10**6)

    def judge() -> None:
        for part in parts:
            Quality(spec).add(part)

    return {
        "decode (kernel)": lambda: [soundfile.read(path, dtype="float32") for path in paths],
        "log-mel of windows (kernel)": lambda: [log_mel(one, spec) for one in windows],
        "network (kernel)": lambda: [
            classifier.predict(log_mels[start : start + classifier.batch_size])
            for start in range(0, len(log_mels), classifier.batch_size)
        ],
        "open and decode": read,
        "trim": lambda: [trim(one, spec) for one in sounds],
        "judge the quality": judge,
        "all that a worker does": lambda: _worker(paths, spec),
        "all that the parent does, without the network": lambda: _parent(parts, classifier),
    }


def _worker(paths: Sequence[str], spec: Any) -> None:
    """Answer for clips as a worker process does, into nowhere."""
    # Both from here, where they have been in every version: --code may name an earlier one.
    from emotool.workers.protocol import Message
    from emotool.workers.worker import _Worker

    with Path(os.devnull).open("wb") as nowhere:
        worker = _Worker(nowhere)
        setup = {"spec": spec.to_dict(), "reading": {"by_content": False, "hop_s": None}}
        worker.answer(Message(setup, bytearray()))
        names = [path.encode("utf-8", "surrogatepass") for path in paths]
        clips = [[index, len(name)] for index, name in enumerate(names)]
        worker.answer(Message({"clips": clips}, bytearray(b"".join(names))))


def _parent(parts: Sequence[Any], classifier: Any) -> None:
    """Turn answers into rows of a table and a journal, with a network that takes no time."""
    import tempfile

    import numpy as np

    from emotool.inputs.clips import Clip
    from emotool.run.journal import Journal
    from emotool.run.options import Output, RunOptions
    from emotool.run.outputs import Outputs, files_of
    from emotool.run.pipeline import classify_clips
    from emotool.workers.supervisor import Answer

    def run(clips: Any, spec: Any) -> Iterator[Answer]:
        for clip, part in zip(clips, parts, strict=False):
            final = {
                "status": "ok",
                "duration_s": 2.0,
                "flags": [],
                "identity": f"{clip.index:064}",
            }
            spans = list(zip(part.starts_s, part.ends_s, strict=True))
            yield Answer(clip.index, 0, part.windows, final, spans)

    def predict(log_mels: Any) -> Any:
        return np.full((len(log_mels), len(classifier.labels)), 0.5, np.float32)

    quick = SimpleNamespace(
        name="cnn",
        labels=classifier.labels,
        spec=classifier.spec,
        batch_size=classifier.batch_size,
        batches_at_once=1,
        predict=predict,
        run=lambda log_mels, outputs: {"probabilities": predict(log_mels)},
    )
    clips = [Clip(index, f"/clips/{index}.wav", f"{index}.wav") for index in range(len(parts))]
    with tempfile.TemporaryDirectory() as folder:
        outputs = [Output(str(Path(folder) / "labels.csv"))]
        files = files_of(outputs)
        journal = Journal(files[0], {})
        model: Any = quick
        writers = Outputs(RunOptions([], outputs), model, clips, files)
        with journal, writers:
            pool: Any = SimpleNamespace(run=run)
            for row in classify_clips(clips, quick, pool=pool, recorder=journal):
                writers.write(row)
            writers.close()


if __name__ == "__main__":
    raise SystemExit(main())
