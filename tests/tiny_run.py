"""A corpus and a recipe so small that a whole training run takes seconds."""

import json
from pathlib import Path
from typing import Any

from tests.synthesis import vowel, write_clip

__all__ = ["tiny_corpus", "tiny_recipe"]

SPECTROGRAM = {
    "sample_rate": 8000,
    "window_seconds": 0.5,
    "n_fft": 256,
    "hop_length": 128,
    "n_mels": 24,
    "f_min": 0.0,
    "f_max": 4000.0,
    "top_db": 80.0,
    "trim_db": 40.0,
    "tail_seconds": 0.2,
    "min_seconds": 0.1,
    "normalisation": "window",
}


def tiny_corpus(folder: Path, actors: int = 6) -> Path:
    """Write 4 clips for each of some RAVDESS actors: happy ones high, sad ones low."""
    for actor in range(1, actors + 1):
        for code, pitch in (("03", 260.0), ("04", 110.0)):
            for repetition in ("01", "02"):
                name = f"03-01-{code}-01-01-{repetition}-{actor:02}.wav"
                seconds = 0.4 + 0.05 * actor
                samples = vowel(pitch + 7 * actor, seconds, 8000)
                write_clip(folder / "ravdess" / name, samples, 8000)
    return folder


def tiny_recipe(path: Path, **changes: Any) -> Path:
    """Write a recipe of a network with a few hundred weights and 3 epochs."""
    recipe = {
        "architecture": "cnn",
        "model": {"widths": [4, 8], "first_kernel": 3, "dropout": 0.2},
        "spectrogram": SPECTROGRAM,
        "epochs": 3,
        "batch_size": 4,
        "learning_rate": 0.02,
        "warmup_epochs": 0.5,
        "average_decay": 0.5,
        "augmentation": {"mixup_alpha": 0.3, "mixup_probability": 0.5},
        **changes,
    }
    path.write_text(json.dumps(recipe))
    return path
