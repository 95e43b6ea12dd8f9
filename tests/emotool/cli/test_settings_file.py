"""Settings files and variables are read strictly, and written so that they can be read."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.cli.settings_file import from_environment, read_settings, to_toml
from emotool.errors import SettingsError

KNOWN = ("batch_size", "model", "output", "quiet")


def test_missing_file_has_no_settings(tmp_path: Path) -> None:
    """Nobody needs a settings file."""
    assert read_settings(tmp_path / "emotool.toml", "classify", KNOWN) == {}


def test_names_may_have_hyphens(tmp_path: Path) -> None:
    """`batch-size` is the option's name, `batch_size` is how TOML files are written."""
    file = tmp_path / "emotool.toml"
    for name in ("batch-size", "batch_size"):
        file.write_text(f"[classify]\n{name} = 8\n")
        found = read_settings(file, "classify", KNOWN)
        assert (found["batch_size"].value, found["batch_size"].source) == (8, str(file))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[classify]\nmodle = 'cnn'", "there is no setting 'modle'", "did you mean model?"),
        ("[classify]\nxyz = 1", "there is no setting 'xyz'", "settings: batch_size"),
        ("model = 'cnn'", "'model' is not expected", "below a line [classify]"),
        ("[clasify]\nmodel = 'cnn'", "'clasify' is not expected", "[classify]"),
        ("[classify]\nmodel = {a = 1}", "model must be a text", ""),
        ("[classify", "is not valid TOML", ""),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, text: str, message: str, hint: str) -> None:
    """A mistake is told with the file it is in, and the name that was probably meant."""
    file = tmp_path / "emotool.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        read_settings(file, "classify", KNOWN)
    assert str(file) in raised.value.message
    assert message in raised.value.message
    assert hint in raised.value.hint
    assert raised.value.exit_code == 2


def test_variables_nearly_right_are_mistakes() -> None:
    """A misspelt variable is not passed over; those of others are."""
    with pytest.raises(SettingsError) as raised:
        from_environment(KNOWN, {"EMOTOOL_MODLE": "cnn"})
    assert "EMOTOOL_MODEL" in raised.value.hint
    others = {"EMOTOOL_MODELS": "x", "EMOTOOL_CORPUS": "y", "EMOTOOL_ZZZ": "z", "EMOTOOL_MODEL": ""}
    assert from_environment(KNOWN, others) == {}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 99), st.booleans())
def test_what_is_written_can_be_read(text: str, number: int, switch: bool) -> None:
    """Every text survives being a setting."""
    values = {"model": text, "batch_size": number, "quiet": switch, "output": [text, "b"]}
    assert tomllib.loads(to_toml("classify", values, ["note"])) == {"classify": values}


@given(st.floats(allow_nan=False))
def test_every_number_can_be_read_again(number: float) -> None:
    """Infinity too, which TOML writes in another way than JSON."""
    assert tomllib.loads(to_toml("classify", {"hop": number})) == {"classify": {"hop": number}}


def test_bytes_that_are_no_text_cannot_be_written() -> None:
    """TOML cannot say every file name, and that is told rather than written wrongly."""
    with pytest.raises(SettingsError, match="cannot be written"):
        to_toml("classify", {"model": "caf\udce9"})
