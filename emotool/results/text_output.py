"""What writers of text formats share: opening, finishing and giving up their file."""

import sys
from types import TracebackType
from typing import IO, Self

from emotool.errors import OutputError
from emotool.files import AtomicFile

__all__ = ["TextOutput"]


class TextOutput:
    """A text file, or standard output, that rows are put into one after the other.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.

    Attributes
    ----------
    terminal : bool
        Whether a person's terminal shows what is written, and would obey control characters.
    """

    def __init__(self, target: str) -> None:
        if target == "-":
            if sys.stdout is None:  # descriptor 1 may be another file by now
                raise OutputError("cannot write to standard output: it is closed")
            sys.stdout.flush()  # what was printed before comes first
        self._file = AtomicFile(1 if target == "-" else target, text=True)
        self._handle: IO[str] = self._file.handle
        self.terminal = self._file.streaming and self._handle.isatty()

    def put(self, text: str) -> None:
        """Write a piece of the file; a reader of a pipe gets it at once."""
        try:
            self._handle.write(text)
            if self._file.streaming:
                self._handle.flush()
        except (OSError, OutputError):
            self.discard()  # a file with a piece missing is good for nothing
            raise

    def discard(self) -> None:
        """Give the file up; what was there before stays."""
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
