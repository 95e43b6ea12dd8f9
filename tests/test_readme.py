"""README.md and the other documents say what is so."""

import re
import subprocess
from pathlib import Path

import pytest

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "docs/decisions.md",
    "docs/reliability.md",
    "docs/schema.md",
    "docs/tutorial.md",
)


def test_generated_blocks_are_current(root: Path, python: str, python_path: dict[str, str]) -> None:
    """README's help texts and tables are what the program prints today (`make readme`)."""
    done = subprocess.run(
        [python, "docs/update_readme.py", "--check"],
        cwd=root,
        env=python_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name: str, root: Path) -> None:
    """Every link of a document to a place in the repository leads to a file that is there."""
    text = (root / name).read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]+)", text)
    local = [target for target in targets if "://" not in target]
    missing = [target for target in local if not ((root / name).parent / target).exists()]
    assert not missing


def test_commands_in_readme_have_the_options_they_use(root: Path) -> None:
    """Each option of an `emotool` command in README's examples is in that command's help."""
    text = (root / "README.md").read_text("utf-8")
    helps = dict(re.findall(r"<code>emotool ([a-z ]+)</code>.*?```text\n(.*?)```", text, re.DOTALL))
    examples = re.findall(r"^(?:\S*[/\\])?emotool ([a-z].*)$", text, re.MULTILINE)
    assert len(examples) >= 8
    for example in examples:
        words = example.partition("#")[0].split()
        command = next(name for name in helps if words[: len(name.split())] == name.split())
        options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
        assert [option for option in options if option not in helps[command]] == [], example


def test_make_targets_in_documents_exist(root: Path) -> None:
    """Every `make TARGET` that a document names is a target of the Makefile."""
    made = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in DOCUMENTS:
        named = set(re.findall(r"(?:`|^)make ([a-z]+)", (root / name).read_text("utf-8"), re.M))
        assert named <= made, name
