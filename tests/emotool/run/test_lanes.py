"""Calls run side by side, and their results come in the order of the calls."""

import threading
import time

import pytest

from emotool.run.inference import Lanes

PATIENCE_S = 20.0


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_calls(count: int) -> None:
    """Also where later calls are done first."""

    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number

    found = []
    with Lanes[int](count) as lanes:
        for number in range(20):
            lanes.begin(lambda number=number: work(number))  # type: ignore[misc]
            found += lanes.ready()
        found += lanes.rest()
        assert list(lanes.rest()) == []
    assert found == list(range(20))


def test_as_many_calls_run_at_once_as_there_are_lanes() -> None:
    """Each of two calls waits for the other: one after the other, neither would end."""
    meeting = threading.Barrier(2)
    with Lanes[int](2) as lanes:
        for _ in range(2):
            lanes.begin(lambda: meeting.wait(PATIENCE_S))
        assert sorted(lanes.rest()) == [0, 1]


def test_one_lane_needs_no_thread() -> None:
    """With one lane the call is made where it is begun."""
    with Lanes[int](1) as lanes:
        lanes.begin(threading.get_ident)
        assert list(lanes.ready()) == [threading.get_ident()]


def test_no_more_calls_wait_than_one_beyond_the_lanes() -> None:
    """What has not begun holds memory, so whoever asks what is ready waits for the first."""
    gate = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        gate.wait(PATIENCE_S)
        return number

    with Lanes[int](2) as lanes:
        for number in range(2):
            lanes.begin(lambda number=number: work(number))  # type: ignore[misc]
        assert list(lanes.ready()) == []  # both are under way, and nobody has to wait
        lanes.begin(lambda: work(2))
        threading.Timer(0.05, gate.set).start()
        first = next(lanes.ready())
        assert (first, gate.is_set()) == (0, True)
        assert list(lanes.rest()) == [1, 2]
    assert sorted(begun) == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_what_a_call_raises_is_raised(count: int) -> None:
    """In its turn, where the results are taken."""
    found = []

    def work() -> int:
        raise ValueError("no")

    with Lanes[int](count) as lanes:
        lanes.begin(lambda: 1)
        with pytest.raises(ValueError, match="no"):
            lanes.begin(work)
            for result in lanes.rest():
                found.append(result)
        found += lanes.rest()
    assert found == [1]


def test_leaving_early_drops_what_has_not_begun() -> None:
    """An error or Ctrl-C waits for the calls under way, and for no other."""
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        time.sleep(0.05)
        return number

    with Lanes[int](2) as lanes:
        for number in range(40):
            lanes.begin(lambda number=number: work(number))  # type: ignore[misc]
    assert len(begun) < 40
