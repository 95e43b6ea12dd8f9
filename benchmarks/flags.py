"""How often the flags for input that a model should not be trusted with are right.

    python benchmarks/flags.py [--speakers judged] [--clips 150] [--model cnn] [--save]

Clips of the corpus are spoilt on purpose (`benchmarks.spoiling`), written as files and read by
the code that `emotool classify` runs. The limits in `emotool.quality.flags` were chosen by what
``--speakers chosen`` prints; ``judged`` is about speakers that are not among those.
"""

import argparse
import csv
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # so that the script runs from a checkout, installed or not

from benchmarks.flags_table import FLAGS, Row, markdown  # noqa: E402
from benchmarks.other_sounds import Samples  # noqa: E402
from benchmarks.spoiling import spoilings  # noqa: E402
from emotool.errors import EmotoolError  # noqa: E402
from emotool.features.extraction import iter_extract  # noqa: E402
from emotool.files.atomic import atomic_write  # noqa: E402
from emotool.model.classifier import Classifier, load_classifier  # noqa: E402
from emotool.quality.flags import Quality  # noqa: E402

CORPUS = Path(os.environ.get("EMOTOOL_CORPUS", ROOT.parent / "shared" / "corpus"))
RESULT = ROOT / "benchmarks" / "results" / "flags.md"
CHOSEN_ON = frozenset(
    [f"ravdess-{number:02d}" for number in range(1, 11)]
    + ["emodb-03", "emodb-09", "emodb-11", "nemo-EB0", "nemo-IC0", "nemo-KD0"]
    + ["cremad-1001", "tess-OAF"]
)
"""Speakers on whose clips the limits were chosen; the others judge them."""


@dataclass(frozen=True)
class Clip:
    """A clip of the corpus, and its place in the table of clips."""

    place: int
    corpus: str
    emotion: str
    path: Path

    def samples(self) -> Samples:
        """Decode it."""
        return np.asarray(soundfile.read(self.path)[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Spoil, classify, count and print; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        classifier = load_classifier(options.model, threads=1)
        everything = list(_clips(options.corpus, options.speakers))
    except (EmotoolError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(everything))[: options.clips]
    some = [everything[place] for place in sorted(chosen)]
    rows = []
    for way in spoilings([clip.samples() for clip in some]):
        row = Row(way)
        for clip in some if way.kind != "nothing" else everything:
            _try(clip, row, classifier)
        rows.append(row)
        print(f"{way.kind}, {way.degree}", file=sys.stderr)
    text = markdown(rows, f"{len(everything)} clips of {options.speakers} speakers")
    print(text)
    if options.save:
        with atomic_write(RESULT) as handle:
            handle.write(text.encode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--speakers", choices=("chosen", "judged"), default="judged")
    parser.add_argument("--clips", type=int, default=150, help="spoilt in each way")
    parser.add_argument("--model", default="cnn", help="whose spectrogram is measured")
    parser.add_argument("--save", action="store_true", help=f"write {RESULT.relative_to(ROOT)}")
    return parser


def _clips(corpus: Path, speakers: str) -> Iterator[Clip]:
    with (corpus / "clips.csv").open(encoding="utf-8", newline="") as handle:
        for place, line in enumerate(csv.DictReader(handle)):
            if (line["speaker"] in CHOSEN_ON) == (speakers == "chosen"):
                path = corpus / line["file"]
                yield Clip(place, line["corpus"], line["emotion"], path)


def _try(clip: Clip, row: Row, classifier: Classifier) -> None:
    """Spoil a clip, see what it is flagged with, and what the model says of it."""
    file = row.way.spoil(clip.samples(), np.random.default_rng([clip.place, 0]))
    quality = Quality(classifier.spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip"
        path.write_bytes(file.content())
        parts = list(iter_extract(path, classifier.spec, measured=quality.extra))
    for part in parts:
        quality.add(part)
    flags = set(quality.flags)
    if all(part.status == "silent" for part in parts):
        flags.add("speechless")  # the status says so, and there is no label
    if quality.measures is not None:
        row.measured.append(quality.measures._asdict() | quality.peaks._asdict())
    row.count(clip.corpus, flags & set(FLAGS))
    if clip.emotion in classifier.labels and any(len(part.windows) for part in parts):
        windows = np.concatenate([part.windows for part in parts])  # [windows, n_mels, frames]
        said = classifier.labels[int(classifier.predict(windows).mean(axis=0).argmax())]
        row.labelled += 1
        row.right += said == clip.emotion


if __name__ == "__main__":
    raise SystemExit(main())
