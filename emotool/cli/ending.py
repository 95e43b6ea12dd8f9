"""What Ctrl-C and SIGTERM do to a command.

The first of them is raised as an exception, so that what must be cleaned up is. It is remembered
too, since a library may swallow it: ONNX Runtime answers one that comes while it loads with an
ImportError. More of them in the next two seconds are ignored: they must not interrupt a clean-up,
and one Ctrl-C can arrive twice, from the terminal and from a parent process.
"""

import signal
import sys
import time
from types import FrameType
from typing import NoReturn

__all__ = ["INTERRUPTED", "TERMINATED", "raise_again", "received", "watch"]

INTERRUPTED, TERMINATED = 130, 143  # 128 + the signal, as shells say it
_CODES = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_DEAF_SECONDS = 2.0

_state = {"code": 0, "at": 0.0}


def watch() -> None:
    """Take the signals over, but those that the process was started to ignore (``nohup``)."""
    _state.update(code=0)
    _quieten_destructors()
    for number in _CODES:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def received() -> int:
    """Return the exit code that a signal has asked for, 0 if none came."""
    return int(_state["code"])


def raise_again() -> None:
    """Raise once more what a signal has asked for, if a library has swallowed it."""
    if received():
        _raise(received())


def _quieten_destructors() -> None:
    """Silence a signal that came in a destructor, where Python drops the exception.

    It is raised again elsewhere; its traceback would look like a mistake of ours.
    """
    others = sys.unraisablehook

    def hook(unraisable: "sys.UnraisableHookArgs") -> None:
        if not (received() and issubclass(unraisable.exc_type, KeyboardInterrupt | SystemExit)):
            others(unraisable)

    if getattr(others, "__module__", None) != __name__:
        sys.unraisablehook = hook


def _end(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if received() and now - _state["at"] < _DEAF_SECONDS:
        return
    _state.update(code=_CODES[signal.Signals(number)], at=now)
    _raise(received())


def _raise(code: int) -> NoReturn:
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    raise SystemExit(code)
