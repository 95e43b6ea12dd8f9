"""Draw docs/classify.svg: what a terminal really shows when the samples are classified.

The commands run in a pseudo-terminal; its bytes go through a small model of a screen (progress
bars redraw their lines) and are drawn by rich. The picture's font is the reader's own.

    python docs/make_picture.py
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "classify.svg"
WIDTH, HEIGHT = 64, 60  # narrow, so that the text can be read where the picture is small
SHOWN_ROWS, SHOWN_COLUMNS = 5, 4

# What rich's live displays send apart from colours: up, erase line, hide and show the cursor.
CONTROL = re.compile(r"\x1b\[(?P<count>\d*)(?P<what>[AK])|\x1b\[\?25[lh]|(?P<plain>[\r\n])")


def in_terminal(command: list[str], folder: Path) -> str:
    """Run a command in a terminal of WIDTH columns; return all that it wrote there."""
    reader, writer = pty.openpty()
    fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    hidden = {"NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "CI", "EMOTOOL_MODELS"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=writer, stdout=writer, stderr=writer
    )
    os.close(writer)
    written = b""
    while True:
        try:
            piece = os.read(reader, 65_536)
        except OSError:  # Linux says so when the last writer has closed
            piece = b""
        if not piece:
            break
        written += piece
    os.close(reader)
    if process.wait():
        raise SystemExit(f"{' '.join(command)} failed:\n{written.decode()}")
    return written.decode("utf-8")


def screen(written: str) -> str:
    """Return what stands on the screen in the end, colours kept."""
    lines, row, position = [""], 0, 0
    for control in [*CONTROL.finditer(written), None]:
        text = written[position : control.start() if control else None]
        if text:
            # rich rewrites whole lines: what comes after a return replaces what was there.
            lines[row] = text if lines[row].endswith("\r") else lines[row] + text
        if control is None:
            break
        position = control.end()
        if control["what"] == "A":
            row = max(0, row - int(control["count"] or 1))
        elif control["what"] == "K":
            lines[row] = ""
        elif control["plain"] == "\r":
            lines[row] += "" if lines[row].endswith("\r") else "\r"
        elif control["plain"] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
    return "\n".join(line.rstrip("\r ") for line in lines).rstrip("\n")


def draw(commands: list[tuple[str, str]]) -> str:
    """Return an SVG of a terminal in which these commands wrote these texts."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        for typed, shown in commands:
            console.print(Text.assemble(("$ ", "bold green"), (typed, "bold")))
            console.print(Text.from_ansi(shown), overflow="fold")
            console.print()
        svg = console.export_svg(title="emotool", unique_id="emotool")
    # rich names a web font by its address; a picture should need no network.
    return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def main() -> int:
    """Classify the samples and write the picture."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "samples").symlink_to(ROOT / "samples")
        emotool = [sys.executable, "-m", "emotool"]
        arguments = ["classify", "samples/", "-o", "labels.csv"]
        run = screen(in_terminal([*emotool, *arguments], folder))
        lines = (folder / "labels.csv").read_text("utf-8").splitlines()
    shown = [",".join(line.split(",")[:SHOWN_COLUMNS]) for line in lines[:SHOWN_ROWS]]
    head = f"cut -d, -f1-{SHOWN_COLUMNS} labels.csv | head -{SHOWN_ROWS}", "\n".join(shown)
    PICTURE.write_text(draw([(f"emotool {' '.join(arguments)}", run), head]), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
