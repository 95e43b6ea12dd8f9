"""The generator of the blocks in README and documentation."""

import json

import pytest

from docs.command_reference import commands, reference
from docs.generate import BLOCKS, documents, extras, fill
from docs.markdown import first_table, percent, table
from docs.models_table import FIGURES, PROTOCOLS, models


def test_a_block_is_filled_and_the_rest_left_alone() -> None:
    """Only what stands between the two marks changes, and a second time changes nothing."""
    text = "before\n<!-- begin: extras -->\nstale\n<!-- end: extras -->\nafter\n"
    filled = fill(text)
    assert filled == f"before\n<!-- begin: extras -->\n{extras()}\n<!-- end: extras -->\nafter\n"
    assert fill(filled) == filled


def test_an_unknown_block_is_an_error() -> None:
    """A block that no function writes is noticed, not left stale."""
    with pytest.raises(KeyError, match="weather"):
        fill("<!-- begin: weather -->\n<!-- end: weather -->")


def test_every_block_has_its_place() -> None:
    """Some document has a place for each block that the generator writes."""
    text = "".join(path.read_text("utf-8") for path in documents())
    assert [name for name in BLOCKS if f"<!-- begin: {name} -->\n" not in text] == []


def test_the_table_of_models_has_every_figure_of_the_page_on_accuracy() -> None:
    """A protocol that was measured has no dash, whether or not the model's file states it."""
    rows = {row.split("`")[1]: row.split(" | ")[3:] for row in models().splitlines()[2:]}
    for name, figures in json.loads(FIGURES.read_text("utf-8")).items():
        measured = figures["protocols"]
        dashes = [cell.startswith("–") for cell in rows[name]]
        assert dashes == [protocol not in measured for protocol in PROTOCOLS], name


@pytest.mark.slow
def test_reference_has_every_option() -> None:
    """Each visible option of each command stands in the reference, with its short help."""
    text = reference()
    for name, command in commands():
        assert f"$ emotool {name} -h\n" in text
        section = text.partition(f"## emotool {name}\n")[2].partition("\n## ")[0]
        for param in command.params:
            if param.param_type_name == "option" and not param.hidden:
                assert param.opts[0] in section, param.opts


def test_cells_cannot_break_the_table() -> None:
    """A bar inside a cell is escaped; a rate is a percentage with one decimal."""
    assert table(["a"], [["x|y"]]) == "| a |\n| --- |\n| x\\|y |"
    assert percent(0.876) == "87.6 %"


@pytest.mark.parametrize("after", ["", "\n\nmore\n\n| c |\n"])
def test_the_first_of_several_tables_is_found(after: str) -> None:
    """Up to the first line that is none of its rows, or to the end."""
    lines = f"said\n\n| a |\n| --- |\n| 1 |{after}".splitlines()
    first, end = first_table(lines)
    assert lines[first:end] == ["| a |", "| --- |", "| 1 |"]
