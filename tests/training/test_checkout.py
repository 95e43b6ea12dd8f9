"""The commit of the code that runs."""

import re

from emotool_training.checkout import git_commit


def test_a_commit_is_a_hash_or_nothing() -> None:
    """In a checkout its hash, elsewhere empty; never an error message."""
    assert re.fullmatch(r"([0-9a-f]{40})?", git_commit())
