"""Labels given on the command line."""

import typer

from emotool.text import printable

__all__ = ["parse_labels"]


def parse_labels(text: str | None) -> tuple[str, ...] | None:
    """Split ``happy,sad``; synonyms are replaced, and reported."""
    if text is None:
        return None
    from emotool_training.corpora import normalise_emotion

    words = [part.strip() for part in text.split(",")]
    labels = tuple(normalise_emotion(word) for word in words)
    for word, label in zip(words, labels, strict=True):
        if word.lower() != label:
            typer.echo(f"label {printable(word)} is read as {label}", err=True)
    if "" in labels:
        raise typer.BadParameter("a label is empty", param_hint="--labels")
    if len(labels) < 2 or len(set(labels)) < len(labels):
        raise typer.BadParameter("give at least two different labels", param_hint="--labels")
    return labels
