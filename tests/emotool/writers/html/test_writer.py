"""The report as a file: rows, media inside or beside, the same bytes from the same run."""

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import OutputError
from emotool.inputs.clips import Clip, find_clips
from emotool.inputs.manifest import Manifest
from emotool.model.classifier import Classifier, load_classifier
from emotool.results.columns import Columns
from emotool.results.row import ClipResult
from emotool.writers.base import Sources, WriterOptions
from emotool.writers.html import writer as report
from emotool.writers.registry import open_writer
from tests.emotool.tiny_models import LABELS, write_tiny_model
from tests.synthesis import vowel, write_clip

TABLE = Columns(LABELS)
HOSTILE = "</script><img src=x onerror=alert(1)>\u2028\x1b\udce9.wav"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Load a tiny model."""
    return load_classifier(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a short clip."""
    return write_clip(tmp_path_factory.mktemp("clips") / "a.wav", vowel(seconds=0.6))


def labelled(index: int, shown: str) -> ClipResult:
    """Return a row with a label."""
    return ClipResult(index, shown, "ok", "tiny", "sad", 0.75, (0.25, 0.75), 0.6)


def write(
    path: Path, clip: Path, names: list[str], classifier: Classifier, **facts: object
) -> None:
    """Write a report of a clip under several names."""
    clips = [Clip(index, name, str(clip)) for index, name in enumerate(names)]
    options = WriterOptions(sources=Sources(clips, classifier))
    with open_writer(str(path), TABLE, facts, options) as writer:
        for index, name in enumerate(names):
            writer.write(labelled(index, name))


def islands(path: Path) -> Mapping[str, Any]:
    """Read a page's data by id; those without one are rows."""
    pattern = r'<script type="application/json" (?:id|class)="(\w+)">(.*?)</script>'
    found: dict[str, Any] = {"rows": []}
    for name, text in re.findall(pattern, path.read_text("utf-8"), re.DOTALL):
        if name == "rows":
            found["rows"] += json.loads(text)
        else:
            found[name] = json.loads(text)
    return found


def test_sounds_and_pictures_are_inside(tmp_path: Path, clip: Path, classifier: Classifier) -> None:
    """A report of few clips is one file that can be mailed."""
    write(tmp_path / "r.html", clip, ["a.wav", "b.wav"], classifier)
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]
    found = islands(tmp_path / "r.html")
    assert [row[0] for row in found["rows"]] == ["a.wav", "b.wav"]
    assert found["m1"].keys() == {"sound", "spectrogram", "evidence"}
    kind, _, content = found["m1"]["spectrogram"].partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content).startswith(b"\x89PNG")
    assert found["page"]["folder"] is None


def test_of_many_clips_they_are_beside(
    tmp_path: Path, clip: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that would grow too large takes them from a folder when a row is opened."""
    monkeypatch.setattr(report, "MAX_INSIDE", 2)
    write(tmp_path / "my 1st.html", clip, ["a", "b", "c"], classifier)
    found = islands(tmp_path / "my 1st.html")
    assert found["page"]["folder"] == "my%201st_files"
    assert "m0" not in found
    assert len(list((tmp_path / "my 1st_files").iterdir())) == 9
    write(tmp_path / "my 1st.html", clip, ["a", "b"], classifier)
    assert [path.name for path in tmp_path.iterdir()] == ["my 1st.html"]


def test_numbered_recordings_beside_a_page_survive_it(
    tmp_path: Path, clip: Path, classifier: Classifier
) -> None:
    """A folder may be called like a report's, and be full of clips: the page of few has none."""
    folder = tmp_path / "r_files"
    folder.mkdir()
    for number in range(2):
        (folder / f"{number:06}.mp3").write_bytes(clip.read_bytes())
    for _ in range(2):  # the second time the page is there already
        write(tmp_path / "r.html", clip, ["a", "b"], classifier)
        assert len(list(folder.iterdir())) == 2
        assert len(find_clips([str(tmp_path)]).clips) == 2


def test_the_next_run_does_not_take_a_reports_sounds_for_clips(
    tmp_path: Path, clip: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page written among the clips would otherwise feed itself; other folders are walked."""
    monkeypatch.setattr(report, "MAX_INSIDE", 2)
    (tmp_path / "a.wav").write_bytes(clip.read_bytes())
    write(tmp_path / "r.html", clip, ["a", "b", "c"], classifier)
    shown = [one.shown for one in find_clips([str(tmp_path)]).clips]
    assert shown == [f"{tmp_path.as_posix()}/a.wav"]
    assert len(find_clips([str(tmp_path / "r_files")]).clips) == 3  # who names it means it
    for name in (".DS_Store", "Thumbs.db"):  # somebody has looked at it
        (tmp_path / "r_files" / name).write_bytes(b"")
    assert len(find_clips([str(tmp_path)]).clips) == 1
    (tmp_path / "r_files" / "mine.mp3").write_bytes(b"")
    assert len(find_clips([str(tmp_path)]).clips) == 5
    (tmp_path / "r_files" / "mine.mp3").unlink()
    (tmp_path / "r.html").write_text("<title>A page of mine</title>")
    assert len(find_clips([str(tmp_path)]).clips) == 4


def test_many_clips_need_a_place_for_files(
    clip: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output has no folder beside it; that is said before any work is done."""
    monkeypatch.setattr(report, "MAX_INSIDE", 0)
    options = WriterOptions(sources=Sources([Clip(0, "a", str(clip))], classifier))
    with pytest.raises(OutputError, match="folder beside it"):
        open_writer("-", TABLE, {}, options, ".html")


def test_two_runs_differ_in_run_alone(tmp_path: Path, clip: Path, classifier: Classifier) -> None:
    """Threads and encoders leave no trace of chance."""
    names = [f"{number}.wav" for number in range(20)]
    write(tmp_path / "a.html", clip, names, classifier, seconds=1.0)
    write(tmp_path / "b.html", clip, names, classifier, seconds=2.0)
    a, b = ((tmp_path / name).read_text("utf-8") for name in ("a.html", "b.html"))
    assert a != b
    assert a.replace('id="run">{"seconds":1.0}', 'id="run">{"seconds":2.0}') == b


@pytest.mark.slow
def test_rows_keep_their_order_whoever_is_ready_first(
    tmp_path: Path, clip: Path, classifier: Classifier
) -> None:
    """A long clip holds up those behind it, and none overtakes."""
    long = write_clip(tmp_path / "long.wav", vowel(seconds=30))
    clips = [Clip(i, f"{i:03}", str(clip if i % 7 else long)) for i in range(40)]
    options = WriterOptions(sources=Sources(clips, classifier))
    with open_writer(str(tmp_path / "r.html"), TABLE, {}, options) as writer:
        for each in clips:
            writer.write(labelled(each.index, each.shown))
    assert [row[0] for row in islands(tmp_path / "r.html")["rows"]] == [c.shown for c in clips]


def test_failed_clip_is_not_opened_again(tmp_path: Path, classifier: Classifier) -> None:
    """What crashed a worker is not decoded in the process that must survive."""
    options = WriterOptions(sources=Sources([Clip(0, "a", "/nonexistent")], classifier))
    with open_writer(str(tmp_path / "r.html"), TABLE, {}, options) as writer:
        writer.write(ClipResult(0, "a", "failed", "tiny", stage="crash", error="gone"))
    assert islands(tmp_path / "r.html")["rows"] == [
        ["a", "failed", -1, [], None, [], "crash: gone", None]
    ]


def test_hostile_name_is_data(tmp_path: Path, clip: Path, classifier: Classifier) -> None:
    """A name that is markup stays a string, escaped; what a terminal obeys is made visible."""
    write(tmp_path / "r.html", clip, [HOSTILE], classifier)
    text = (tmp_path / "r.html").read_text("utf-8")
    assert "<img" not in text
    shown, kept = islands(tmp_path / "r.html")["rows"][0][0]
    assert shown == "</script><img src=x onerror=alert(1)>\\u2028\\x1b\\xe9.wav"
    assert kept == "</script><img src=x onerror=alert(1)>\u2028\x1b\\xe9.wav"  # as in tables


def test_discarded_report_leaves_no_files(
    tmp_path: Path, clip: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupted run leaves neither page nor folder."""
    monkeypatch.setattr(report, "MAX_INSIDE", 0)
    options = WriterOptions(sources=Sources([Clip(0, "a", str(clip))], classifier))
    path = str(tmp_path / "r.html")
    with pytest.raises(ZeroDivisionError), open_writer(path, TABLE, {}, options) as writer:
        writer.write(labelled(0, "a"))
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_manifests_cells_are_in_the_page(tmp_path: Path) -> None:
    """Names once, as the manifest has them; cells per row."""
    cells = [("x.wav", "joy", "-0.3"), ("=1+1", "", "-1+1")]
    manifest = Manifest("m.csv", ("file", "label", "valence"), cells, 0)
    with open_writer(str(tmp_path / "r.html"), Columns(LABELS, manifest=manifest)) as writer:
        for index in range(2):
            writer.write(labelled(index, "x.wav"))
    found = islands(tmp_path / "r.html")
    assert found["page"]["kept"] == ["file", "label", "valence"]
    assert [row[-1] for row in found["rows"]] == [list(row) for row in cells]
