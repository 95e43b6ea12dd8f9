"""Label folders of speech with emotions.

>>> from emotool import classify
>>> for result in classify("samples"):  # doctest: +SKIP
...     print(result.path, result.label, result.confidence)

Importing this package costs nothing heavy: numpy, ONNX Runtime and rich are loaded
by the commands and functions that need them.
"""

import os
import sys
import warnings
from typing import TYPE_CHECKING

from emotool.version import __version__

if TYPE_CHECKING:
    from emotool.api import Result, classify, load_model, to_frame

__all__ = ["Result", "__version__", "classify", "load_model", "to_frame"]

# ONNX Runtime 1.29 and later writes a device identifier into the user's cache folder and sends
# events to its maker as soon as it is loaded. It reads this variable at that moment, so it is set
# here, before any module of emotool can import it. Child processes inherit it.
if "onnxruntime" in sys.modules and os.environ.get("ORT_DISABLE_TELEMETRY", "0") in ("", "0"):
    # What it does at loading cannot be undone; the events that can be switched off later are.
    sys.modules["onnxruntime"].disable_telemetry_events()
    warnings.warn(
        "this program loaded ONNX Runtime before emotool, with ONNX Runtime's telemetry on: "
        "import emotool first, or set ORT_DISABLE_TELEMETRY=1 in the environment",
        RuntimeWarning,
        stacklevel=2,
    )
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def __getattr__(name: str) -> object:
    """Load the Python API when something of it is requested (PEP 562)."""
    if name in __all__:
        from emotool import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List what can be had, loaded or not."""
    return sorted({*globals(), *__all__})
