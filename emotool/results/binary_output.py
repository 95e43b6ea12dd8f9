"""What writers of binary formats share: opening, finishing and giving up their file."""

import sys
from types import TracebackType
from typing import IO, Any, Self

from emotool.errors import OutputError
from emotool.files import AtomicFile

__all__ = ["BinaryOutput"]


class _Sink:
    """The file as libraries see it, who may want to write on when it is given up already."""

    def __init__(self, handle: IO[Any]) -> None:
        self._handle = handle
        self.dropped = False
        self.closed = False  # pyarrow asks

    def write(self, data: Any) -> int:
        if not self.dropped:
            try:
                self._handle.write(data)
            except BaseException:
                self.dropped = True  # a file with a piece missing is good for nothing
                raise
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...


class BinaryOutput:
    """A binary file, or standard output if that is no terminal.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.

    Attributes
    ----------
    sink : object
        What a library writes to: ``write(bytes)``, without seeking.

    Raises
    ------
    OutputError
        If the place cannot be written to, or is a person's terminal.
    """

    def __init__(self, target: str) -> None:
        if target == "-":
            if sys.stdout is None:  # descriptor 1 may be another file by now
                raise OutputError("cannot write to standard output: it is closed")
            sys.stdout.flush()  # what was printed before comes first
        self._file = AtomicFile(1 if target == "-" else target)
        if self._file.streaming and self._file.handle.isatty():
            self._file.discard()
            raise OutputError(
                f"{self._file.shown} is a terminal, and this format is no text",
                hint="write it to a file with -o, or pipe it to another program",
            )
        self.sink = _Sink(self._file.handle)

    def discard(self) -> None:
        """Give the file up; what was there before stays."""
        self.sink.dropped = True
        self._file.discard()

    def close(self) -> None:
        """Put the file in its place; formats with an end write that first."""
        self._file.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()
