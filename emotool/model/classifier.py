"""Load an ONNX classifier, check it, and run it.

Model files are untrusted. Loading runs nothing but ONNX operators: the bytes are looked
through first (`emotool.model.onnx_scan`), the metadata is read strictly, inputs and outputs must be
what the metadata promises, and the model must reproduce its reference output.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emotool.cores import usable_cores
from emotool.errors import ModelError
from emotool.features.waveform_spec import InputSpec, WaveformSpec
from emotool.model.catalog import distinct_name, find_model
from emotool.model.device import prove
from emotool.model.feed import feed
from emotool.model.metadata import METADATA_KEY, ModelMetadata, golden_input
from emotool.model.onnx_prune import only_outputs
from emotool.model.onnx_scan import OnnxFile, read_onnx
from emotool.model.self_test import (
    OUTPUTS,
    check_answer,
    check_golden,
    check_mask,
    check_signature,
    golden_pair,
)
from emotool.model.session import (
    BATCH_SIZES,
    Sessions,
    compute,
    compute_bound,
    open_session,
    run_options,
    threads_for,
)
from emotool.text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from emotool.model.linear_head import LinearHead, Statistics

__all__ = ["Classifier", "load_classifier", "read_metadata", "with_statistics"]


class Classifier:
    """A model that is loaded, checked and ready; made by `load_classifier`.

    Parameters
    ----------
    sessions : Sessions
        What runs it.
    metadata : ModelMetadata
        The model's metadata.
    sha256 : str
        Fingerprint of the file.
    device : {"cpu", "cuda"}
        Where it was proved to run.
    name : str, optional
        What results call it; its own name if not given.
    content : bytes, optional
        The file, if it has a linear head.
    """

    def __init__(
        self,
        sessions: Sessions,
        metadata: ModelMetadata,
        *,
        sha256: str,
        device: str,
        name: str = "",
        content: bytes = b"",
    ) -> None:
        self._sessions = sessions
        self._run_options = run_options()
        self._compute = compute if device == "cpu" else compute_bound
        self.metadata = metadata
        self.sha256 = sha256
        self.device = device
        self.name = name or metadata.name
        self._content = content
        self._embedding_size = 0  # not known yet

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the probabilities; none if it gives only dimensions."""
        return self.metadata.labels

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the numbers that it gives, such as arousal; mostly none."""
        return tuple(dimension.name for dimension in self.metadata.dimensions)

    @property
    def spec(self) -> InputSpec:
        """The spectrogram or waveform it has to be given."""
        return self.metadata.input

    @property
    def linear_head(self) -> "LinearHead | None":
        """The head, if it is linear and stored by name; read each time."""
        from emotool.model.linear_head import read_linear_head  # it needs numpy

        return read_linear_head(self._content)

    def embedding_size(self) -> int:
        """Count the numbers in an embedding, by asking once for one of a window of noise.

        Raises
        ------
        ModelError
            If the model gives no embeddings.
        """
        if not self._embedding_size:
            self.require("embedding", "embeddings")
            noise = golden_input(0, self.spec)
            self._embedding_size = int(self.run(noise, ("embedding",))["embedding"].shape[1])
        return self._embedding_size

    def require(self, output: str, purpose: str) -> None:
        """Refuse to do what needs an output that the model lacks.

        Parameters
        ----------
        output : {"probabilities", "dimensions", "embedding", "activation"}
        purpose : str
            What needs it, for the message.

        Raises
        ------
        ModelError
            If it is not among the model's outputs.
        """
        if output in self.metadata.outputs:
            return
        hint = "use a model with labels"
        if output in ("embedding", "activation"):
            hint = f"emotool adopt --{output} NAME adds it, if the published graph computes it"
        raise ModelError(
            f"{purpose}: the model {printable(self.name)} has no output {output}", hint=hint
        )

    @property
    def batch_size(self) -> int:
        """How many windows are best given at once, where it runs."""
        return BATCH_SIZES[self.device]

    @property
    def batches_at_once(self) -> int:
        """How many batches are best run side by side, by as many threads, where it runs."""
        return self._sessions.at_once

    def predict(self, log_mels: "NDArray[np.float32]") -> "NDArray[np.float32]":
        """Classify a batch of windows.

        Parameters
        ----------
        log_mels : ndarray of float32, shape (batch, n_mels, frames) or (batch, samples)
            Spectrograms in dB, as `emotool.features.mel.log_mel` makes them from ``spec``, or
            waveforms, as `emotool.features.waveform.waveforms` does.

        Returns
        -------
        ndarray of float32, shape (batch, labels)
            Probabilities in [0, 1], each row summing to 1.

        Raises
        ------
        ModelError
            If the model fails on this batch, or has no labels.
        ValueError
            If the shape is not the model's.
        """
        return self.run(log_mels, ("probabilities",))["probabilities"]

    def run(
        self,
        windows: "NDArray[np.float32]",
        outputs: Sequence[str] = ("probabilities",),
        lengths: Sequence[int] = (),
    ) -> "dict[str, NDArray[np.float32]]":
        """Compute chosen outputs for a batch of windows, and no others.

        Parameters
        ----------
        windows : ndarray of float32, shape (batch, n_mels, frames) or (batch, samples)
            Spectrograms in dB, or waveforms.
        outputs : sequence of str
            Of ``probabilities`` [batch, labels], ``logits`` [batch, labels], ``dimensions``
            [batch, dimensions], ``embedding`` [batch, dim] and ``activation`` [batch, height,
            width], the evidence for the predicted class over mel bands (axis 1) and time (axis 2).
        lengths : sequence of int
            Samples of each waveform without its padding; all of them if not given. For models
            with a mask only.

        Returns
        -------
        dict of str to ndarray of float32

        Raises
        ------
        ModelError
            If the model fails on this batch.
        ValueError
            If the shape or an output's name is not the model's.
        """
        if unknown := set(outputs) - OUTPUTS.keys():
            raise ValueError(f"unknown outputs: {sorted(unknown)}")
        for name in outputs:
            self.require(name, "running the model")
        labelling = set(outputs) <= set(self.metadata.labelling)
        session = self._sessions.labelling if labelling else self._sessions.whole
        inputs = feed(windows, lengths, self.spec)
        arrays = self._compute(session, inputs, outputs, self._run_options)
        return dict(zip(outputs, arrays, strict=True))


def load_classifier(
    path: str | os.PathLike[str], device: str = "auto", threads: int | None = None
) -> Classifier:
    """Load a model and check it against its metadata.

    Parameters
    ----------
    path : str or os.PathLike
        A model's name or the path of its ``.onnx`` file.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Where to run it. ``cuda`` that lands on the CPU is an error; ``auto`` takes what it
        can get, which is the result's ``device``.
    threads : int, optional
        Threads on the CPU, for all batches that run side by side; chosen by the model's size if
        not given.

    Returns
    -------
    Classifier

    Raises
    ------
    ModelNotFoundError
        If there is no such model.
    ModelError
        If the file is damaged, contradicts its metadata, is no classifier, or holds what is
        not loaded from untrusted files: external data, custom operators.
    DeviceError
        If it does not run where it was asked to.
    """
    path = find_model(path)
    file = read_onnx(path)
    try:
        metadata = _metadata_of(file)
        # A thread for each batch: threads that share an operator wait for each other at its end,
        # and three or more divide it by the batch's size, which changes the last bits.
        at_once, helping = threads or threads_for(file.size, usable_cores()), 1
        is_long = isinstance(metadata.input, WaveformSpec) and metadata.input.is_long
        if file.content is None or is_long:  # two batches would take twice the memory
            at_once, helping = 1, at_once
        session = open_session(file.content or path, device, helping)
        check_signature(session, metadata)
        small = file.content
        if small is not None and metadata.extras:
            small = only_outputs(small, metadata.labelling)
        # Nothing could be left out, or a second session would take too much memory.
        whole = small is None or small is file.content
        labelling = session if small is None or whole else open_session(small, device, helping)
        proved = prove(session, device)
        sha256 = file.sha256()
        file.check_unchanged()
        classifier = Classifier(
            Sessions(session, labelling, at_once if proved == "cpu" else 1),
            metadata,
            sha256=sha256,
            device=proved,
            name=distinct_name(metadata.name, path, sha256),
            content=_with_linear_head(file.content),
        )
        check_golden(classifier.run, metadata)
        check_mask(classifier.run, metadata)
        if not whole:
            check_answer(classifier.run(golden_pair(metadata), metadata.labelling), metadata)
    except ModelError as error:
        raise ModelError(f"{printable(str(path))}: {error.message}", hint=error.hint) from error
    return classifier


def _with_linear_head(content: bytes | None) -> bytes:
    """Return a file's content if it has a linear head, or nothing: also of a large file."""
    from emotool.model.linear_head import read_linear_head

    return b"" if content is None or read_linear_head(content) is None else content


def with_statistics(classifier: Classifier, own: "Statistics") -> Classifier:
    """Return a model with a linear head, normalised by other statistics.

    Parameters
    ----------
    classifier : Classifier
        Loaded and checked.
    own : Statistics
        Of embeddings by this model.
    """
    from emotool.model.linear_head import with_statistics as changed_content

    content = changed_content(classifier._content, own)
    session = open_session(content, classifier.device, usable_cores())
    return Classifier(
        Sessions(session, session, 1),
        classifier.metadata,
        sha256=classifier.sha256,
        device=classifier.device,
        name=classifier.name,
        content=content,
    )


def read_metadata(path: Path) -> ModelMetadata:
    """Read a model's metadata without loading it.

    Raises
    ------
    ModelError
        If the file or its metadata are not an emotool model's.
    """
    file = read_onnx(path)
    try:
        return _metadata_of(file)
    except ModelError as error:
        raise ModelError(f"{printable(str(path))}: {error.message}", hint=error.hint) from error


def _metadata_of(file: OnnxFile) -> ModelMetadata:
    text = file.properties.get(METADATA_KEY)
    if text is None:
        raise ModelError(
            "it is an ONNX file, but carries no emotool metadata",
            hint="emotool runs models that `emotool export` has written; `emotool adopt` makes "
            "one of a published ONNX model",
        )
    return ModelMetadata.from_json(text)
