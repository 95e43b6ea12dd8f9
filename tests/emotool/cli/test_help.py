"""Help in two lengths."""

import re
import subprocess

import pytest

from emotool.cli import COMMANDS, main

GROUPS = {"data": ["data", "check"]}
CALLS = [[], *(GROUPS.get(name, [name]) for name in COMMANDS), ["data"]]
IDS = [" ".join(call) or "emotool" for call in CALLS]


def help_of(python: str, python_path: dict[str, str], *arguments: str, columns: int = 80) -> str:
    """Return what a command prints when it is asked for help."""
    done = subprocess.run(
        [python, "-m", "emotool", *arguments],
        env=python_path | {"COLUMNS": str(columns)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_short_help_fits_a_screen(
    python: str, python_path: dict[str, str], call: list[str]
) -> None:
    """``-h`` takes at most 40 lines of 80 columns, and names the command's usage."""
    lines = help_of(python, python_path, *call, "-h").splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
    assert any(line.startswith(f"Usage: {' '.join(['emotool', *call])}") for line in lines)


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_help_has_no_types_in_angle_brackets(
    python: str, python_path: dict[str, str], call: list[str]
) -> None:
    """Values are shown by what they are, such as FILE or N, never as ``<int range>``."""
    assert re.findall(r"<[^>]+>", help_of(python, python_path, *call, "--help")) == []


@pytest.mark.parametrize("columns", [50, 60, 80, 200])
def test_help_keeps_to_the_terminal(python: str, python_path: dict[str, str], columns: int) -> None:
    """No line but an example, which is to be copied, is longer than the terminal is wide."""
    text = help_of(python, python_path, "classify", "--help", columns=columns)
    lines = text.partition("\nExamples:")[0].splitlines()
    assert max(map(len, lines)) <= columns


def test_complete_help_lists_every_option(python: str, python_path: dict[str, str]) -> None:
    """``--help`` has all options, in groups; ``-h`` some of them and where to find the others."""
    complete = help_of(python, python_path, "classify", "--help")
    brief = help_of(python, python_path, "classify", "-h")
    options = set(re.findall(r"^ .{5}(--[a-z0-9-]+)", complete, re.MULTILINE))
    shown = set(re.findall(r"^ .{5}(--[a-z0-9-]+)", brief, re.MULTILINE))
    assert {"--output", "--hop", "--save-config", "--help"} <= options
    assert shown < options
    assert len(shown) == 8
    assert "emotool classify --help" in brief


@pytest.mark.parametrize("call", CALLS, ids=IDS)
def test_help_stands_alone_where_options_are_in_groups(
    python: str, python_path: dict[str, str], call: list[str]
) -> None:
    """Under the heading Help there is no other option."""
    text = help_of(python, python_path, *call, "--help")
    _, heading, section = text.partition("\nHelp:\n")
    options = re.findall(r"^ .{1,5}(--[a-z0-9-]+)", section.partition("\n\n")[0], re.MULTILINE)
    assert options == (["--help"] if heading else [])


def test_both_spellings_together_give_the_complete_help(
    python: str, python_path: dict[str, str]
) -> None:
    """``-h --help`` asks for everything."""
    both = help_of(python, python_path, "classify", "-h", "--help")
    assert both == help_of(python, python_path, "classify", "--help")


def test_a_file_named_like_the_option_is_no_question(
    python: str, python_path: dict[str, str]
) -> None:
    """Behind ``--`` everything is a path."""
    done = subprocess.run(
        [python, "-m", "emotool", "classify", "-o", "-", "--", "--help"],
        env=python_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "Usage" not in done.stdout
    assert "--help" in done.stderr + done.stdout


@pytest.mark.parametrize("name", ["compare", "doctor", "evaluate", "explain", "export", "train"])
def test_examples_are_commands_that_exist(
    python: str, python_path: dict[str, str], name: str
) -> None:
    """Every option in an example is one of the command's."""
    complete = help_of(python, python_path, name, "--help")
    examples = complete.partition("\nExamples:")[2]
    for option in re.findall(r"(?<= )--[a-z-]+", examples):
        assert re.search(rf"^ .{{5}}{option}\b", complete, re.MULTILINE), option


@pytest.mark.parametrize("length", ["-h", "--help"])
def test_no_default_is_shown_where_there_is_none(
    length: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An option that is an empty text by default shows nothing in brackets."""
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            main((name, length))
        assert "[default: ]" not in capfd.readouterr().out, name
