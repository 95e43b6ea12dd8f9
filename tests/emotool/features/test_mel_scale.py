"""The mel scale and its filters are librosa's."""

import warnings

import numpy as np
import pytest

from emotool.features.mel_scale import hz_to_mel, mel_edges, mel_filterbank, mel_to_hz
from emotool.features.spec import SpectrogramSpec

SPECS = (
    SpectrogramSpec(),
    SpectrogramSpec(n_mels=64, n_fft=512, f_min=50.0, f_max=7_600.0),
    SpectrogramSpec(sample_rate=48_000, n_fft=2_048, n_mels=96, f_max=20_000.0),
    SpectrogramSpec(n_mels=16, f_min=1_200.0),
    SpectrogramSpec(sample_rate=8_000, n_mels=40, f_max=3_800.0),
)


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_the_filterbank_equals_librosa(spec: SpectrogramSpec) -> None:
    """Slaney's filters, to the last digits of float32."""
    librosa = pytest.importorskip("librosa", reason="the oracle is librosa, of the train extra")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        theirs = librosa.filters.mel(
            sr=spec.sample_rate,
            n_fft=spec.n_fft,
            n_mels=spec.n_mels,
            fmin=spec.f_min,
            fmax=spec.f_max,
        )
    ours = mel_filterbank(spec)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-9)


def test_the_scale_equals_librosa_both_ways() -> None:
    """Linear below 1 kHz, logarithmic above."""
    librosa = pytest.importorskip("librosa", reason="the oracle is librosa, of the train extra")
    hertz = np.array([0.0, 10.0, 999.9, 1_000.0, 1_000.1, 4_000.0, 96_000.0])
    mels = hz_to_mel(hertz)
    np.testing.assert_allclose(mels, librosa.hz_to_mel(hertz), rtol=1e-12)
    np.testing.assert_allclose(mel_to_hz(mels), hertz, rtol=1e-12)


def test_bands_are_evenly_spaced_between_the_frequencies() -> None:
    """In mels, from the lower edge of the first to the upper edge of the last."""
    spec = SPECS[1]
    edges = mel_edges(spec)
    assert len(edges) == spec.n_mels + 2
    np.testing.assert_allclose(np.diff(edges), np.diff(edges)[0])
    np.testing.assert_allclose(mel_to_hz(edges)[[0, -1]], [spec.f_min, spec.f_max])
