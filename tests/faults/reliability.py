"""Write docs/reliability.md from the list of faults, or say whether it is current.

python -m tests.faults.reliability [--check]
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.fault import ROOT, Fault
from tests.faults.table import SECTIONS

__all__ = ["PAGE", "page"]

PAGE = ROOT / "docs" / "reliability.md"

_HEAD = """\
# What happens when something goes wrong

Each line is a fault that is tried by `make test`, by the test it names, on the real command line
where that makes a difference. The page is written by `python -m tests.faults.reliability` from the
list that the tests go through; a test fails when it is not current. `make torture` tries more of
the same for longer.

"Says" is what the row's `error` says, or standard error where it begins with "error:"; `…` stands
for anything. The exit code is that of a run in which everything else is well: 3 if some clips
failed (1 if all did), 0 if every input has a result. Without a number, the fault does not decide
it.

What a run has done is kept beside its first output, in `.NAME.emotool-journal`, and in
`.NAME.emotool-lock` who is writing. Both are gone when the outputs are in place; an interrupted run
leaves the journal, for the same command to go on from. It may be deleted: the next run then begins
anew.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for title, faults in SECTIONS:
        yield f"## {title}\n"
        yield "| fault | what happens | says | exit code | tried by |"
        yield "|---|---|---|---|---|"
        yield from map(_line, faults)
        yield ""


def _line(fault: Fault) -> str:
    says = " ".join(f"`` {line} ``" if "`" in line else f"`{line}`" for line in _lines(fault))
    code = "" if fault.code is None else str(fault.code)
    tests = ", ".join(f"[{_short(test)}](../{test.partition('::')[0]})" for test in fault.tests)
    what = fault.what.replace("|", "\\|")
    return f"| {what} | {fault.outcome} | {says} | {code} | {tests} |"


def _lines(fault: Fault) -> list[str]:
    return [line.replace("|", "\\|") for line in fault.says.splitlines()]


def _short(test: str) -> str:
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")


def main() -> int:
    """Write the page, or with --check compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    if not parser.parse_args().check:
        PAGE.write_text(page(), "utf-8")
        return 0
    current = PAGE.is_file() and PAGE.read_text("utf-8") == page()
    if not current:
        name = Path(PAGE).relative_to(ROOT)
        sys.stderr.write(f"{name} is stale: run python -m tests.faults.reliability\n")
    return 0 if current else 1


if __name__ == "__main__":
    raise SystemExit(main())
