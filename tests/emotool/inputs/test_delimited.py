"""Tables as spreadsheets and corpora write them: each row is kept, or there is one clear error."""

import contextlib
import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotool.errors import InputError
from emotool.inputs.delimited import read_delimited

Rows = list[tuple[str, ...]]


def rows(text: str) -> Rows:
    """Return the header and the rows of a table."""
    table = read_delimited(text, "x")
    return [table.columns, *(cells for _, cells in table.rows)]


@pytest.mark.parametrize("blank", ["", "\n", "\r\n\r\n", "  \n"])
def test_the_delimiter_is_that_of_the_first_line_with_text(blank: str) -> None:
    """Blank lines before the header hide neither it nor what separates its cells."""
    assert rows(f"{blank}path;who\na,b.wav;Ann\n") == [("path", "who"), ("a,b.wav", "Ann")]


def test_an_empty_cell_is_a_row_where_there_is_one_column() -> None:
    """A quoted empty cell is reported as a row without a file; a blank line names nothing."""
    assert rows('path\n""\n\na.wav\n') == [("path",), ("",), ("a.wav",)]


def test_rows_say_at_which_line_they_end() -> None:
    """A cell of two lines counts as two, whatever ends lines."""
    for end in ("\n", "\r\n", "\r"):
        text = f'a,b{end}"x{end}y",1{end}{end}z,2{end}'
        assert read_delimited(text, "x").rows == [(3, (f"x{end}y", "1")), (5, ("z", "2"))]


COMMON_VOICE = (
    'path\tsaid\tvotes\na.wav\t"Hello there\t2\nb.wav\tHe said: bye"\t3\nc.wav\tWell\t1\n'
)


def test_stray_quotes_in_tabs_swallow_no_row() -> None:
    """Both readings have three cells a row; the one with each line as a row is taken, and noted."""
    table = read_delimited(COMMON_VOICE, "x")
    assert [cells for _, cells in table.rows] == [
        ("a.wav", '"Hello there', "2"),
        ("b.wav", 'He said: bye"', "3"),
        ("c.wav", "Well", "1"),
    ]
    assert table.stray == 2


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
def test_stray_quotes_elsewhere_swallow_no_row_that_names_a_file(delimiter: str) -> None:
    """A line inside of quotes that has a row's cells and a sound file among them is a row."""
    table = read_delimited(COMMON_VOICE.replace("\t", delimiter), "x")
    assert [cells[0] for _, cells in table.rows] == ["a.wav", "b.wav", "c.wav"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_bad_line_between_stray_quotes_is_an_error(delimiter: str) -> None:
    """It does not turn the rows around it into text of a cell."""
    text = COMMON_VOICE.replace("b.wav", "too short\nb.wav").replace("\t", delimiter)
    with pytest.raises(InputError, match="line 3 has 1 cells, the header 3"):
        read_delimited(text, "x")
    with pytest.raises(InputError, match="line 2 has 2 cells, the header 3"):
        read_delimited(COMMON_VOICE.replace("\t2", "").replace("\t", delimiter), "x")


@pytest.mark.parametrize(
    "said",
    ['"', '""', 'a "b', '"a" b', '"a', 'a"', '"a""', '5" by 6"', '"a" and "b"'],
)
def test_any_stray_quote_is_an_ordinary_character(said: str) -> None:
    """Alone, in pairs that end no cell, at a cell's beginning or end."""
    text = f"path\tsaid\tvotes\na.wav\t{said}\t2\nb.wav\tyes\t3\nc.wav\t{said}\t1\n"
    assert [(row[0], row[2]) for row in rows(text)[1:]] == [
        ("a.wav", "2"), ("b.wav", "3"), ("c.wav", "1"),
    ]  # fmt: skip


def test_quotes_around_cells_and_line_breaks_in_them_still_work() -> None:
    """As CSV has them: the lines inside of the quotes are unlike rows, or name no file."""
    text = 'path,said\na.wav,"Well\nfine, thanks"\n"b, c.wav","He said ""no"""\n'
    assert rows(text)[1:] == [("a.wav", "Well\nfine, thanks"), ("b, c.wav", 'He said "no"')]
    assert rows('path\tsaid\na.wav\t"Well,\nfine"\n')[1:] == [("a.wav", "Well,\nfine")]
    assert rows('path,"speaker\nname"\na.wav,Ann\n') == [
        ("path", "speaker\nname"),
        ("a.wav", "Ann"),
    ]


@pytest.mark.parametrize(
    "row",
    [
        '"Well\nfine",a.wav,1',
        '"Well, you\nknow\nfine",a.wav,1',
        '"Well\nfine",a.wav,"and\nmore"',
        'x,a.wav,"Well\nsee"',
        'a.wav,1,"Well, see b.wav\nfine"',
    ],
)
def test_a_cell_of_several_lines_can_stand_on_either_side_of_the_file(row: str) -> None:
    """The name of the file is outside of the quotes, so they join no rows."""
    text = f"one,two,three\n{row}\nx,z.wav,2\n"
    assert rows(text) == list(map(tuple, csv.reader(io.StringIO(text, newline=""))))


@pytest.mark.parametrize("delimiter", [",", ";", "|"])
@pytest.mark.parametrize("lines", ['"Well,a.wav,1\nfine",b.wav,2', 'Well,"a.wav,1\nfine,b.wav",2'])
def test_quotes_that_join_files_are_ordinary_characters(lines: str, delimiter: str) -> None:
    """Also where the first of the lines names its file behind the quote, or the last before it."""
    ends = 'path,said\na.wav,"\nb.wav",""\n'.replace(",", delimiter)
    assert [row[0] for row in rows(ends)[1:]] == ["a.wav", 'b.wav"']
    longer = 'path,said\na.wav,"Well\nfine",,\n'.replace(",", delimiter)
    assert rows(longer)[1:] == [("a.wav", "Well\nfine")]
    text = f"said,path,n\n{lines}\n".replace(",", delimiter)
    assert [row[1].strip('"') for row in rows(text)[1:]] == ["a.wav", "b.wav"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("sep", ["sep=;", "SEP=;", '"sep=;"', "sep=;;;;"])
def test_what_spreadsheets_add_is_no_part_of_the_table(sep: str, end: str) -> None:
    """A line that names the delimiter, delimiters behind all rows, blank rows."""
    lines = [sep, "path;speaker;;", "a.wav;Anna;;", ";;;", " ; ;;", "b.wav;Ben", "c.wav;;;;;", ""]
    assert rows(end.join(lines)) == [
        ("path", "speaker"), ("a.wav", "Anna"), ("b.wav", "Ben"), ("c.wav", ""),
    ]  # fmt: skip


def test_a_named_delimiter_is_used() -> None:
    """Also where the header has more of another, or it is not one of the four."""
    assert rows("sep=;\na,b,path;who\n1;2\n") == [("a,b,path", "who"), ("1", "2")]
    assert rows("sep=\t\npath\ta,b,c\n1\t2\n") == [("path", "a,b,c"), ("1", "2")]
    assert rows("sep=:\npath:who\n1:2\n") == [("path", "who"), ("1", "2")]


def test_cells_below_no_name_are_kept() -> None:
    """In a column that is named by its place."""
    assert rows("path,,\na.wav,,x\n") == [("path", "column 3"), ("a.wav", "x")]


def test_quoted_delimiters_in_the_header_do_not_count() -> None:
    """They separate nothing."""
    assert rows('path;"a, b, c"\n1;2\n') == [("path", "a, b, c"), ("1", "2")]


def test_one_column_is_not_split() -> None:
    """Whatever its cells hold, as long as one delimiter is not among it."""
    assert rows("path\na, b.wav\nc;d.wav\n") == [("path",), ("a, b.wav",), ("c;d.wav",)]


@pytest.mark.parametrize("row", ["a.wav", "a.wav,b,c", 'a.wav,"Hello, you" he said,2'])
def test_another_number_of_cells_is_an_error_with_its_line(row: str) -> None:
    """No cell is dropped, and no row."""
    with pytest.raises(InputError, match=r"^labels\.csv: line 3 has \d cells, the header 2$"):
        read_delimited(f"path,who\nz.wav,x\n{row}\n", "labels.csv")


def test_a_huge_cell_is_refused() -> None:
    """No cell of a table that a person made has a million characters."""
    with pytest.raises(InputError, match="line 2: a cell is longer"):
        read_delimited("a,b\n" + "x" * (1 << 21) + ",1", "x")


def test_many_stray_quotes_take_no_long_time() -> None:
    """Each of them could begin a cell that ends far below."""
    text = "path\tsaid\n" + 'a.wav\t"""\n' * 20_000
    assert len(read_delimited(text, "x").rows) == 20_000


@given(st.text() | st.text(st.sampled_from(',;\t|"\n\r\0 ab.wav=sep')))
def test_any_text_is_rows_or_an_error(text: str) -> None:
    """Nothing else is raised, and each row has a cell for each column."""
    try:
        table = read_delimited(text, "x")
    except InputError:
        return
    assert all(len(cells) == len(table.columns) for _, cells in table.rows)


@given(st.lists(st.text(st.sampled_from("\"ab '")), min_size=1), st.sampled_from(",;\t|"))
def test_quotes_never_lose_a_line(cells: list[str], delimiter: str) -> None:
    """As many rows come out as lines go in, with their files, whatever quotes are on them."""
    lines = [f"{i}.wav{delimiter}{cell}{delimiter}{i}" for i, cell in enumerate(cells)]
    table = read_delimited("\n".join([f"path{delimiter}said{delimiter}n", *lines]), "x")
    files = [(row[0], row[2]) for _, row in table.rows]
    assert files == [(f"{i}.wav", str(i)) for i in range(len(cells))]


tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.text(st.sampled_from("ab,;\t|\"'\n\r \u00e9=")), min_size=width, max_size=width)
        .filter(lambda row: any(set(cell) & {"a", "b"} for cell in row)),
        max_size=8,
    ).map(lambda found: [[f"c{i}" for i in range(width)], *found])
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(tables, st.sampled_from(",;|"), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_a_table_by_the_csv_module_gives_all_its_rows(
    table: list[list[str]], delimiter: str, end: str, quoted: bool
) -> None:
    """With any delimiter, line end and choice of quotes, and with line breaks in cells."""
    # Other line breaks than its own are left unquoted by the module, and are no table it reads.
    quoting = csv.QUOTE_ALL if quoted or end != "\r\n" else csv.QUOTE_MINIMAL
    with io.StringIO(newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
        writer.writerows(table)
        text = file.getvalue()
    assert rows(text) == [tuple(row) for row in table]


@given(tables, st.booleans())
def test_a_table_with_tabs_by_the_csv_module_loses_no_row(
    table: list[list[str]], quoted: bool
) -> None:
    """With line breaks in cells rows can become more, or an error, but never fewer."""
    one_line = [[cell.replace("\n", "").replace("\r", "") or "x" for cell in row] for row in table]
    quoting = csv.QUOTE_ALL if quoted or len(table[0]) == 1 else csv.QUOTE_MINIMAL
    for source, exact in ((one_line, True), (table, False)):
        with io.StringIO(newline="") as file:
            writer = csv.writer(file, delimiter="\t", quoting=quoting)
            writer.writerows(source)
            text = file.getvalue()
        if exact:
            assert rows(text) == [tuple(row) for row in source]
            continue
        with contextlib.suppress(InputError):
            assert len(rows(text)) >= len(source)
