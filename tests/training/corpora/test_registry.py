"""Each corpus's names say what its documentation says they say."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool_training.corpora import (
    EMOTIONS,
    Excluded,
    Utterance,
    cremad,
    emodb,
    key_of,
    nemo,
    parse,
)
from emotool_training.corpora.registry import CORPORA, known_fault

SUFFIXES = st.sampled_from([".wav", ".WAV", ".flac", ".mp3", ".ogg", ".m4a"])
FOLDERS = st.sampled_from(["", "a/", "AudioWAV/", "Actor_01/deep/er/", "happy/"])


def names(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    """Join constant and drawn parts into file names."""
    drawn = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*drawn).map("".join)


CREMAD = names(
    st.sampled_from(sorted(cremad.actors())),
    "_",
    st.sampled_from(sorted(cremad.SENTENCES)),
    "_",
    st.sampled_from(["ANG", "DIS", "FEA", "HAP", "NEU", "SAD"]),
    "_",
    st.sampled_from(["LO", "MD", "HI", "XX"]),
)
RAVDESS = st.tuples(
    *(st.integers(1, last).map("{:02d}".format) for last in (3, 2, 8, 2, 2, 2, 24))
).map("-".join)
TESS = names(
    st.sampled_from(["OAF", "YAF"]),
    "_",
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=6),
    "_",
    st.sampled_from(["angry", "disgust", "fear", "happy", "neutral", "ps", "sad"]),
)
EMODB = names(
    st.sampled_from(sorted(emodb.SPEAKERS)),
    st.sampled_from(sorted(emodb.SENTENCES)),
    st.sampled_from("WLEAFTN"),
    st.sampled_from(["", "a", "b", "c"]),
)
NEMO = names(
    st.sampled_from(sorted(nemo.SEXES)),
    "_",
    st.sampled_from(["anger", "fear", "happiness", "neutral", "sadness", "surprised"]),
    "_",
    st.integers(1, 90).map(str),
)
BY_CORPUS = {"cremad": CREMAD, "ravdess": RAVDESS, "tess": TESS, "emodb": EMODB, "nemo": NEMO}


@pytest.mark.parametrize("corpus", BY_CORPUS)
@given(data=st.data(), folder=FOLDERS, suffix=SUFFIXES)
def test_name_is_recognised_by_its_corpus_alone(
    corpus: str, data: st.DataObject, folder: str, suffix: str
) -> None:
    """Whatever its folder and suffix, a name belongs to one corpus, and its key holds neither."""
    stem = data.draw(BY_CORPUS[corpus])
    path = Path(f"{folder}{stem}{suffix}")
    claims = [module.FACTS.name for module in CORPORA if module.parse(path) is not None]
    assert claims == [corpus]
    clip = parse(path)
    assert clip is not None
    assert (clip.key, clip.path, clip.corpus) == (f"{corpus}/{stem}", path, corpus)
    if isinstance(clip, Utterance):
        assert clip.emotion in EMOTIONS
        assert clip.sex in ("male", "female")
        assert clip.speaker.startswith(f"{corpus}-")
        assert clip.speaker.removeprefix(f"{corpus}-") in stem
    else:
        assert clip.reason and clip.reason not in EMOTIONS


@given(st.text(max_size=24))
def test_no_name_makes_a_parser_fail(name: str) -> None:
    """Names come from strangers: a parser answers, whatever they hold."""
    found = parse(Path(name.replace("\0", "") + ".wav"))
    assert found is None or found.corpus in BY_CORPUS


@given(st.sampled_from(list(BY_CORPUS)), st.data())
def test_name_with_more_around_it_is_not_recognised(corpus: str, data: st.DataObject) -> None:
    """``my_1001_DFA_ANG_XX`` and ``1001_DFA_ANG_XX_noisy`` are somebody's own files."""
    stem = data.draw(BY_CORPUS[corpus])
    assert parse(Path(f"my_{stem}.wav")) is None
    assert parse(Path(f"{stem}_noisy.wav")) is None


def test_cremad_reads_levels_and_actors() -> None:
    """The levels are low, medium, high and unspecified; the sex is the actor's."""
    clips = [cremad.parse(Path(f"1002_IEO_SAD_{level}.wav")) for level in ("LO", "MD", "HI", "XX")]
    assert [clip.intensity for clip in clips if clip] == ["low", "medium", "high", "unspecified"]
    assert {(clip.speaker, clip.sex) for clip in clips if clip} == {("cremad-1002", "female")}


def test_cremad_has_91_actors_and_12_sentences() -> None:
    """48 men and 43 women between 20 and 74 years, as the paper says."""
    actors = cremad.actors().values()
    assert Counter(actor.sex for actor in actors) == {"male": 48, "female": 43}
    assert (min(a.age for a in actors), max(a.age for a in actors)) == (20, 74)
    assert len(cremad.SENTENCES) == 12


def test_cremad_split_places_every_actor_once() -> None:
    """56 actors train, 18 validate and 17 test; none does two of these."""
    split = cremad.published_split()
    placed = [speaker for speakers in split.values() for speaker in speakers]
    assert sorted(placed) == [f"cremad-{number}" for number in sorted(cremad.actors())]
    assert {name: len(speakers) for name, speakers in split.items()} == {
        "train": 56,
        "validation": 18,
        "test": 17,
    }


@pytest.mark.parametrize(
    ("misnamed", "key", "speaker"),
    [
        ("1040_ITH_SAD_X", "cremad/1040_ITH_SAD_XX", "cremad-1040"),
        ("OA_bite_neutral", "tess/OAF_bite_neutral", "tess-OAF"),
    ],
)
def test_misnamed_file_is_read_as_what_it_is(misnamed: str, key: str, speaker: str) -> None:
    """A published misprint has the key of the right name, and is known as a fault."""
    clip = parse(Path(f"{misnamed}.wav"))
    assert isinstance(clip, Utterance)
    assert (clip.key, clip.speaker) == (key, speaker)
    assert key_of(clip.corpus, f"{misnamed}.wav") == key
    assert known_fault(clip.corpus, clip.path).startswith("misnamed")


@pytest.mark.parametrize(
    ("stem", "reason"),
    [
        ("03-01-02-01-01-01-01", "calm"),
        ("03-01-08-01-01-01-01", "surprise"),
        ("03-02-03-01-01-01-01", "song"),
        ("01-01-03-01-01-01-01", "video"),
        ("YAF_dog_ps", "pleasant surprise"),
        ("08b02Lc", "boredom"),
        ("WR0_surprised_7", "surprise"),
    ],
)
def test_what_is_not_one_of_six_spoken_emotions_is_left_out(stem: str, reason: str) -> None:
    """It is named as what it is, never merged into a neighbour."""
    clip = parse(Path(f"{stem}.wav"))
    assert isinstance(clip, Excluded)
    assert clip.reason == reason


def test_nemo_speaker_of_unknown_sex_is_a_clip_all_the_same() -> None:
    """What the corpus does not tell us stays ``unknown``."""
    clip = parse(Path("ZZ9_fear_3.wav"))
    assert isinstance(clip, Utterance)
    assert (clip.speaker, clip.sex) == ("nemo-ZZ9", "unknown")


def test_all_cremad_names_parse(shared: Path) -> None:
    """All 7,442 names of the published list are clips of 91 actors."""
    with (shared / "cremad" / "clips.csv").open(encoding="utf-8", newline="") as handle:
        clips = [cremad.parse(Path(row["clip"] + ".wav")) for row in csv.DictReader(handle)]
    assert len(clips) == 7442
    assert None not in clips
    assert len({clip.key for clip in clips if clip}) == 7442
    assert len({clip.speaker for clip in clips if clip}) == 91


def test_actors_equal_the_published_table(shared: Path) -> None:
    """The table in the package is the published one, to the cell."""
    with (shared / "cremad" / "actors.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            actor = cremad.actors()[row["ActorID"]]
            assert (str(actor.age), actor.sex) == (row["Age"], row["Sex"].lower())
            assert (actor.race, actor.ethnicity) == (row["Race"], row["Ethnicity"])
