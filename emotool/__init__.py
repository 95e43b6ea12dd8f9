"""Label folders of speech with emotions.

Importing this package costs nothing heavy: numpy, ONNX Runtime and rich are loaded
by the commands and functions that need them.
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
