"""The errors emotool raises on purpose.

Each carries a message that names the file and the problem and, where there is one,
a hint with the solution. They are raised low and caught once, in the command line.
"""

import sys

__all__ = [
    "PACKAGES",
    "AudioError",
    "CorpusError",
    "DeviceError",
    "EmotoolError",
    "InputError",
    "JournalError",
    "LockedError",
    "MissingExtraError",
    "ModelError",
    "ModelNotFoundError",
    "OutputError",
    "SettingsError",
    "SpecError",
    "TrainingError",
    "install_command",
]


class EmotoolError(Exception):
    """Base of all errors that a user can act on.

    Parameters
    ----------
    message : str
        What went wrong, with which file, what was expected.
    hint : str, optional
        What to do about it, one sentence.

    Attributes
    ----------
    exit_code : int
        The process's exit code when this error ends it.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(EmotoolError):
    """The inputs named on the command line hold nothing that can be classified."""


class AudioError(EmotoolError):
    """One clip cannot be used; it becomes a row with status ``failed``.

    Parameters
    ----------
    stage : str
        Where it failed: ``open``, ``decode``, ``resample``, ``features``, ``timeout``,
        ``crash`` or ``model``.
    reason : str
        What was wrong, for the row's ``error`` column.
    """

    def __init__(self, stage: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{stage}: {reason}", hint=hint)
        self.stage = stage
        self.reason = reason


class SpecError(EmotoolError, ValueError):
    """A spectrogram specification is incomplete, ill-typed or out of bounds.

    As a ValueError it is one that pydantic reports with the field it belongs to.
    """


class ModelError(EmotoolError):
    """A model file is damaged, contradicts its metadata or is not an emotool classifier."""


class ModelNotFoundError(ModelError):
    """No model of that name or path exists."""


class DeviceError(EmotoolError):
    """The device asked for is not the one the model would run on."""


class OutputError(EmotoolError):
    """Results cannot be written where they were asked for."""


class JournalError(EmotoolError):
    """The journal beside the output is locked, damaged or belongs to another run."""


class LockedError(JournalError):
    """Another run is writing the output."""


class SettingsError(EmotoolError):
    """A settings file or an environment variable holds an invalid value."""

    exit_code = 2


class CorpusError(EmotoolError):
    """A corpus folder, fold file or split cannot be used."""


class TrainingError(EmotoolError):
    """Training, evaluation or export cannot go on."""


PACKAGES = {
    "adapt": ("onnx", "scikit-learn", "scipy"),
    "adopt": ("onnx",),
    "av": ("av",),
    "cloud": ("obstore",),
    "evaluate": ("matplotlib", "scipy"),
    "pandas": ("pandas",),
    "parquet": ("pyarrow",),
    "plot": ("matplotlib",),
    "ray": ("ray",),
    "train": ("librosa", "matplotlib", "onnx", "scipy", "tensorflow", "tf2onnx"),
    "xlsx": ("xlsxwriter",),
}
"""The packages that each optional extra of `pyproject.toml` installs for users."""


def install_command(*packages: str) -> str:
    """Return the shell command that installs packages beside emotool.

    It calls the pip of this interpreter, since the one on the path may belong to another
    environment. It names the packages and not ``emotool[extra]``: emotool is on no package index
    yet, where somebody else could take its name.

    Parameters
    ----------
    *packages : str
        Names as on the package index.

    Returns
    -------
    str
        For example ``/usr/bin/python -m pip install av``.
    """
    python = sys.executable or "python"
    python = f'"{python}"' if " " in python else python
    return f"{python} -m pip install {' '.join(packages)}"


class MissingExtraError(EmotoolError):
    """A command needs packages that an optional extra installs.

    Parameters
    ----------
    extra : str
        The extra's name, one of `PACKAGES`.
    purpose : str
        What needs it, for example ``"emotool train"``.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs packages that are not installed",
            hint=f"install them with: {install_command(*PACKAGES[extra])}",
        )
        self.extra = extra
