"""Weights that were trained on something else, brought into a model layer by layer.

ResNet50's from ImageNet (Deng et al. 2009, doi:10.1109/CVPR.2009.5206848), downloaded by Keras
Applications; the encoder of Whisper base (Radford et al. 2022, arXiv:2212.04356), downloaded by
``transformers``; or either from a file.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from emotool.errors import TrainingError
from emotool.text import path_text
from emotool_training.npz_store import load_arrays

__all__ = [
    "IMAGENET",
    "NONE",
    "RANDOM",
    "WHISPER",
    "default_weights",
    "load_pretrained",
    "read_npz",
]

IMAGENET, WHISPER, NONE = "imagenet", "whisper-base", "none"
POSITIONS = "position_embedding"
"""Whisper's positions: a layer, and the name of its only array, of which a window takes the
first rows."""

RANDOM = "random weights"
"""What `load_pretrained` returns if nothing was loaded."""

Arrays = dict[str, npt.NDArray[Any]]


def default_weights(architecture: str) -> str:
    """Name the weights that an architecture starts from where none are chosen."""
    return WHISPER if architecture == "whisper" else IMAGENET


def load_pretrained(model: Any, weights: str) -> str:
    """Give a model's layers the weights of layers of the same names.

    Parameters
    ----------
    model : keras.Model
        Of an architecture that starts from such weights. Layers below its input and its head,
        which have no counterpart there, keep their own.
    weights : str
        ``imagenet`` (downloaded and kept by Keras), ``whisper-base`` (downloaded and kept by
        ``transformers``), ``none``, or the path of a file: ``.npz`` with arrays ``LAYER/NAME``,
        or a ``.weights.h5`` of Keras Applications' ResNet50 without its top.

    Returns
    -------
    str
        One line on what was taken, for people and the model's card.

    Raises
    ------
    TrainingError
        If the weights cannot be had, are of another network, or lack a layer of the model.
    """
    if weights == NONE:
        return RANDOM
    if weights in (IMAGENET, WHISPER):
        if weights != (expected := default_weights(model.name)):
            raise TrainingError(
                f"--weights {weights} are of another network than {model.name}",
                hint=f"its own are {expected}",
            )
        if weights == IMAGENET:
            return f"{_copy(model, _downloaded())} from ImageNet"
        return f"{_copy(model, whisper_arrays())} from Whisper base"
    path = Path(weights)
    if path.name.endswith(".npz"):
        return f"{_copy(model, read_npz(path))} from {path_text(path.name)}"
    if path.name.endswith(".h5"):
        return f"{_copy(model, _from_h5(path))} from {path_text(path.name)}"
    raise TrainingError(
        f"--weights {weights}: expected imagenet, whisper-base, none, or the path of a .npz or "
        ".weights.h5 file"
    )


def _copy(model: Any, arrays: Arrays) -> str:
    """Assign the arrays to the model's layers; return how many layers got theirs."""
    wanted = [layer for layer in model.layers if _is_backbone(layer)]
    missing = [layer.name for layer in wanted if any(_key(v) not in arrays for v in layer.weights)]
    if missing:
        raise TrainingError(
            f"the weights lack {len(missing)} of {len(wanted)} layers: {', '.join(missing[:3])} …",
            hint=f"they must be of {model.name}, under the names of its layers; or cut the model "
            "earlier",
        )
    for layer in wanted:
        for variable in layer.weights:
            array = arrays[_key(variable)]
            if layer.name == POSITIONS:
                array = array[: variable.shape[0]]  # [frames of a window, width]
            if array.shape != tuple(variable.shape):
                raise TrainingError(
                    f"the weights of {layer.name} have the shape {array.shape}, "
                    f"expected {tuple(variable.shape)}"
                )
            variable.assign(array)
    return f"weights of {len(wanted)} layers"


def _key(variable: Any) -> str:
    """Name a variable's array: its path within the model; positions have no second part."""
    path = str(variable.path)
    return POSITIONS if path.startswith(f"{POSITIONS}/") else path


def _is_backbone(layer: Any) -> bool:
    return bool(layer.weights) and layer.name.startswith(("conv", "block", POSITIONS))


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


_WHISPER_LAYERS = {
    "attention_norm": "self_attn_layer_norm",
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "attention_output": "self_attn.out_proj",
    "feedforward_norm": "final_layer_norm",
    "feedforward_in": "fc1",
    "feedforward_out": "fc2",
}
"""What ``transformers`` calls the parts of a block."""


def whisper_arrays() -> Arrays:
    """Download Whisper base, or find it where ``transformers`` keeps it, and rename its encoder.

    Raises
    ------
    TrainingError
        If ``transformers`` is not installed, or the weights cannot be downloaded.
    """
    hint = "name a file with --weights PATH, or train from scratch with --weights none"
    try:
        from transformers import WhisperModel
    except ImportError as error:
        raise TrainingError(
            f"Whisper's weights are downloaded by the package transformers: {error}",
            hint=f"pip install transformers, {hint}",
        ) from error
    try:
        encoder = WhisperModel.from_pretrained("openai/whisper-base").encoder
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"Whisper's weights cannot be downloaded: {error}", hint=hint
        ) from error
    return renamed({name: value.numpy() for name, value in encoder.state_dict().items()})


def renamed(state: Arrays) -> Arrays:
    """Rename and transpose the encoder's arrays as the layers of the model have them.

    Parameters
    ----------
    state : dict of str to ndarray
        By the names of ``transformers``: kernels [out, in] or [out, in, width].

    Returns
    -------
    dict of str to ndarray
        ``LAYER/NAME``: kernels [in, out] or [width, in, out].
    """
    names = {"embed_positions": POSITIONS, "conv1": "conv1", "conv2": "conv2"}
    blocks = {name.split(".")[1] for name in state if name.startswith("layers.")}
    for number in blocks:
        for ours, theirs in _WHISPER_LAYERS.items():
            names[f"layers.{number}.{theirs}"] = f"block{int(number) + 1}/{ours}"
    arrays: Arrays = {}
    for name, value in state.items():
        layer, _, kind = name.rpartition(".")
        if layer not in names:
            continue
        ours = names[layer]
        if ours == POSITIONS:
            arrays[ours] = value
        elif ours.endswith("norm"):
            arrays[f"{ours}/{'gamma' if kind == 'weight' else 'beta'}"] = value
        else:
            arrays[f"{ours}/{'kernel' if kind == 'weight' else 'bias'}"] = np.transpose(value)
    return arrays
