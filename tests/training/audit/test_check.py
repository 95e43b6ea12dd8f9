"""The check finds what is wrong with clips, and counts what is right."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotool.features.spec import SpectrogramSpec
from emotool_training.audit.check import check
from emotool_training.audit.decode import check_clip, check_clips
from emotool_training.audit.report import Report
from emotool_training.corpora import load_corpora
from tests.corpus_tree import need
from tests.synthesis import Samples, tone, vowel, write_clip

SPEC = SpectrogramSpec()


def problems(report: Report) -> dict[str, str]:
    """Return the kinds of problems by file name."""
    return {problem.path.name: problem.kind for problem in report.problems}


def write_integers(path: Path, samples: Samples) -> Path:
    """Write samples as 16-bit integers, which every format holds exactly."""
    soundfile.write(path, np.round(samples * 32_767).astype(np.int16), 16_000)
    return path


def test_sound_corpora_are_counted(tmp_path: Path) -> None:
    """Clips, emotions, speakers and seconds per corpus and per speaker; nothing is wrong."""
    for pitch, name in enumerate(("03a01Fa", "03a01Ta", "08a01Fa", "EB0_fear_1", "03a01La")):
        write_clip(tmp_path / f"{name}.wav", vowel(100 + 10 * pitch, seconds=0.5))
    report = check(load_corpora([tmp_path]))
    assert report.sound
    assert [(r.corpus, r.speakers, r.clips) for r in report.corpora] == [
        ("emodb", 2, 3),
        ("nemo", 1, 1),
    ]
    assert [r.duration_s for r in report.corpora] == pytest.approx([1.5, 0.5])
    assert [(r.speaker, r.sex, r.clips) for r in report.speakers] == [
        ("emodb-03", "male", 2),
        ("emodb-08", "female", 1),
        ("nemo-EB0", "female", 1),
    ]
    assert report.corpora[0].emotions == {
        "anger": 0,
        "disgust": 0,
        "fear": 0,
        "happy": 2,
        "neutral": 0,
        "sad": 1,
    }
    assert report.excluded == (("emodb", "boredom", 1),)


def test_each_fault_is_found_and_named(tmp_path: Path) -> None:
    """Unreadable, silent, too short, misnamed, strange and twice the same: one problem each."""
    write_integers(tmp_path / "1001_DFA_ANG_XX.wav", vowel())
    write_clip(tmp_path / "1076_MTI_SAD_XX.wav", np.zeros(16_000, np.float32))
    (tmp_path / "1076_MTI_NEU_XX.wav").write_text("this is no audio")
    write_clip(tmp_path / "1040_ITH_SAD_X.wav", vowel(130))
    write_clip(tmp_path / "1002_DFA_ANG_XX.wav", tone(440, seconds=0.05))
    write_integers(tmp_path / "1003_DFA_SAD_XX.flac", vowel())
    write_clip(tmp_path / "unknown.wav", vowel(150))
    report = check(load_corpora([tmp_path]))
    assert problems(report) == {
        "1076_MTI_SAD_XX.wav": "silent",
        "1076_MTI_NEU_XX.wav": "unreadable",
        "1040_ITH_SAD_X.wav": "misnamed",
        "1002_DFA_ANG_XX.wav": "too short",
        "1003_DFA_SAD_XX.flac": "same sound",
        "unknown.wav": "unrecognised",
    }
    assert not report.sound
    messages = {problem.path.name: problem.message for problem in report.problems}
    assert messages["1076_MTI_SAD_XX.wav"].endswith("(known: silent)")
    assert messages["1076_MTI_NEU_XX.wav"].endswith("(known: unreadable in some copies)")
    assert "cremad/1040_ITH_SAD_XX" in messages["1040_ITH_SAD_X.wav"]
    assert messages["1003_DFA_SAD_XX.flac"] == (
        "labelled sad, identical audio to cremad/1001_DFA_ANG_XX, which is labelled anger"
    )


def test_pointers_and_copies_come_from_the_index(tmp_path: Path) -> None:
    """A pointer is a problem; a copy in another format is counted and no problem."""
    write_clip(tmp_path / "a" / "03a01Fa.wav", vowel())
    write_clip(tmp_path / "b" / "03a01Fa.flac", vowel())
    pointer = tmp_path / "03a02Fa.wav"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    report = check(load_corpora([tmp_path]))
    assert problems(report) == {"03a02Fa.wav": "git-lfs pointer"}
    assert report.copies == 1


def test_silence_is_judged_as_in_classification(tmp_path: Path) -> None:
    """A constant is no sound; a whisper above -70 dB of full scale is."""
    constant = write_clip(tmp_path / "a.wav", np.full(8_000, 0.3, np.float32), subtype="FLOAT")
    whisper = write_clip(tmp_path / "b.wav", tone(200, amplitude=1e-3), subtype="FLOAT")
    assert check_clip(constant, SPEC).fault == "silent"
    assert check_clip(whisper, SPEC).fault == ""


def test_empty_and_missing_files_are_unreadable(tmp_path: Path) -> None:
    """Whatever becomes of a file between finding and decoding is a fault, not a crash."""
    (tmp_path / "empty.wav").touch()
    assert check_clip(tmp_path / "empty.wav", SPEC).fault == "unreadable"
    assert check_clip(tmp_path / "gone.wav", SPEC).fault == "unreadable"


def test_digest_is_of_the_sound_not_the_file(tmp_path: Path) -> None:
    """The same samples in WAV and FLAC have one digest; other samples another."""
    samples = vowel(seconds=0.5)
    wav = write_integers(tmp_path / "a.wav", samples)
    flac = write_integers(tmp_path / "a.flac", samples)
    other = write_integers(tmp_path / "b.wav", samples[::-1])
    digests = [check_clip(path, SPEC).digest for path in (wav, flac, other)]
    assert digests[0] == digests[1] != digests[2]


def test_results_are_in_order_and_progress_reaches_the_end(tmp_path: Path) -> None:
    """Batches end in any order; what is told is what is done."""
    paths = [write_clip(tmp_path / f"{n}.wav", tone(200, seconds=0.1 + n / 100)) for n in range(40)]
    told: list[tuple[int, int]] = []
    heard = check_clips(paths, SPEC, workers=3, progress=lambda *done: told.append(done))
    assert [h.duration_s for h in heard] == pytest.approx([0.1 + n / 100 for n in range(40)])
    assert told[-1] == (40, 40)
    assert told == sorted(told)


def test_interruption_ends_the_threads(tmp_path: Path) -> None:
    """Ctrl-C, here from the progress bar, does not wait for the clips that are left."""
    paths = [write_clip(tmp_path / "a.wav", tone(200))] * 4_000
    before = set(threading.enumerate())  # some of other tests may end meanwhile

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_clips(paths, SPEC, workers=2, progress=interrupt)
    assert set(threading.enumerate()) <= before


def test_report_for_programs_is_json(tmp_path: Path) -> None:
    """Its schema is numbered, and cells that a row does not have are not there."""
    write_clip(tmp_path / "happy" / "x.wav", vowel())
    kept = json.loads(json.dumps(check(load_corpora([tmp_path])).to_dict()))
    assert (kept["schema_version"], kept["ok"], kept["problems"]) == (1, True, [])
    (row,) = kept["corpora"]
    assert (row["corpus"], row["speakers"], row["clips"]) == (tmp_path.name, 0, 1)
    assert "speaker" not in row
    assert kept["speakers"][0]["speaker"] == "unknown"


def test_real_corpora_hold_one_clip_twice(corpus: Path) -> None:
    """Over two hours of speech, all of it decodable, and one RAVDESS take that is another's."""
    need(corpus / "clips.csv")
    report = check(load_corpora([corpus]))
    assert sum(row.clips for row in report.corpora) == 3021
    assert sum(row.duration_s for row in report.corpora) == pytest.approx(8400, abs=5)
    assert problems(report) == {"03-01-03-01-02-02-07.flac": "same sound"}
