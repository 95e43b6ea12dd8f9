"""Headers that state no length, or more sound than the file has."""

import io

import pytest

from emotool.audio.headers import plan_au, plan_caf, plan_sphere


@pytest.mark.parametrize("line", [b"sample_count -i ", b"-i -i -i -i", b" -i 5", b"x -i 5 6"])
def test_a_sphere_header_with_incomplete_lines_gives_no_plan(line: bytes) -> None:
    """A line without a name, type and value is no statement about the length."""
    head = (b"NIST_1A\n   1024\n" + line + b"\nend_head\n").ljust(1_024)
    assert plan_sphere(io.BytesIO(head + bytes(100)), 0, 1_124) is None


def test_a_sphere_file_that_is_cut_off_is_flagged() -> None:
    """Its header states more samples than there are bytes."""
    lines = b"channel_count -i 1\nsample_n_bytes -i 2\nsample_count -i 90000\n"
    head = (b"NIST_1A\n   1024\n" + lines + b"end_head\n").ljust(1_024)
    plan = plan_sphere(io.BytesIO(head + bytes(100)), 0, 1_124)
    assert plan is not None
    assert plan.flags == ("incomplete",)


def test_a_caf_chunk_that_begins_at_the_end_of_the_sound_gives_no_plan() -> None:
    """What lies behind the end, such as a tag, is not taken for sound."""
    content = b"caff\0\1\0\0" + b"data" + (1 << 40).to_bytes(8) + bytes(20)
    assert plan_caf(io.BytesIO(content), 0, 12) is None
    assert plan_caf(io.BytesIO(content), 0, len(content)) is not None


def test_an_au_header_that_states_its_length_gives_no_plan() -> None:
    """Only where it states none is the length that of the file."""
    rest = (3).to_bytes(4) + (8_000).to_bytes(4) + (1).to_bytes(4)
    stated = b".snd" + (24).to_bytes(4) + (50).to_bytes(4) + rest + bytes(50)
    unstated = b".snd" + (24).to_bytes(4) + bytes(4) + rest + bytes(50)
    assert plan_au(io.BytesIO(stated), 0, len(stated)) is None
    assert plan_au(io.BytesIO(unstated), 0, len(unstated)) is not None
