"""How training is told to people."""

import io

import pytest
from rich.console import Console

from emotool_training.progress import Display

ROW = {"epoch": 2, "loss": 0.5, "validation_loss": 0.4, "validation_uar": 0.8125}


def display() -> tuple[Display, io.StringIO]:
    """Return a display that writes to a file, as behind a pipe."""
    file = io.StringIO()
    return Display(10, Console(file=file, width=80)), file


def test_behind_a_pipe_an_epoch_is_a_line() -> None:
    """No bars, no escape sequences; the line is not wrapped."""
    shown, file = display()
    with shown.training():
        shown.epoch_begins(1, 5)
        shown.step_ends(0.5)
        shown.epoch_ends(ROW, 0)
        shown.epoch_ends(ROW, 1)
    first, second = file.getvalue().splitlines()
    assert first.startswith("epoch   2/10  loss 0.5000  validation: loss 0.4000  UAR 81.2 %")
    assert first.endswith("(kept: epoch 1)")
    assert second.endswith("best so far")
    assert "\x1b" not in file.getvalue()


def test_an_epoch_that_is_kept_for_being_last_is_not_called_best() -> None:
    """Where no earlier epoch may be kept, the last one is, however it compares."""
    shown, file = display()
    with shown.training(2):
        shown.epoch_begins(0, 5)
        shown.epoch_ends({**ROW, "epoch": 1}, -1)
        shown.epoch_begins(1, 5)
        shown.epoch_ends({**ROW, "validation_uar": 0.5}, 1)
    first, second = file.getvalue().splitlines()
    assert first.endswith(" s")
    assert second.endswith("kept: last epoch")
    assert "best" not in file.getvalue()


def test_the_first_epoch_that_may_be_kept_is_not_called_best() -> None:
    """Those before it may have been better."""
    shown, file = display()
    with shown.training():
        shown.epoch_begins(1, 5)
        shown.epoch_ends(ROW, 1)
    assert file.getvalue().rstrip().endswith("best so far")


def test_what_is_checked_after_an_epoch_may_end_training() -> None:
    """It comes after the epoch's line, when the epoch has been kept."""

    def stop() -> None:
        raise KeyboardInterrupt

    file = io.StringIO()
    shown = Display(10, Console(file=file, width=80), check=stop)
    with pytest.raises(KeyboardInterrupt), shown.training():
        shown.epoch_begins(1, 5)
        shown.epoch_ends(ROW, 0)
    assert file.getvalue().startswith("epoch   2/10")


def test_names_are_not_taken_for_markup() -> None:
    """A folder called [bold] is printed as it is."""
    shown, file = display()
    shown.say("run: runs/[bold]x[/y]")
    assert file.getvalue() == "run: runs/[bold]x[/y]\n"


def test_nothing_to_do_shows_no_bar() -> None:
    """A bar appears when it is told of something."""
    shown, file = display()
    with shown.bar("spectrograms"):
        pass
    assert file.getvalue() == ""
