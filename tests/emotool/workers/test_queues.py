"""What the pool's threads share is bounded, and can be closed at any moment."""

import threading
import time
from collections.abc import Iterator

import pytest

from emotool.inputs.clips import Clip
from emotool.workers.queues import Inbox, Source


def clips(count: int) -> list[Clip]:
    """Make clips numbered from 0."""
    return [Clip(index, "", f"{index}.wav") for index in range(count)]


def test_source_hands_out_every_task_once_in_order() -> None:
    """Whoever asks gets the next tasks, until there are none."""
    source = Source(clips(5), ahead=100)
    taken = source.take(2, wait=True) + source.take(9, wait=True)
    assert taken == clips(5)
    assert source.take(1, wait=True) == []


def test_source_does_not_run_ahead_of_the_first_unfinished_task() -> None:
    """However many later ones are finished, a slow clip bounds what must be kept."""
    source = Source(clips(100), ahead=4)
    assert len(source.take(50, wait=True)) == 4
    for index in (1, 2, 3):
        source.finish(index)
    assert source.take(1, wait=False) == []
    source.finish(0)
    assert source.take(50, wait=False) == clips(100)[4:8]


def test_waiting_for_a_task_ends_when_one_is_finished() -> None:
    """A worker without work goes on as soon as the slow clip is done."""
    source = Source(clips(3), ahead=1)
    source.take(1, wait=True)
    taken: list[Clip] = []
    thread = threading.Thread(target=lambda: taken.extend(source.take(1, wait=True)))
    thread.start()
    source.finish(0)
    thread.join(5)
    assert taken == [Clip(1, "", "1.wav")]


def test_closed_source_wakes_and_refuses() -> None:
    """Nobody waits for tasks of a run that has ended."""
    source = Source(clips(3), ahead=1)
    source.take(1, wait=True)
    thread = threading.Thread(target=lambda: source.take(1, wait=True))
    thread.start()
    source.close()
    thread.join(5)
    assert not thread.is_alive()
    source.finish(0)
    assert source.take(1, wait=True) == []


def test_source_passes_on_the_error_of_its_clips() -> None:
    """What goes wrong in a caller's generator reaches whoever asked for a task."""

    def failing() -> Iterator[Clip]:
        yield Clip(0, "", "0.wav")
        raise LookupError("no more")

    with pytest.raises(LookupError):
        Source(failing(), ahead=10).take(2, wait=True)


def test_inbox_gives_what_was_put_in_order() -> None:
    """First in, first out; nothing at all after the time given."""
    inbox: Inbox[int] = Inbox(100)
    assert inbox.put(1, 60) and inbox.put(2, 40)
    assert (inbox.get(1), inbox.get(1)) == (1, 2)
    began = time.monotonic()
    assert inbox.get(0.05) is None
    assert time.monotonic() - began >= 0.05


def test_inbox_makes_those_wait_who_put_too_much() -> None:
    """Its size is bounded by bytes, but a single larger item is let through."""
    inbox: Inbox[str] = Inbox(100)
    inbox.put("large", 1000)
    thread = threading.Thread(target=inbox.put, args=("next", 1))
    thread.start()
    thread.join(0.05)
    assert thread.is_alive()
    assert inbox.get(1) == "large"
    thread.join(5)
    assert inbox.get(1) == "next"


def test_closed_inbox_wakes_and_refuses() -> None:
    """A thread that waits for room in a run that has ended is told so."""
    inbox: Inbox[str] = Inbox(1)
    inbox.put("first", 1)
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(inbox.put("second", 1)))
    thread.start()
    inbox.close()
    thread.join(5)
    assert answers == [False]
    assert inbox.get(1) is None
