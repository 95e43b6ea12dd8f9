"""How every command starts and ends: quickly, with one line and an exit code."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

import emotool.cli
from emotool import __version__
from emotool.cli import COMMANDS, main
from emotool.errors import EmotoolError, InputError

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")


@pytest.fixture(autouse=True)
def sigterm() -> Iterator[None]:
    """Give the tests' process its own answer to SIGTERM back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def ended(*arguments: str) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that makes ``emotool probe`` do what it is given."""

    def set_command(function: Callable[[], object]) -> None:
        module = sys.modules[__name__]
        monkeypatch.setattr(module, "probe", lambda: function(), raising=False)
        monkeypatch.setitem(COMMANDS, "probe", (f"{__name__}:probe", "For this test."))

    return set_command


def raiser(error: BaseException) -> Callable[[], NoReturn]:
    """Return a function that raises an error."""

    def throw() -> NoReturn:
        raise error

    return throw


def test_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` says the version, and nothing else."""
    assert ended("--version") == 0
    assert capsys.readouterr().out == f"emotool {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["-h"]])
def test_help_lists_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The list is complete, without any command having been loaded for it."""
    assert ended(*arguments) == 0
    out = capsys.readouterr().out
    for name, (_, short_help) in COMMANDS.items():
        assert re.search(rf"{name}\s+{re.escape(short_help)}", out)


@pytest.mark.parametrize(("arguments", "named"), [([], "classify"), (["data"], "check")])
def test_no_command_is_help_and_a_wrong_call(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that forgot the command does not go on as if it had worked."""
    assert ended(*arguments) == 2
    out, err = capsys.readouterr()
    assert named in out
    assert err == ""


@pytest.mark.parametrize("name", [name for name, (_, help_) in COMMANDS.items() if help_])
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command of the list is there, and its help begins with what it does."""
    assert ended(name, "--help") == 0
    out = capsys.readouterr().out
    assert f"Usage: emotool {name}" in out
    assert "\n----" not in out  # a docstring's sections are for developers


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clasify"], "No such command 'clasify'. Did you mean 'classify'?"),
        (["--frobnicate"], "No such option: --frobnicate"),
        (["models", "--frobnicate"], "No such option: --frobnicate"),
        (["models", "a", "b"], "Got unexpected extra argument"),
        (["models", "-\x1b[2J"], r"No such option: -\x1b"),
    ],
)
def test_wrong_options_are_two_lines_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong call says what was wrong and where to read on; nothing reaches stdout."""
    assert ended(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith(f"error: {message}")
    place = "emotool models" if arguments[0] == "models" else "emotool"
    assert second == f"hint: {place} --help lists the options"


def test_expected_error_is_its_message_and_hint(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """An error a user can act on has no traceback."""
    command(raiser(InputError("there is no a.wav", hint="look elsewhere")))
    assert ended("probe") == 1
    assert capsys.readouterr() == ("", "error: there is no a.wav\nhint: look elsewhere\n")


def test_error_s_own_exit_code_is_used(
    command: Callable[[Callable[[], object]], None],
) -> None:
    """An error may say how the process has to end."""
    error = EmotoolError("no")
    error.exit_code = 7
    command(raiser(error))
    assert ended("probe") == 7


def test_names_in_errors_cannot_drive_the_terminal(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Markup stays text, control characters and line breaks are escaped: one line each."""
    command(raiser(InputError("a[/b]\x1b[31m\nb\udce9", hint="c\rd")))
    assert ended("probe") == 1
    assert capsys.readouterr().err == (r"error: a[/b]\x1b[31m\x0ab\xe9" "\n" r"hint: c\x0dd" "\n")


def test_unexpected_error_is_shown_in_full(
    command: Callable[[Callable[[], object]], None],
) -> None:
    """A mistake of ours is not hidden behind a polite line."""
    command(raiser(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["probe"])
    command(raiser(FileNotFoundError(2, "gone")))
    with pytest.raises(FileNotFoundError):
        main(["probe"])


@pytest.mark.parametrize(("value", "code"), [(None, 0), (0, 0), (3, 3), ("text", 0)])
def test_command_may_return_its_exit_code(
    command: Callable[[Callable[[], object]], None], value: object, code: int
) -> None:
    """What a command returns, if it is a number, is how the process ends."""
    command(lambda: value)
    assert ended("probe") == code


def test_interruption_is_exit_code_130(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends as the shell expects it, without a traceback."""
    command(raiser(KeyboardInterrupt()))
    assert ended("probe") == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def run(
    code: str, python: str, environment: dict[str, str], arguments: Sequence[str] = ()
) -> "subprocess.Popen[bytes]":
    """Start Python with ``code`` before the command line."""
    script = f"import sys\n{code}\nfrom emotool.cli import main\nmain(sys.argv[1:])"
    return subprocess.Popen(
        [python, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )


PROBE = """
import types, emotool.cli
module = types.ModuleType("probe_module")
sys.modules["probe_module"] = module
emotool.cli.COMMANDS["probe"] = ("probe_module:probe", "")
def probe():
    BODY
module.probe = probe
"""


@posix
def test_reader_that_goes_away_ends_the_run_quietly(
    python: str, python_path: dict[str, str]
) -> None:
    """`emotool … | head` is no error to be told of: exit code 141, as of any other program."""
    body = "[print('x' * 1000) for _ in range(1000)]"
    with run(PROBE.replace("BODY", body), python, python_path, ["probe"]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@posix
def test_reader_that_goes_away_before_the_end_is_as_quiet(
    python: str, python_path: dict[str, str]
) -> None:
    """Also where the output was still in the buffer when the command had finished."""
    body = "import time; print('x'); time.sleep(0.5)"
    with run(PROBE.replace("BODY", body), python, python_path, ["probe"]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@posix
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_end_with_what_must_be_cleaned_up_cleaned_up(
    python: str, python_path: dict[str, str], number: signal.Signals, code: int
) -> None:
    """SIGTERM and SIGINT end a command at once, through its ``finally`` blocks."""
    body = """import time
    try:
        print("ready", flush=True); time.sleep(60)
    finally:
        print("tidy", flush=True)"""
    started = time.monotonic()
    with run(PROBE.replace("BODY", body), python, python_path, ["probe"]) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.stdout.read() == b"tidy\n"
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == code
    assert time.monotonic() - started < 30


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_standard_output_is_one_line(python: str, python_path: dict[str, str]) -> None:
    """`emotool … > full-disk` says so, and fails."""
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [python, "-m", "emotool", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=python_path,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr == "error: cannot write to standard output: No space left on device\n"


@posix
def test_closed_standard_output_is_no_success_for_rows(
    python: str, python_path: dict[str, str]
) -> None:
    """`emotool … >&-` neither crashes nor writes rows into whatever file got its number."""
    code = (
        "import sys; from emotool.cli import COMMANDS, main; import types\n"
        "module = sys.modules['m'] = types.ModuleType('m'); COMMANDS['probe'] = ('m:probe', '')\n"
        "from emotool.results.columns import Columns\n"
        "from emotool.writers.registry import open_writer\n"
        "module.probe = lambda: open_writer('-', Columns(('a', 'b'))) and None\n"
        "main(sys.argv[1:])"
    )
    command = ["sh", "-c", 'exec "$@" >&-', "sh", python, "-c", code]
    for arguments, code_expected in ((["probe"], 1), (["--version"], 0)):
        done = subprocess.run(
            [*command, *arguments], stderr=subprocess.PIPE, env=python_path, text=True
        )
        assert done.returncode == code_expected
        assert "Traceback" not in done.stderr
    done = subprocess.run([*command, "probe"], stderr=subprocess.PIPE, env=python_path, text=True)
    assert done.stderr == "error: cannot write to standard output: it is closed\n"


def test_help_loads_no_command(python: str, python_path: dict[str, str]) -> None:
    """What makes ``--help`` quick: only names and one line of each command are known."""
    code = (
        "import sys\nfrom emotool.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print(*sorted(m for m in sys.modules if m.startswith('emotool.')), "
        "file=sys.stderr)"
    )
    done = subprocess.run(
        [python, "-c", code], capture_output=True, env=python_path, text=True, check=True
    )
    loaded = ["cli", "cli.ending", "cli.help", "cli.limits", "errors", "text", "version"]
    assert done.stderr.split() == [f"emotool.{name}" for name in loaded]


def test_module_runs_as_the_command_does(python: str, python_path: dict[str, str]) -> None:
    """``python -m emotool`` is ``emotool``."""
    done = subprocess.run(
        [python, "-m", "emotool", "--nonsense"], capture_output=True, env=python_path, text=True
    )
    assert done.returncode == 2
    assert "hint: emotool --help" in done.stderr


def test_commands_name_modules_of_their_own() -> None:
    """Each command lies in the module of its name."""
    for name, (place, short_help) in COMMANDS.items():
        assert place.startswith(f"emotool.cli.{name}:")
        assert short_help.endswith(".")
    assert emotool.cli.app.info.name == "emotool"
