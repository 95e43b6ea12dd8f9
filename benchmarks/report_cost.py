"""What a clip's sound and pictures in the HTML report cost, in time and bytes.

    python benchmarks/report_cost.py FOLDER [--model cnn] [--clips 100]

Processor time of one thread, over clips drawn evenly from the folder, so that it holds on a busy
machine too. A report takes less wall time than this: its threads work while clips are labelled.
"""

import argparse
import io
import time
from collections.abc import Callable
from typing import TypeVar

import soundfile

from emotool.audio.reader import read_audio
from emotool.explain.explanation import explain, shown_spec
from emotool.inputs.clips import find_clips
from emotool.model.classifier import load_classifier
from emotool.writers.html.media import ENDINGS, clip_media
from emotool.writers.html.png import spectrogram_png

ALTERNATIVES = {
    "Opus": ("OGG", "OPUS", 0.9),
    "Vorbis": ("OGG", "VORBIS", 0.7),
    "FLAC": ("FLAC", "PCM_16", 0.5),
}
"""Format, encoding and compression (0 to 1) of what the sound might have been instead of MP3."""

T = TypeVar("T")
R = TypeVar("R")


def timed(name: str, do: Callable[[T], R], items: list[T]) -> list[R]:
    """Do something to every item and print the mean time of one."""
    began = time.process_time()
    done = [do(item) for item in items]
    print(f"| {name} | {1e3 * (time.process_time() - began) / len(items):.1f} |")
    return done


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--clips", type=int, default=100)
    arguments = parser.parse_args()
    classifier = load_classifier(arguments.model, threads=1)
    spec = shown_spec(classifier.spec)
    rate, range_db = spec.sample_rate, spec.top_db
    clips = find_clips([arguments.folder]).clips
    paths = [clip.path for clip in clips[:: max(1, len(clips) // arguments.clips)]]
    clip_media(paths[0], classifier)  # what is made once is not a clip's cost
    print("| step | ms a clip |\n|---|---|")
    timed("decode", lambda path: read_audio(path, rate), paths)
    heard = timed("decode, spectrograms, model", lambda path: explain(path, classifier), paths)
    timed("PNG of the spectrogram", lambda h: spectrogram_png(h.spectrogram, range_db), heard)
    made = timed("all, MP3 among it", lambda path: clip_media(path, classifier), paths)
    sounds = {"sound, as MP3": [each.parts.get("sound", b"") for each in made]}
    for name, (container, encoding, level) in ALTERNATIVES.items():

        def encode(
            samples: object, how: tuple[str, str, float] = (container, encoding, level)
        ) -> bytes:
            sound = io.BytesIO()
            soundfile.write(sound, samples, rate, how[1], format=how[0], compression_level=how[2])
            return sound.getvalue()

        sounds[f"as {name} instead"] = timed(f"{name}", encode, [h.samples for h in heard])
    seconds = sum(each.seconds for each in heard) / len(heard)
    print(f"\n| part | kB a clip of {seconds:.1f} s |\n|---|---|")
    for kind in list(ENDINGS)[1:]:
        sounds[kind] = [each.parts.get(kind, b"") for each in made]
    for kind, parts in sounds.items():
        print(f"| {kind} | {sum(map(len, parts)) / len(made) / 1e3:.1f} |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
