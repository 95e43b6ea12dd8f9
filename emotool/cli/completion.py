"""What the shell offers after a Tab."""

__all__ = ["model_names"]


def model_names(incomplete: str) -> list[str]:
    """Return the names of models that begin so; the files are not looked into."""
    from emotool.model.catalog import list_models

    return [entry.name for entry in list_models() if entry.name.startswith(incomplete)]
