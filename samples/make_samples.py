"""Speak the clips of this folder with espeak-ng: ``python samples/make_samples.py``.

They differ in voice, pitch, tempo, sample rate, channels and format, to show that such things do
not matter. They are no one's recordings, so they can be given to anyone.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Voice:
    """How espeak-ng is asked to speak.

    ``pitch`` runs from 0 to 99 (50 is its usual), ``tempo`` is in words a minute (175 is usual),
    ``melody`` is how far the pitch moves, in SSML's words.
    """

    name: str
    pitch: int = 50
    tempo: int = 175
    melody: str = "medium"


@dataclass(frozen=True)
class Sample:
    """One file: who says what, and how it is stored."""

    path: str
    voice: Voice
    text: str
    sample_rate: int
    subtype: str
    channels: int = 1


LIVELY = Voice("en-us+f3", pitch=80, tempo=200, melody="x-high")
WEARY = Voice("en-gb+m3", pitch=25, tempo=120, melody="x-low")
STERN = Voice("en-us+m7", pitch=35, tempo=190, melody="high")
PLAIN = Voice("en-gb+f2")

MP3 = "MPEG_LAYER_III"
LONG = (
    "This clip is longer than one window. The model hears it in pieces, and the label is the mean "
    "of what it thinks of each."
)
SAMPLES = (
    Sample("lively/one_row.wav", LIVELY, "Every clip gets one row in the table.", 16_000, "PCM_16"),
    Sample("lively/holiday.mp3", LIVELY, "We are going on a holiday tomorrow!", 22_050, MP3),
    Sample("lively/stereo.ogg", LIVELY, "This one has two channels!", 48_000, "VORBIS", channels=2),
    Sample("weary/rain.flac", WEARY, "It has been raining for three days.", 44_100, "PCM_16"),
    Sample("weary/telephone.wav", WEARY, "Nobody answers the telephone.", 8_000, "ULAW"),
    Sample("stern/door.opus", STERN, "Close the door and sit down.", 48_000, "OPUS"),
    Sample("stern/wide.aiff", STERN, "Stop.", 32_000, "PCM_24"),
    Sample("plain/long.mp3", PLAIN, LONG, 24_000, MP3),
)


def speak(voice: Voice, text: str) -> tuple[npt.NDArray[np.float32], int]:
    """Return what espeak-ng says, float32 [n], and its sample rate in Hz."""
    marked = f'<speak><prosody range="{voice.melody}">{text}</prosody></speak>'
    options = ["-v", voice.name, "-p", str(voice.pitch), "-s", str(voice.tempo)]
    with tempfile.TemporaryDirectory() as folder:
        # Not --stdout: a header written before the speech cannot tell its length.
        path = Path(folder) / "spoken.wav"
        subprocess.run(["espeak-ng", "-m", "-w", path, *options, marked], check=True)
        samples, sample_rate = soundfile.read(path, dtype="float32")
    return samples, sample_rate


def store(sample: Sample) -> Path:
    """Speak one sample and write it; return where."""
    samples, spoken_rate = speak(sample.voice, sample.text)
    samples = soxr.resample(samples, spoken_rate, sample.sample_rate)
    samples *= 0.7 / np.abs(samples).max()
    if sample.channels == 2:
        # The voice stands a little to the left.  [n] -> [n, 2]
        samples = np.stack([samples, 0.6 * samples], axis=1)
    path = FOLDER / sample.path
    path.parent.mkdir(exist_ok=True)
    container = "OGG" if sample.subtype == "OPUS" else None
    soundfile.write(path, samples, sample.sample_rate, subtype=sample.subtype, format=container)
    return path


def main() -> int:
    """Write every sample and two files that hold no speech."""
    if shutil.which("espeak-ng") is None:
        print("error: espeak-ng is not installed (apt-get install espeak-ng)", file=sys.stderr)
        return 1
    written = [store(sample) for sample in SAMPLES]
    no_speech = {"no_speech/silence.flac": 16_000, "no_speech/too_short.wav": 800}
    for name, count in no_speech.items():
        path = FOLDER / name
        path.parent.mkdir(exist_ok=True)
        level = 0.0 if "silence" in name else 0.3
        soundfile.write(path, level * np.sin(0.1 * np.arange(count)), 16_000, subtype="PCM_16")
        written.append(path)
    for path in written:
        print(f"{path.stat().st_size:>8}  {path.relative_to(FOLDER).as_posix()}")
    print(f"{sum(path.stat().st_size for path in written):>8}  bytes in all")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
