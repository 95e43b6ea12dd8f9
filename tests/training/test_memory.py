"""Freed memory stays with the process that will want it again."""

import subprocess
import sys

import pytest

PROGRAM = """
import ctypes
import resource
import sys

from emotool_training.tf_setup import keep_freed_memory

if sys.argv[1] == "kept":
    assert keep_freed_memory()
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
c.free.argtypes = [ctypes.c_void_p]
size = 48 << 20
for _ in range(20):
    block = c.malloc(size)
    ctypes.memset(block, 1, size)
    c.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="malloc can be told on Linux only")
def test_pages_are_asked_for_once(python: str, python_path: dict[str, str]) -> None:
    """A large block that is freed and wanted again has the same pages, which glibc else gives up.

    Without it, each of twenty blocks of 48 MiB costs its 12,288 pages again.
    """
    import platform

    if platform.libc_ver()[0] != "glibc":
        pytest.skip("malloc can be told in glibc only")
    faults = {}
    for how in ("kept", "given back"):
        done = subprocess.run(
            [python, "-c", PROGRAM, how],
            env=python_path,
            capture_output=True,
            text=True,
            check=True,
        )
        faults[how] = int(done.stdout)
    assert faults["kept"] < 0.2 * faults["given back"]


def test_where_malloc_cannot_be_told_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another system, or another C library, trains as it did."""
    from emotool_training import tf_setup as memory

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_freed_memory()
    monkeypatch.setattr(memory.sys, "platform", "linux")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_freed_memory()
