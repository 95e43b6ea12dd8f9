"""The other side of `benchmarks/adopt.py`: models of transformers, and its pipeline.

Runs in an environment of its own (`benchmarks/adopt.txt`), without emotool.

    python benchmarks/adopt_peer.py make KIND FOLDER
    python benchmarks/adopt_peer.py answer FOLDER WINDOWS.npz ANSWERS.npy
    python benchmarks/adopt_peer.py classify FOLDER PATHS.json
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LABELS = ("angry", "happy", "neutral", "sad")
DIMENSIONS = ("arousal", "dominance", "valence")
RATE = 16_000

_LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
_WHISPER_BASE = {
    "d_model": 512,
    "encoder_layers": 6,
    "encoder_attention_heads": 8,
    "encoder_ffn_dim": 2048,
    "decoder_layers": 6,
    "decoder_attention_heads": 8,
    "decoder_ffn_dim": 2048,
}


def _named(names: tuple[str, ...]) -> dict[str, Any]:
    places = dict(enumerate(names))
    return {"id2label": places, "label2id": {name: place for place, name in places.items()}}


def _wav2vec2(names: tuple[str, ...], **options: Any) -> tuple[Any, Any]:
    import transformers as tf

    config = tf.Wav2Vec2Config(**_named(names), **options)
    masked = options.get("feat_extract_norm") == "layer"
    extractor = tf.Wav2Vec2FeatureExtractor(return_attention_mask=masked)
    return tf.Wav2Vec2ForSequenceClassification(config), extractor


def _wavlm(names: tuple[str, ...]) -> tuple[Any, Any]:
    import transformers as tf

    model = tf.WavLMForSequenceClassification(tf.WavLMConfig(**_named(names)))
    return model, tf.Wav2Vec2FeatureExtractor()


def _whisper(names: tuple[str, ...]) -> tuple[Any, Any]:
    import transformers as tf

    config = tf.WhisperConfig(**_named(names), **_WHISPER_BASE)
    return tf.WhisperForAudioClassification(config), tf.WhisperFeatureExtractor()


KINDS: Mapping[str, Callable[[], tuple[Any, Any]]] = {
    "wav2vec2-base": lambda: _wav2vec2(LABELS),
    "wav2vec2-large": lambda: _wav2vec2(LABELS, **_LARGE),
    "wavlm-base": lambda: _wavlm(LABELS),
    "whisper-base": lambda: _whisper(LABELS),
    "regression": lambda: _wav2vec2(
        DIMENSIONS,
        problem_type="regression",
        **(_LARGE | {"num_hidden_layers": 12}),
    ),
}
"""Architectures at the size that is published, with random weights.

The regression head has twelve of the large encoder's layers, as audEERING's model
(doi:10.1109/TPAMI.2023.3263585).
"""


def make(kind: str, folder: str) -> None:
    """Make a model and export it, ``FOLDER/torch`` and ``FOLDER/onnx``."""
    import torch
    from optimum.exporters.onnx import main_export

    torch.manual_seed(0)
    model, extractor = KINDS[kind]()
    place = str(Path(folder) / "torch")
    model.eval().save_pretrained(place)
    extractor.save_pretrained(place)
    main_export(place, str(Path(folder) / "onnx"), task="audio-classification", do_validation=False)


def _pipeline(folder: str) -> tuple[Callable[[Any], list[float]], int]:
    """Return a function from a sound to the numbers in the model's order."""
    import torch
    import transformers as tf

    torch.set_num_threads(2)
    run = tf.pipeline("audio-classification", str(Path(folder) / "torch"), device="cpu")
    places = run.model.config.label2id
    regression = run.model.config.problem_type == "regression"
    options = {"top_k": len(places), "function_to_apply": "none" if regression else "softmax"}

    def numbers(sound: Any) -> list[float]:
        found = run({"raw": sound, "sampling_rate": RATE}, **options)
        scores = {one["label"]: one["score"] for one in found}
        return [scores[name] for name in places]

    return numbers, len(places)


def answer(folder: str, windows: str, answers: str) -> None:
    """Write the pipeline's numbers for windows of sound, float32 [windows, names]."""
    import numpy as np

    numbers, _ = _pipeline(folder)
    with np.load(windows) as stored:
        rows = [numbers(stored[name]) for name in sorted(stored.files)]
    np.save(answers, np.array(rows, np.float32))


def classify(folder: str, paths: str) -> None:
    """Classify files as a script does; print the seconds that the loop took."""
    import soundfile

    numbers, _ = _pipeline(folder)
    started = time.perf_counter()
    for path in json.loads(Path(paths).read_text("utf-8")):
        sound, _ = soundfile.read(path, dtype="float32")
        numbers(sound if sound.ndim == 1 else sound.mean(axis=1))
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    tasks: dict[str, Callable[..., None]] = {"make": make, "answer": answer, "classify": classify}
    tasks[sys.argv[1]](*sys.argv[2:])
