"""Comparison of exported models with trained ones."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from emotool.errors import TrainingError
from emotool.model.session import open_session
from emotool_training.export.onnx_graph import OUTPUTS, store_half, to_onnx
from emotool_training.export.parity import TOLERANCE, agreement, check_parity
from tests.tiny_keras import noise, tiny_model

pytestmark = pytest.mark.training


def changed(proto: onnx.ModelProto, factor: float) -> onnx.ModelProto:
    """Copy a model with every weight multiplied."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    for tensor in copy.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 100:
            tensor.CopyFrom(
                numpy_helper.from_array((values * np.float32(factor)).copy(), tensor.name)
            )
    return copy


def test_the_same_model_differs_by_rounding_only() -> None:
    """Every output is compared, and the differences can be shown."""
    session = open_session(to_onnx(tiny_model(), 1.5).SerializeToString(), "cpu", 1)
    parity = check_parity(tiny_model(), session, 1.5, noise(40))
    assert parity.windows == 40
    assert set(parity.differences) == set(OUTPUTS)
    assert max(parity.differences.values()) <= TOLERANCE
    assert "40 windows" in str(parity)


@pytest.mark.parametrize("factor", [1.001, float("nan")])
def test_a_model_that_drifted_is_refused(factor: float) -> None:
    """A thousandth in the weights, or NaN, is more than rounding."""
    session = open_session(changed(to_onnx(tiny_model()), factor).SerializeToString(), "cpu", 1)
    with pytest.raises(TrainingError, match="differs from the trained one"):
        check_parity(tiny_model(), session, 1.0, noise(4))


def test_a_temperature_left_out_is_noticed() -> None:
    """Probabilities at another temperature are another model's."""
    session = open_session(to_onnx(tiny_model(), 1.0).SerializeToString(), "cpu", 1)
    with pytest.raises(TrainingError, match="differs"):
        check_parity(tiny_model(), session, 2.0, noise(4))


def test_agreement_counts_labels_and_the_largest_change() -> None:
    """A model agrees with itself; stored as float16 it is close."""
    plain = to_onnx(tiny_model())
    one = open_session(plain.SerializeToString(), "cpu", 1)
    assert agreement(one, one, noise(5)).labels == 1.0
    assert agreement(one, one, noise(5)).probability == 0.0
    half = agreement(one, open_session(store_half(plain).SerializeToString(), "cpu", 1), noise(5))
    assert (half.labels, half.windows) == (1.0, 5)
    assert 0 < half.probability < 2e-3
