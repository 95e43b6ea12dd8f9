"""Messages arrive whole, or are none."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.workers.protocol import ProtocolError, receive, send, to_bytes, to_path


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.binary())
def test_what_is_sent_is_received(header: dict[str, object], payload: bytes) -> None:
    """Header and payload arrive as they were, whatever they hold."""
    stream = io.BytesIO()
    send(stream, header, payload)
    stream.seek(0)
    assert receive(stream) == (header, bytearray(payload))
    assert receive(stream) is None


@given(st.text(st.characters(exclude_categories=())))
def test_paths_come_through_whatever_they_hold(path: str) -> None:
    """Undecodable bytes as surrogates, lone ones, NUL and every script."""
    assert to_path(bytearray(to_bytes(path))) == path


@given(st.binary(min_size=1, max_size=200))
def test_garbage_is_no_message(garbage: bytes) -> None:
    """Bytes of a process that went mad are refused, or happen to be a message; never an error."""
    try:
        message = receive(io.BytesIO(garbage))
    except ProtocolError:
        return
    assert message is not None and isinstance(message.header, dict)


def test_truncated_message_is_refused_at_every_byte() -> None:
    """A worker that dies while it answers has not answered."""
    stream = io.BytesIO()
    send(stream, {"index": 3}, b"windows")
    whole = stream.getvalue()
    for length in range(1, len(whole)):
        with pytest.raises(ProtocolError):
            receive(io.BytesIO(whole[:length]))
