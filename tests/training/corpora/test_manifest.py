"""CSV manifests of clips."""

from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import load_corpora
from tests.corpus_tree import touch


def write(path: Path, text: str) -> Path:
    """Write a manifest."""
    path.write_text(text, encoding="utf-8")
    return path


def test_manifest_gives_all_columns(tmp_path: Path) -> None:
    """Optional columns are taken where they are, in any order, extra ones passed over."""
    touch(tmp_path, "clips/a.wav", "clips/b.wav", "clips/c.wav")
    text = (
        "\ufeffspeaker,path,emotion,corpus,sex,intensity,sentence,language,colour\n"
        "anna,clips/a.wav,Joy,own,F,strong,s1,de,red\n"
        "own-ben,clips/b.wav,sad,own,male,,,,\n"
        ",clips/c.wav,calm,own,,,,,\n"
    )
    index = load_corpora([write(tmp_path / "list.csv", text)])
    a, b, c = index.utterances
    assert (a.key, a.speaker, a.emotion, a.sex) == ("own/clips/a", "own-anna", "happy", "female")
    assert (a.intensity, a.sentence, a.language) == ("strong", "s1", "de")
    assert (b.speaker, b.sex, b.language) == ("own-ben", "male", "")
    assert (c.emotion, c.speaker) == ("calm", "")
    assert not index.problems


def test_manifest_with_two_columns_is_enough(tmp_path: Path) -> None:
    """The corpus is then named after the file, and the speaker unknown."""
    touch(tmp_path, "a.wav")
    (clip,) = load_corpora([write(tmp_path / "list.csv", "path,emotion\na.wav,fear\n")]).utterances
    assert (clip.corpus, clip.key, clip.speaker) == ("list", "list/a", "")


def test_column_of_labels_may_be_called_label(tmp_path: Path) -> None:
    """Any word is a label; where both columns are there, ``label`` is read."""
    touch(tmp_path, "a.wav", "b.wav")
    text = "path,label,emotion\na.wav,Shouting,sad\nb.wav,angry,sad\n"
    index = load_corpora([write(tmp_path / "list.csv", text)])
    assert [clip.emotion for clip in index.utterances] == ["shouting", "anger"]


def test_bad_rows_are_told_by_line(tmp_path: Path) -> None:
    """A missing file and an empty cell are problems; the other rows are used."""
    touch(tmp_path, "a.wav", "b.wav")
    text = "path,emotion\na.wav,fear\ngone.wav,sad\nb.wav,\n,sad\n"
    index = load_corpora([write(tmp_path / "list.csv", text)])
    assert len(index.utterances) == 1
    assert [(p.kind, p.message) for p in index.problems] == [
        ("bad row", "line 4 has no label"),
        ("bad row", "line 5 has no path"),
        ("missing", "named in list.csv, line 3, and missing"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,emotion\na.wav,sad\n", "has no column path; its columns: file, emotion"),
        ("a,b\n1,2\n", "has no columns path and label; its columns: a, b"),
        ("", "is empty"),
    ],
)
def test_manifest_without_its_columns_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """The error says what is lacking and what is there, the hint what is expected."""
    with pytest.raises(CorpusError, match=rf"list\.csv {message}") as caught:
        load_corpora([write(tmp_path / "list.csv", text)])
    assert "the columns path and label and may have speaker" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\n", "no row below the header"),
        ("path,correction\n", "no row below the header"),
        ("path,label\nnone.wav,sad\n", "none of 1 rows is"),
        ("path,correction\na.wav,cannot tell\n", r"no label in list\.csv"),
    ],
)
def test_table_without_a_usable_row_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """The hint is about rows and paths, not about folders of corpora."""
    touch(tmp_path, "a.wav")
    root = str(tmp_path) if "correction" in text else None
    with pytest.raises(CorpusError, match=message) as caught:
        load_corpora([write(tmp_path / "list.csv", text)], clips=root)
    assert "each row names a clip" in caught.value.hint


def test_a_label_is_one_however_its_letters_are_composed(tmp_path: Path) -> None:
    """One system writes an accent as a character of its own, and it is no synonym."""
    touch(tmp_path, "a.wav", "b.wav")
    text = "path,label\na.wav,fr\u00f6hlich\nb.wav,fro\u0308hlich\n"
    index = load_corpora([write(tmp_path / "list.csv", text)])
    assert {clip.emotion for clip in index.utterances} == {"fr\u00f6hlich"}
    assert index.synonyms == {}


@pytest.mark.parametrize("name", ["a.wav", "notes.txt"])
def test_file_that_is_no_manifest_is_an_error(tmp_path: Path, name: str) -> None:
    """Training data is a folder or a CSV."""
    touch(tmp_path, name)
    with pytest.raises(CorpusError, match="a folder or a CSV manifest"):
        load_corpora([tmp_path / name])


def test_binary_manifest_is_an_error(tmp_path: Path) -> None:
    """A spreadsheet renamed to .csv is said to be none."""
    (tmp_path / "list.csv").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(CorpusError, match="cannot be read as a CSV"):
        load_corpora([tmp_path / "list.csv"])


def test_csv_lying_among_clips_is_no_manifest(tmp_path: Path) -> None:
    """Only a manifest that is named is read."""
    touch(tmp_path, "03a01Fa.wav", "x.wav")
    write(tmp_path / "list.csv", "path,emotion\nx.wav,sad\n")
    index = load_corpora([tmp_path])
    assert [clip.key for clip in index.utterances] == ["emodb/03a01Fa"]
    assert [problem.path.name for problem in index.problems] == ["x.wav"]


def test_manifest_of_a_known_corpus_has_its_keys(tmp_path: Path) -> None:
    """So that folds and splits match, wherever the clips lie."""
    touch(tmp_path, "deep/03a01Fa.wav")
    text = "path,emotion,corpus,speaker\ndeep/03a01Fa.wav,happy,emodb,emodb-03\n"
    (clip,) = load_corpora([write(tmp_path / "list.csv", text)]).utterances
    assert (clip.key, clip.speaker) == ("emodb/03a01Fa", "emodb-03")


def test_manifests_are_read_like_those_of_classify(tmp_path: Path) -> None:
    """Stray quotes, a spreadsheet's additions, other forms of names and tabs lose no clip."""
    touch(tmp_path, "a.wav", "b.wav", "Zoe\u0308.wav")
    table = 'path\tsaid\temotion\t\t\na.wav\t"Hello\tsad\nb.wav\tbye"\thappy\t\t\n\t\t\t\n'
    table += "Zo\u00eb.wav\t\tfear\nAa.wav\t\tfear\n"
    (tmp_path / "list.tsv").write_bytes(table.encode("utf-16"))
    index = load_corpora([tmp_path / "list.tsv"])
    assert {(u.path.name, u.emotion) for u in index.utterances} == {
        ("a.wav", "sad"), ("b.wav", "happy"), ("Zoe\u0308.wav", "fear"),
    }  # fmt: skip
    assert [p.kind for p in index.problems] == ["missing"]
