"""The process behind ``emotool`` and ``python -m emotool``."""

import signal
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    # Nothing can be lost yet, so the traceback of Ctrl-C is not needed.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from emotool.cli import main as run

    try:
        run()
    finally:
        # How it ends is settled; the interpreter only has to clear itself away.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


if __name__ == "__main__":
    main()
