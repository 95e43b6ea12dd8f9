"""Tables of corrections as labelled clips."""

from pathlib import Path

import pytest

from emotool.errors import CorpusError
from emotool_training.corpora import load_corpora
from tests.corpus_tree import touch

HEAD = "path,label,correction,confidence,when,speaker\n"


def test_the_persons_label_is_the_true_one(tmp_path: Path) -> None:
    """Speakers come from the column, the pattern or a known corpus's name; the rest is counted."""
    touch(tmp_path, "recs/a/1.wav", "recs/b/2.wav", "recs/03-01-03-01-01-01-02.wav", "recs/c.wav")
    table = tmp_path / "corrections.csv"
    table.write_text(
        HEAD + "recs/a/1.wav,sad,Joy,0.5,,ann\nrecs/b/2.wav,happy,sad,0.5,,\n"
        "recs/03-01-03-01-01-01-02.wav,happy,sad,0.9,,\nrecs/c.wav,sad,shouting,0.5,,\n"
        "recs/c.wav,sad,bored,0.5,,\nrecs/a/1.wav,sad,cannot tell,0.5,,\nrecs/z.wav,sad,sad,0.5,,\n"
    )
    pattern = "recs/([^/]+)/"
    index = load_corpora([table], speaker_pattern=pattern, clips=str(tmp_path / "recs"))
    assert [(u.key, u.speaker, u.emotion) for u in index.utterances] == [
        ("corrections/recs/a/1", "corrections-ann", "happy"),
        ("corrections/recs/b/2", "corrections-b", "sad"),
        ("corrections/recs/c", "", "bored"),
        ("ravdess/03-01-03-01-01-01-02", "ravdess-02", "sad"),
    ]
    kinds = [problem.kind for problem in index.problems]
    assert kinds == ["cannot tell", "described twice", "missing"]
    assert "--root" in index.problems[-1].message


def test_an_unusable_table_is_one_clear_error(tmp_path: Path) -> None:
    """A folder that is none is named."""
    table = tmp_path / "corrections.csv"
    table.write_text(HEAD + "a.wav,sad,happy,0.5,,\n")
    with pytest.raises(CorpusError, match="is not a folder"):
        load_corpora([table], clips=str(tmp_path / "nosuch"))
