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
# Reliability: what happens when something goes wrong

Each row is a fault that `make test` provokes, on the real command line where that makes a
difference; the last column names the tests. `python -m tests.faults.reliability` writes this page
from the list that the tests use. `make torture` tries more of the same for longer.

*Message* is the row's `error`, or standard error where it begins with "error:"; `…` stands for any
text. *Exit code* is that of a run without other faults: 3 if some clips failed (1 if all did), 0 if
every input has a result. It is empty where the fault does not determine it.

The results of an unfinished run are kept beside its first output in `.NAME.emotool-journal`;
`.NAME.emotool-lock` marks the output as being written. Both are removed when the outputs are
complete. An interrupted run leaves the journal, so that the same command resumes. It may be
deleted: the next run then starts over.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for title, faults in SECTIONS:
        yield f"## {title}\n"
        yield "| fault | what happens | message | exit code | tests |"
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
