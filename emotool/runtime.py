"""Import ONNX Runtime with its telemetry off."""

import warnings
from functools import cache
from typing import Any

import emotool

__all__ = ["import_onnxruntime"]


@cache
def import_onnxruntime() -> Any:
    """Import ONNX Runtime.

    All of emotool imports it by this function. `emotool` itself sets ``ORT_DISABLE_TELEMETRY``,
    which ONNX Runtime reads when it is loaded.

    Returns
    -------
    module
        ``onnxruntime``.

    Warns
    -----
    RuntimeWarning
        If the program had loaded ONNX Runtime, with its telemetry on, before it imported emotool.
        What ONNX Runtime does at loading cannot be undone; the events that can be switched off
        afterwards are.
    """
    import onnxruntime

    if emotool._ORT_LOADED_WITH_TELEMETRY:
        onnxruntime.disable_telemetry_events()
        warnings.warn(
            "this program loaded ONNX Runtime before emotool, with ONNX Runtime's telemetry on: "
            "import emotool first, or set ORT_DISABLE_TELEMETRY=1 in the environment",
            RuntimeWarning,
            stacklevel=2,
        )
    return onnxruntime
