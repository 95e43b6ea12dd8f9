"""The peers: other ways to label, or describe, the same clips.

Each function takes the network's name and returns a function that works through clips and says
how many it has done. All get the same number of windows per clip as emotool has, decode the files
themselves, and may use both cores where their libraries do so on their own. Weights are random:
they make no difference to speed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["KINDS", "Sound"]

RATE = 16_000
WINDOW = 3 * RATE
BATCH = 32  # clips, as in training; Keras's own default


@dataclass(frozen=True)
class Sound:
    """A clip: its path, and how many windows it has for emotool."""

    path: str
    windows: int


Label = Callable[[Sequence[Sound]], int]


def notebook(network: str) -> Label:
    """As notebooks do it: each file loaded, transformed and predicted by itself."""
    model, mels = _keras(network)

    def label(sounds: Sequence[Sound]) -> int:
        return sum(
            len(model.predict(_librosa(sound, mels), verbose=0)) >= sound.windows
            for sound in sounds
        )

    return label


def notebook_batched(network: str) -> Label:
    """Do the same with a whole batch in each call of ``predict``."""
    model, mels = _keras(network)

    def label(sounds: Sequence[Sound]) -> int:
        done = 0
        for group in _groups(sounds):
            pictures = np.concatenate([_librosa(sound, mels) for sound in group])
            answers = model.predict(pictures, batch_size=BATCH, verbose=0)
            done += len(group) if len(answers) == len(pictures) else 0
        return done

    return label


def audonnx(network: str) -> Label:
    """Audonnx runs an ONNX file behind librosa's spectrogram, audinterface reads the files."""
    import audinterface
    import audonnx as library

    # Two workers, as threads, with one thread each for the model: its fastest setting here.
    shape = library.Model(network).inputs["log_mel"].shape  # [-1, mels, frames]

    def transform(signal: Any, rate: int) -> Any:
        del rate
        windows = signal.reshape(-1, WINDOW)  # [windows, samples]
        return _spectrogram(windows, shape[1])

    model = library.Model(network, transform=transform)

    def answer(signal: Any, rate: int) -> Any:
        windows = -(-signal.shape[-1] // WINDOW)
        padded = np.zeros(max(windows, 1) * WINDOW, np.float32)
        padded[: signal.shape[-1]] = signal[0]
        return model(padded, rate, outputs="probabilities")

    interface = audinterface.Process(
        process_func=answer, sampling_rate=RATE, resample=True, mixdown=True, num_workers=2
    )

    def label(sounds: Sequence[Sound]) -> int:
        import pandas

        # The sound of as many windows as emotool has, from the start.
        ends = [pandas.to_timedelta(3.0 * sound.windows, unit="s") for sound in sounds]
        starts = [pandas.to_timedelta(0, unit="s")] * len(sounds)
        paths = [sound.path for sound in sounds]
        return len(interface.process_files(paths, starts=starts, ends=ends))

    return label


def opensmile(network: str) -> Label:
    """OpenSMILE's eGeMAPS functionals, 88 numbers a file, without any network."""
    return _opensmile(1)


def opensmile_two(network: str) -> Label:
    """Let openSMILE have two workers."""
    return _opensmile(2)


def _opensmile(workers: int) -> Label:
    import opensmile as library

    smile = library.Smile(
        library.FeatureSet.eGeMAPSv02, library.FeatureLevel.Functionals, num_workers=workers
    )
    return lambda sounds: len(smile.process_files([sound.path for sound in sounds]))


def wav2vec2(network: str) -> Label:
    """Run a transformers pipeline with a network of the size of wav2vec2-base."""
    import soundfile
    import torch
    from transformers import (
        AudioClassificationPipeline,
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForSequenceClassification,
    )

    torch.manual_seed(0)
    model = Wav2Vec2ForSequenceClassification(Wav2Vec2Config(num_labels=2)).eval()
    pipeline = AudioClassificationPipeline(
        model=model, feature_extractor=Wav2Vec2FeatureExtractor(sampling_rate=RATE)
    )

    def label(sounds: Sequence[Sound]) -> int:
        done = 0
        for sound in sounds:
            samples, rate = soundfile.read(sound.path, dtype="float32", frames=_limit(sound))
            mono = samples if samples.ndim == 1 else samples.mean(axis=1)
            done += len(pipeline({"raw": mono, "sampling_rate": rate})) == 2
        return done

    return label


KINDS: dict[str, Callable[[str], Label]] = {
    "notebook": notebook,
    "batched": notebook_batched,
    "audonnx": audonnx,
    "opensmile": opensmile,
    "opensmile-2": opensmile_two,
    "wav2vec2": wav2vec2,
}


def _groups(sounds: Sequence[Sound]) -> Iterator[list[Sound]]:
    for start in range(0, len(sounds), BATCH):
        yield list(sounds[start : start + BATCH])


def _limit(sound: Sound) -> int:
    """Return how many samples emotool labels of a clip at 16 kHz, at most."""
    return max(1, sound.windows) * WINDOW


def _librosa(sound: Sound, mels: int) -> Any:
    """Return log-mel windows [windows, mels, frames] of a clip, cut or padded to its windows."""
    import librosa

    samples, _ = librosa.load(sound.path, sr=RATE)
    limit = _limit(sound)
    padded = np.zeros(limit, np.float32)
    padded[: samples.size] = samples[:limit]
    return _spectrogram(padded.reshape(-1, WINDOW), mels)


def _spectrogram(windows: Any, mels: int) -> Any:
    import librosa

    power = librosa.feature.melspectrogram(
        y=windows, sr=RATE, n_fft=1024, hop_length=256, n_mels=mels
    )  # [windows, mels, frames]
    return librosa.power_to_db(power, top_db=80.0)


def _keras(network: str) -> tuple[Any, int]:
    """Return a Keras model of ours, or a whole ResNet50, and how many mel bands it takes."""
    from emotool.features.spec import SpectrogramSpec

    if network != "resnet50":
        from emotool_training.architectures import build
        from emotool_training.recipes.recipe import load_recipe

        recipe = load_recipe(network)
        spec = recipe.spectrogram
        model = build(recipe.architecture, recipe.labels, spec, recipe.model)
        return _probabilities(model), spec.n_mels
    import keras

    spec = SpectrogramSpec()
    spectrogram = keras.Input((spec.n_mels, spec.frames))
    grey = keras.layers.Reshape((spec.n_mels, spec.frames, 1))(spectrogram)
    image = keras.layers.Concatenate()([grey] * 3)  # [batch, mels, frames, 3]
    body = keras.applications.ResNet50(include_top=False, weights=None, pooling="avg")
    answer = keras.layers.Dense(2, activation="softmax")(body(image))
    return keras.Model(spectrogram, answer), spec.n_mels


def _probabilities(model: Any) -> Any:
    """Leave of a model's outputs only what a label needs."""
    import keras

    answer = keras.layers.Softmax()(model.output["logits"])
    return keras.Model(model.input, answer)
