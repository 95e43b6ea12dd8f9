"""A worker that does what decoders do on a bad day, depending on the clip's name.

Run as ``python -m tests.emotool.misbehaving``; `COMMAND` does that from anywhere.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
    "from tests.emotool.misbehaving import main; main()",
)


def misbehave(path: str, parts: Iterator[Any]) -> Iterator[Any]:
    """Do what the clip's name says, before its parts or after the first."""
    name = Path(path).name
    if name.startswith("crash"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("exit"):
        os._exit(7)
    if name.startswith("hang"):
        time.sleep(1000)
    if name.startswith("chatter"):
        os.write(1, b"mpg123: warning\n")
        print("a library that prints")  # noqa: T201
        sys.stderr.write("and complains")
    if name.startswith("unforeseen"):
        raise ZeroDivisionError("nobody thought of that")
    if name.startswith("hungry"):
        raise MemoryError
    for part in parts:
        yield part
        # Its first windows are sent when the next are ready: die after that, but only once.
        if name.startswith("stumble") and not (mark := Path(path + ".stumbled")).exists():
            yield part
            mark.touch()
            os._exit(9)


def main() -> None:
    """Serve as a worker does, misbehaving."""
    import emotool.features.extraction
    import emotool.workers.worker

    extract = emotool.features.extraction.iter_extract

    def wrapped(path: str, *arguments: Any, **options: Any) -> Iterator[Any]:
        return misbehave(path, extract(path, *arguments, **options))

    emotool.features.extraction.iter_extract = wrapped
    emotool.workers.worker.main()
