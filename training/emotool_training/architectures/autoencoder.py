"""A convolutional encoder, pretrained to reconstruct spectrograms, with a classification head.

The encoder halves both axes with each convolution; a decoder that mirrors it makes the spectrogram
again, of which patches were masked (Vincent et al. 2008, doi:10.1145/1390156.1390294). Once
that is learnt the decoder is thrown away and a head predicts labels from the encoder's features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import keras
from keras import layers
from pydantic import Field

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec
from emotool.files.validation import validate
from emotool_training.architectures.blocks import Activity, Cutout, EvidenceHead, Normalise

__all__ = ["CODE", "Config", "build", "build_autoencoder"]

CODE = "encoder_code"
"""Name of the encoder's last layer."""


@dataclass(frozen=True, slots=True)
class Config:
    """Settings of the network.

    Attributes
    ----------
    widths : tuple of int
        Channels of the encoder's convolutions.
    dropout : float
        Share of pooled features left out before the classifier in training, 0 … 1.
    pooling : str
        ``row_means``, ``row_statistics``, ``statistics`` or ``mean_max``.
    projection : int
        Length of the vector that a column over frequency is projected to.
    blotted : float
        Share of the spectrogram that the autoencoder has to guess, 0 … 1.
    momentum : float
        Of the running means of batch normalisation.
    """

    widths: Annotated[tuple[int, ...], Field(min_length=1)] = (24, 48, 96, 128)
    dropout: float = 0.5
    pooling: Literal["row_means", "row_statistics", "statistics", "mean_max"] = "row_means"
    projection: int = 128
    blotted: float = 0.25
    momentum: float = 0.95


def build(labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]) -> keras.Model:
    """Build encoder and head (see `emotool_training.architectures` for inputs and outputs).

    Examples
    --------
    >>> model = build(("happy", "sad"), SpectrogramSpec(), {"widths": (4, 8)})
    >>> model.output["activation"].shape
    (None, 32, 47)
    """
    settings = validate(Config, config, "the autoencoder's settings", TrainingError)
    log_mel = keras.Input((spec.n_mels, spec.frames), name="log_mel")
    activity = Activity(name="activity")(log_mel)  # [batch, frames]
    kind = "constants" if spec.normalisation == "constants" else "window"
    x = Normalise(kind, name="normalise")(log_mel, activity)  # [batch, n_mels, frames, 1]
    for number, width in enumerate(settings.widths, 1):
        last = number == len(settings.widths)
        x = _convolve(x, width, f"encoder_{number}", settings)  # halves h and w, rounding up
        x = layers.ReLU(name=CODE if last else f"encoder_{number}_relu")(x)
    head = EvidenceHead(
        len(labels), settings.dropout, settings.pooling, settings.projection, name="head"
    )
    return keras.Model(log_mel, head(x, activity), name="autoencoder")


def _convolve(x: Any, width: int, name: str, settings: Config) -> Any:
    """Convolve and normalise [batch, h, w, c] to [batch, h / 2, w / 2, width]."""
    x = layers.Conv2D(
        width, 5, 2, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )(x)
    return layers.BatchNormalization(momentum=settings.momentum, name=f"{name}_bn")(x)


def build_autoencoder(model: keras.Model, config: Mapping[str, Any]) -> keras.Model:
    """Put a decoder on a model's encoder, whose layers it shares.

    Parameters
    ----------
    model : keras.Model
        From `build`.
    config : mapping
        The settings it was built with.

    Returns
    -------
    keras.Model
        ``log_mel`` f32 [batch, n_mels, frames] dB → ``image``, normalised, and
        ``reconstruction``, what the decoder makes of it after patches were masked in
        training, both f32 [batch, n_mels, frames, 1].

    Examples
    --------
    >>> config = {"widths": (4, 8)}
    >>> model = build(("happy", "sad"), SpectrogramSpec(), config)
    >>> build_autoencoder(model, config).output["reconstruction"].shape
    (None, 128, 188, 1)
    """
    settings = validate(Config, config, "the autoencoder's settings", TrainingError)
    image = model.get_layer("normalise").output  # [batch, n_mels, frames, 1]
    encoder = keras.Model(image, model.get_layer(CODE).output, name="encoder")
    x = encoder(Cutout(settings.blotted, name="blot")(image))  # [batch, h, w, c]
    for number, width in enumerate([*settings.widths[-2::-1], 16], 1):
        x = layers.Conv2DTranspose(
            width, 5, 2, padding="same", use_bias=False, name=f"decoder_{number}"
        )(x)  # doubles h and w
        x = layers.BatchNormalization(momentum=settings.momentum, name=f"decoder_{number}_bn")(x)
        x = layers.ReLU(name=f"decoder_{number}_relu")(x)
    x = layers.Conv2D(1, 5, padding="same", dtype="float32", name="decoder_image")(x)
    # Halving rounded up, so the doubled image may be larger: what is over is cut away.
    _, height, width, _ = image.shape
    reconstruction = x[:, :height, :width]  # [batch, n_mels, frames, 1]
    outputs = {"image": image, "reconstruction": reconstruction}
    return keras.Model(model.input, outputs, name="autoencoder_whole")
