"""Weights that were trained on something else, brought into a model layer by layer.

ResNet50's from ImageNet (Deng et al. 2009, doi:10.1109/CVPR.2009.5206848): downloaded by Keras
Applications, or from a file.
"""

from pathlib import Path
from typing import Any

import numpy.typing as npt

from emotool.errors import TrainingError
from emotool.text import path_text
from emotool_training.npz_store import load_arrays

__all__ = ["IMAGENET", "NONE", "RANDOM", "load_pretrained", "read_npz"]

IMAGENET, NONE = "imagenet", "none"
RANDOM = "random weights"
"""What `load_pretrained` says where nothing was taken."""

Arrays = dict[str, npt.NDArray[Any]]


def load_pretrained(model: Any, weights: str) -> str:
    """Give a model's layers the weights of layers of the same names.

    Parameters
    ----------
    model : keras.Model
        Of an architecture that starts from such weights. Layers below its input and its head,
        which have no counterpart there, keep their own.
    weights : str
        ``imagenet`` (downloaded and kept by Keras), ``none``, or the path of a file:
        ``.npz`` with arrays ``LAYER/NAME``, or a ``.weights.h5`` of Keras Applications'
        ResNet50 without its top.

    Returns
    -------
    str
        One line on what was taken, for people and the model's card.

    Raises
    ------
    TrainingError
        If the weights cannot be had, or lack a layer of the model.
    """
    if weights == NONE:
        return RANDOM
    if weights == IMAGENET:
        return f"{_copy(model, _downloaded())} from ImageNet"
    path = Path(weights)
    if path.name.endswith(".npz"):
        return f"{_copy(model, read_npz(path))} from {path_text(path.name)}"
    if path.name.endswith(".h5"):
        return f"{_copy(model, _from_h5(path))} from {path_text(path.name)}"
    raise TrainingError(
        f"--weights {weights}: expected imagenet, none, or the path of a .npz or .weights.h5 file"
    )


def _copy(model: Any, arrays: Arrays) -> str:
    """Assign the arrays to the model's layers; say how many layers got theirs."""
    wanted = [layer for layer in model.layers if _is_backbone(layer)]
    missing = [
        layer.name
        for layer in wanted
        if any(f"{layer.name}/{variable.name}" not in arrays for variable in layer.weights)
    ]
    if missing:
        raise TrainingError(
            f"the weights lack {len(missing)} of {len(wanted)} layers: {', '.join(missing[:3])} …",
            hint="they must be ResNet50's, under Keras's layer names; or cut the model earlier",
        )
    for layer in wanted:
        for variable in layer.weights:
            array = arrays[f"{layer.name}/{variable.name}"]
            if array.shape != tuple(variable.shape):
                raise TrainingError(
                    f"the weights of {layer.name} have the shape {array.shape}, "
                    f"expected {tuple(variable.shape)}"
                )
            variable.assign(array)
    return f"weights of {len(wanted)} layers"


def _is_backbone(layer: Any) -> bool:
    return bool(layer.weights) and layer.name.startswith("conv")


def read_npz(path: Path) -> Arrays:
    """Read weights, ``LAYER/NAME``, from a ``.npz``; `TrainingError` if it is none."""
    try:
        return load_arrays(path)
    except ValueError as error:
        raise TrainingError(
            f"{path}: cannot be read as weights: {error.__cause__ or error}",
            hint="a .npz with arrays LAYER/NAME was expected",
        ) from error


def _from_h5(path: Path) -> Arrays:
    import keras

    whole = keras.applications.ResNet50(include_top=False, weights=None)
    try:
        whole.load_weights(path)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"{path}: cannot be read as weights of ResNet50 without its top: {error}"
        ) from error
    return _arrays_of(whole)


def _downloaded() -> Arrays:
    import keras

    try:
        whole = keras.applications.ResNet50(include_top=False, weights="imagenet")
    # Keras raises a bare Exception where a download fails.
    except Exception as error:
        raise TrainingError(
            f"ResNet50's ImageNet weights cannot be downloaded: {error}",
            hint="where there is no network, name a file with --weights PATH, or train from "
            "scratch with --weights none",
        ) from error
    return _arrays_of(whole)


def _arrays_of(model: Any) -> Arrays:
    return {
        f"{layer.name}/{variable.name}": variable.numpy()
        for layer in model.layers
        for variable in layer.weights
    }
