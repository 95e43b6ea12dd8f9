"""Measuring a command."""

import sys

import pytest

from benchmarks.speed_process import CommandFailedError, environment, measure


def test_processor_time_includes_children() -> None:
    """What a command's own children use is counted."""
    burn = "sum(range(3_000_000))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    done = measure([sys.executable, "-c", parent])
    assert done.cpu_s > measure([sys.executable, "-c", "pass"]).cpu_s


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_that_of_all_processes() -> None:
    """A child's memory is added to its parent's."""
    hold = "data = bytearray(b'x' * (64 << 20)); import time; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    assert measure([sys.executable, "-c", parent], watch=True).peak_mib > 64


def test_a_failing_command_is_no_measurement() -> None:
    """Its last words are the error."""
    with pytest.raises(CommandFailedError, match="ouch"):
        measure([sys.executable, "-c", "import sys; sys.exit('ouch')"])


def test_what_slows_numpy_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings for another processor's kernels do not reach what is measured."""
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    assert not {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} & environment().keys()
