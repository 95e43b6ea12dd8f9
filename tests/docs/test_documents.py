"""The documents say what is so, in plain words, and lead somewhere."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from docs.command_reference import commands
from emotool.results.columns import Columns

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")),
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
]
README_LINES = 150
# Words that this project once used for something that has a plain name.
ODD_WORDS = {
    "anew": "again",
    "blotted": "masked",
    "decisions.md": "docs/design.md or docs/research-log.md",
    "begins anew": "restarts",
    "going on with": "resuming",
    "gone on with": "resumed",
    "goes on where": "resumes",
    "golden answer": "reference output",
    "hears": "receives",
    "labelled rightly": "labelled correctly",
    "mended": "fixed",
    "nobody knows": "unknown",
    "out of its mind": "invalid",
    "parted by": "separated by",
    "passed over": "skipped",
    "strangers": "untrusted",
    "very sound": "identical audio",
    "whoever": "the person who",
}
_ODD = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in ODD_WORDS), re.IGNORECASE)
_NAMES = re.compile(r"`[^`\n]*`|^ *\w+ : .*$", re.MULTILINE)  # in backquotes, and parameters
_EXAMPLE = re.compile(r"^(?:\S*[/\\])?emotool ([a-z].*)$", re.MULTILINE)


def read(name: str) -> str:
    """Return a document's text."""
    return (ROOT / name).read_text("utf-8")


@pytest.mark.slow
def test_generated_blocks_are_current(root: Path, python: str, python_path: dict[str, str]) -> None:
    """Help texts, tables and pictures of rooms are what the program prints (`make readme`)."""
    done = subprocess.run(
        [python, "docs/generate.py", "--check"],
        cwd=root,
        env=python_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_readme_is_read_in_three_minutes() -> None:
    """It has 150 lines at most, generated parts included."""
    assert len(read("README.md").splitlines()) <= README_LINES


def test_readme_names_every_column() -> None:
    """No column of a table of happy and sad is missing from its six lines."""
    named = set(re.findall(r"`(\w+)`", read("README.md")))
    assert set(Columns(["happy", "sad"]).names) <= named


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name: str, root: Path) -> None:
    """Every link of a document to a place in the repository leads to a file or page."""
    pages = {"changelog.md", "contributing.md", "security.md"}  # made by docs/site_hooks.py
    targets = re.findall(r"\]\(([^)#\s]+)", read(name))
    local = [target for target in targets if "://" not in target and target not in pages]
    assert [target for target in local if not ((root / name).parent / target).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_in_plain_words(name: str) -> None:
    """None has a word or phrase that has a plainer, common name."""
    code = r"```.*?```|`[^`\n]*`|\[[^\]]*\]\(\.\./tests/[^)]*\)"  # and names of tests
    prose = re.sub(code, "", read(name), flags=re.DOTALL)
    assert {found[0].lower() for found in _ODD.finditer(prose)} == set()


@pytest.mark.parametrize("package", ["emotool", "training/emotool_training"])
def test_program_texts_are_in_plain_words(package: str) -> None:
    """No message, help text or docstring of a package has one either."""
    found = {
        (path.name, node.lineno, word[0].lower())
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        for word in _ODD.finditer(_NAMES.sub("", node.value))
    }
    assert found == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_example_commands_have_the_options_they_use(name: str) -> None:
    """Each option of an `emotool` command in an example is one of that command's options."""
    options = {
        command: {"-h", "--help"} | {opt for param in found.params for opt in param.opts}
        for command, found in commands()
    }
    blocks = re.findall(r"^ *```console\n(.*?)```", read(name), re.MULTILINE | re.DOTALL)
    for example in _EXAMPLE.findall("\n".join(blocks)):
        words = example.partition("#")[0].split()
        command = next(known for known in options if words[: len(known.split())] == known.split())
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= options[command], example


def test_make_targets_in_documents_exist(root: Path) -> None:
    """Every `make TARGET` that a document names is a target of the Makefile."""
    made = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in DOCUMENTS:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", read(name), re.MULTILINE))
        assert named <= made, name


def test_contributing_names_files_that_exist(root: Path) -> None:
    """Each place in which something is added is there; NAME stands for the new one."""
    table = re.search(r"^## How to add\n(.*?)^## ", read("CONTRIBUTING.md"), re.M | re.S)
    assert table is not None
    places = re.findall(r"`((?:emotool|training|docs)/[\w/.]+)`", table[1])
    assert len(places) >= 8
    for place in places:
        path = root / place
        assert path.parent.is_dir() if "NAME" in place else path.is_file(), place
