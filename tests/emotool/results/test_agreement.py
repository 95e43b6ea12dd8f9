"""Tables are read strictly and compared clip by clip."""

import itertools
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.results.agreement import Table, cohens_kappa, compare, read_table
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.text import harmless, path_text
from emotool.writers.base import WriterOptions
from emotool.writers.registry import open_writer
from tests.emotool.hostile import NAMES, names

LABELS = st.sampled_from(["happy", "sad", "fear"])


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl"])
def test_reads_what_classify_writes(tmp_path: Path, suffix: str) -> None:
    """All formats that are text give the same labels; a clip without a label has none."""
    target = str(tmp_path / f"a.{suffix}")
    with open_writer(target, Columns(("happy", "sad")), {}, WriterOptions()) as writer:
        writer.write(ClipResult(0, 'a, "b"\n.wav', "ok", "m", "sad", 0.75, (0.25, 0.75), 1.0))
        writer.write(ClipResult(1, "c.wav", "silent", "m", duration_s=1.0))
    assert read_table(target).labels == {'a, "b"\n.wav': "sad", "c.wav": ""}


different = st.lists(names, min_size=1, max_size=6, unique_by=lambda n: harmless(path_text(n)))


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paths=different)
@example(paths=list(NAMES))
def test_hostile_names_are_the_same_clips_in_all_formats(
    tmp_path: Path, suffix: str, paths: list[str]
) -> None:
    """Line breaks stay what they are; an apostrophe that makes a cell harmless does not count."""
    tables = []
    for target in (tmp_path / f"a.{suffix}", tmp_path / "b.json", tmp_path / "c.jsonl"):
        with open_writer(str(target), Columns(("-1", "=x")), {}, WriterOptions()) as writer:
            for index, path in enumerate(paths):
                label = ("-1", "=x")[index % 2]
                writer.write(ClipResult(index, path, "ok", "m", label, 0.5, (0.5, 0.5), 1.0))
        tables.append(read_table(str(target)))
    for first, second in itertools.permutations(tables, 2):
        found = compare(first, second)
        assert (found.compared, found.differing) == (len(paths), ())
        assert (found.only_first, found.only_second) == ((), ())


def test_an_apostrophe_of_a_names_own_stays() -> None:
    """Two clips of one table are never one of the other's."""
    both = Table("a.json", {"'=1.wav": "sad", "=1.wav": "happy", "2.wav": "sad"})
    one = Table("b.json", {"=1.wav": "happy", "2.wav": "sad"})
    found = compare(both, one)
    assert (found.compared, found.differing, found.only_first) == (2, (), ("'=1.wav",))
    found = compare(one, both)
    assert (found.compared, found.differing, found.only_second) == (2, (), ("'=1.wav",))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "path,emotion\na.wav,sad\n", "has no column 'label'"),
        ("a.csv", "file,label\na.wav,sad\n", "has no column 'path'"),
        ("a.csv", "path,label\na.wav,sad\na.wav,sad\n", "a.wav twice (row 2)"),
        ("a.csv", "path,label\na.wav\n", "line 2 has 1 cells, the header 2"),
        ("a.csv", "path,label\na.wav,sad,x\n", "line 2 has 3 cells, the header 2"),
        ("a.csv", "", "is empty"),
        ("a.json", "{", "not valid JSON"),
        ("a.json", "{}", "no list of clips"),
        ("a.json", '[{"path": 1, "label": "sad"}]', "must be texts"),
        ("a.jsonl", '{"path": "a", "label": "b"}\n{', "line 2 is not valid JSON"),
        ("a.jsonl", "[]", "line 1 is not an object"),
        ("a.xlsx", "PK", "only CSV, TSV, JSON and JSON Lines"),
        ("a.parquet", "PAR1", "only CSV, TSV, JSON and JSON Lines"),
    ],
)
def test_what_is_no_table_is_an_error(tmp_path: Path, name: str, text: str, message: str) -> None:
    """A message names the file and what is missing in it."""
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        read_table(str(file))
    assert message in raised.value.message
    assert str(file) in raised.value.message


def test_a_table_of_windows_is_known_as_such(tmp_path: Path) -> None:
    """Its rows repeat their clips; the hint says which table to compare instead."""
    table = tmp_path / "windows.csv"
    table.write_text("path,label,start_s,end_s\na.wav,sad,0,3\na.wav,sad,3,6\n")
    with pytest.raises(InputError, match=r"a\.wav twice") as caught:
        read_table(str(table))
    assert "--segments" in caught.value.hint


def test_missing_or_undecodable_file_is_an_error(tmp_path: Path) -> None:
    """Bytes that are no text, and no file at all, are told as such."""
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    for name in ("no.csv", "b.csv"):
        with pytest.raises(InputError, match="cannot read"):
            read_table(str(tmp_path / name))


def test_a_spreadsheets_dialect_is_read(tmp_path: Path) -> None:
    """Semicolons and a byte-order mark, as a spreadsheet saves them, are understood."""
    (tmp_path / "a.csv").write_text("\ufeffpath;emotion\na.wav;sad\n", "utf-8")
    assert read_table(str(tmp_path / "a.csv"), "emotion").labels == {"a.wav": "sad"}


def test_vertical_bars_part_cells_too(tmp_path: Path) -> None:
    """As `emotool classify --delimiter pipe` writes them."""
    (tmp_path / "a.csv").write_text("path|label\na, b.wav|sad\n")
    assert read_table(str(tmp_path / "a.csv")).labels == {"a, b.wav": "sad"}


def test_rows_of_one_table_only_are_told() -> None:
    """Nothing is dropped: each clip is compared, without a label, or in one table only."""
    found = compare(
        Table("a", {"1": "sad", "2": "", "3": "happy"}),
        Table("b", {"1": "sad", "2": "x", "4": "x"}),
    )
    assert (found.compared, found.agreement) == (1, 1.0)
    assert found.unlabelled == (("2", "", "x"),)
    assert (found.only_first, found.only_second) == (("3",), ("4",))


def test_labels_are_equal_whatever_their_case() -> None:
    """They are written as the model writes them."""
    found = compare(
        Table("a", {"1": "happy", "2": "sad"}, ("happy", "sad")),
        Table("b", {"1": "Happy", "2": "HAPPY"}),
    )
    assert (found.labels, found.differing) == (("happy", "sad"), (("2", "sad", "happy"),))


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl"])
def test_what_a_model_cannot_say_is_counted_apart(tmp_path: Path, suffix: str) -> None:
    """Labels that it does not know, and those it is uncertain of, are in no figure."""
    target = str(tmp_path / f"a.{suffix}")
    with open_writer(target, Columns(("happy", "sad")), {}, WriterOptions()) as writer:
        for index, label in enumerate(("sad", "sad", "uncertain", "happy", "happy")):
            writer.write(ClipResult(index, f"{index}.wav", "ok", "m", label, 0.6, (0.4, 0.6), 1.0))
    ours = read_table(target)
    assert ours.known == ("happy", "sad")
    truth = {"0.wav": "Sad", "1.wav": "calm", "2.wav": "sad", "3.wav": "sad", "4.wav": "happy"}
    for found in (compare(ours, Table("b", truth)), compare(Table("b", truth), ours)):
        assert (found.compared, len(found.differing)) == (3, 1)
        assert [row[0] for row in found.unknown] == ["1.wav"]
        assert [row[0] for row in found.uncertain] == ["2.wav"]
        assert "calm" not in found.labels


def test_recalls_are_of_the_second_tables_labels() -> None:
    """Their mean is the UAR, whatever the labels' numbers."""
    first = Table("a", {"1": "sad", "2": "sad", "3": "happy", "4": "happy"})
    second = Table("b", {"1": "sad", "2": "happy", "3": "happy", "4": "happy"})
    found = compare(first, second)
    assert found.recalls == {"happy": pytest.approx(2 / 3), "sad": 1.0}
    assert found.uar == pytest.approx(5 / 6)


def test_paths_of_other_folders_are_offered_and_joined_if_wanted() -> None:
    """Each clip is in one place of the comparison."""
    first, second = (
        Table("a", {"x/1": "sad", "x/2": "sad"}),
        Table("b", {"y/1": "sad", "x/2": "sad"}),
    )
    found = compare(first, second)
    assert (found.compared, found.alike, found.only_first) == (1, (("x/1", "y/1"),), ("x/1",))
    found = compare(first, second, by_name=True)
    assert (found.compared, found.alike, found.joined) == (2, (), (("x/1", "y/1"),))
    with pytest.raises(InputError) as caught:
        compare(Table("a", {"x/1": "sad"}), Table("b", {"y/1": "sad"}))
    assert "--by-name" in caught.value.hint


def test_stray_quotes_and_spreadsheets_lose_no_label(tmp_path: Path) -> None:
    """One reader serves all tables."""
    table = 'path\tsaid\tlabel\na.wav\t"Hello\tsad\nb.wav\tbye"\thappy\n'
    (tmp_path / "a.tsv").write_text(table)
    assert read_table(str(tmp_path / "a.tsv")).labels == {"a.wav": "sad", "b.wav": "happy"}
    (tmp_path / "b.csv").write_bytes(
        "sep=;\r\nfile;label;;\r\na.wav;sad;;\r\n;;;\r\n".encode("utf-16")
    )
    assert read_table(str(tmp_path / "b.csv"), paths="file").labels == {"a.wav": "sad"}


def test_nothing_in_common_is_an_error() -> None:
    """Two tables of other folders cannot be compared, rather than agreeing on nothing."""
    with pytest.raises(InputError, match="no clip is in both"):
        compare(Table("a", {"x/1": "sad"}), Table("b", {"2": "sad"}))


@given(st.lists(st.tuples(LABELS, LABELS), max_size=40))
def test_kappa_keeps_within_its_bounds(pairs: list[tuple[str, str]]) -> None:
    """Kappa is symmetric, at most 1, exactly 1 on equal labels, and None where chance is all."""
    kappa = cohens_kappa(Counter(pairs))
    assert kappa == cohens_kappa(Counter((b, a) for a, b in pairs))
    if kappa is None:
        assert len(set(pairs)) <= 1
    else:
        assert kappa <= 1
        assert (kappa == 1) == all(a == b for a, b in pairs)


def test_kappa_of_a_textbook_table() -> None:
    """Values worked out by hand: 35 of 50 agree, 25 would by chance."""
    table = Counter({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15})
    assert cohens_kappa(table) == pytest.approx(0.4)
    assert cohens_kappa(Counter({("y", "n"): 10, ("n", "y"): 10})) == -1
