"""The architectures: one module each, found by its name.

A module of this package with a function ``build(labels, spec, config)`` is an architecture;
a new one is a new file (big_vision keeps its models so). Building blocks that several share
are in `emotool_training.architectures.blocks`.

What ``build`` returns is a `keras.Model` with

======================  =====================  ==============================================
input ``log_mel``       f32 [n_mels, frames]   dB, as `emotool.features.extraction` makes it
output ``logits``       f32 [labels]           before softmax, temperature 1
output ``embedding``    f32 [dim]              the penultimate layer
output ``activation``   f32 [h, w]             evidence for the predicted label over mel and time
======================  =====================  ==============================================

beside the batch axis, and with the normalisation of the spectrogram inside.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from emotool.errors import TrainingError
from emotool.features.spec import SpectrogramSpec

__all__ = ["PRETRAINED", "build", "build_autoencoder", "names"]

PRETRAINED = ("resnet", "whisper")
"""Architectures that start from weights trained on something else
(`emotool_training.network.pretrained`)."""


def names() -> tuple[str, ...]:
    """Name the architectures there are, sorted.

    Examples
    --------
    >>> "cnn" in names()
    True
    """
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg))


def build(
    architecture: str, labels: Sequence[str], spec: SpectrogramSpec, config: Mapping[str, Any]
) -> Any:
    """Build a model with fresh weights.

    Parameters
    ----------
    architecture : str
        The name of a module of this package.
    labels : sequence of str
        The model's labels, in the order of its outputs.
    spec : SpectrogramSpec
        What the model is fed.
    config : mapping
        The architecture's own settings; those left out have its defaults.

    Returns
    -------
    keras.Model
        See the package's docstring for inputs and outputs.

    Raises
    ------
    TrainingError
        If there is no such architecture, or its settings make no network.
    """
    if architecture not in names():
        known = ", ".join(names())
        raise TrainingError(f"unknown architecture {architecture!r}; there are: {known}")
    with _as_training_error(architecture):
        return _module(architecture).build(labels, spec, config)


def build_autoencoder(architecture: str, model: Any, config: Mapping[str, Any]) -> Any:
    """Put a decoder on a model of an architecture that has one.

    Parameters
    ----------
    architecture : str
        The name of a module with a function ``build_autoencoder(model, config)``.
    model : keras.Model
        From `build`.
    config : mapping
        The settings it was built with.

    Returns
    -------
    keras.Model
        Which shares the encoder's layers.

    Raises
    ------
    TrainingError
        If the architecture has no decoder, or its settings make none.
    """
    module = _module(architecture)
    if not hasattr(module, "build_autoencoder"):
        raise TrainingError(f"the architecture {architecture} has no decoder")
    with _as_training_error(architecture):
        return module.build_autoencoder(model, config)


def _module(architecture: str) -> Any:
    return importlib.import_module(f"{__name__}.{architecture}")


@contextmanager
def _as_training_error(architecture: str) -> Iterator[None]:
    """Raise Keras's errors about impossible layers as errors that a user can act on."""
    try:
        yield
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise TrainingError(f"these settings make no {architecture}: {reason}") from error
