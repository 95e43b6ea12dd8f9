"""Files that writers write: whole or not at all, as text or bytes."""

import sys
from types import TracebackType
from typing import IO, Any, Self

from emotool.errors import OutputError
from emotool.files.atomic import open_atomic
from emotool.writers.base import STDOUT

__all__ = ["BinaryOutput", "TextOutput"]


class _FileOutput:
    """A file, an object of a store, or standard output, that appears whole or not at all.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.
    text : bool
        Whether text is written, in UTF-8, or bytes.

    Raises
    ------
    OutputError
        If the target cannot be written to.
    """

    def __init__(self, target: str, *, text: bool) -> None:
        if target == STDOUT:
            if sys.stdout is None:  # descriptor 1 may be another file by now
                raise OutputError("cannot write to standard output: it is closed")
            sys.stdout.flush()  # what was printed before comes first
        self._file = open_atomic(1 if target == STDOUT else target, text=text)
        self.terminal: bool = self._file.streaming and self._file.handle.isatty()

    def discard(self) -> None:
        """Discard the file; what was there before stays."""
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


class TextOutput(_FileOutput):
    """A text file, or standard output, written piece by piece.

    Parameters
    ----------
    target : str
        A path, or ``-`` for standard output.

    Attributes
    ----------
    terminal : bool
        Whether it is a terminal, which would obey control characters.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target, text=True)
        self._handle: IO[str] = self._file.handle

    def put(self, text: str) -> None:
        """Write a piece of the file; a reader of a pipe gets it at once."""
        try:
            self._handle.write(text)
            if self._file.streaming:
                self._handle.flush()
        except (OSError, OutputError):
            self.discard()  # a file with a piece missing is useless
            raise


class BinaryOutput(_FileOutput):
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
        If the target cannot be written to, or is a terminal.
    """

    def __init__(self, target: str) -> None:
        super().__init__(target, text=False)
        if self.terminal:
            self._file.discard()
            raise OutputError(
                f"{self._file.shown} is a terminal, and this format is binary",
                hint="write it to a file with -o, or pipe it to another program",
            )
        self.sink = _Sink(self._file.handle)

    def discard(self) -> None:
        """Discard the file; what was there before stays."""
        self.sink.dropped = True
        super().discard()


class _Sink:
    """The file that libraries write to; it ignores what they write after an error."""

    def __init__(self, handle: IO[Any]) -> None:
        self._handle = handle
        self.dropped = False
        self.closed = False  # pyarrow asks

    def write(self, data: Any) -> int:
        if not self.dropped:
            try:
                self._handle.write(data)
            except BaseException:
                self.dropped = True  # a file with a piece missing is useless
                raise
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None: ...
