"""Whether sums of int8 products overflow on this processor."""

import functools
from pathlib import Path
from typing import Final

__all__ = ["PROBE", "int8_sums_overflow"]

PROBE: Final = Path(__file__).with_name("int8_sums.onnx")
"""One `MatMulInteger`: u8 [1, 64] times weights of 127, i8 [64, 16]."""

_LARGEST_SUM: Final = 64 * 255 * 127


@functools.cache
def int8_sums_overflow() -> bool:
    """Return whether ONNX Runtime's fastest int8 kernels overflow on this processor.

    Without VNNI instructions they add pairs of products in 16 bits. ONNX Runtime has kernels that
    do not (``session.x64quantprecision``); they take up to 1.7 times as long, and with the option
    it uses them on processors with VNNI too. So the largest sum is computed once (a millisecond).
    """
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        PROBE.read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    (sums,) = session.run(["sums"], {"levels": np.full((1, 64), 255, np.uint8)})  # i32 [1, 16]
    return bool((sums != _LARGEST_SUM).any())
