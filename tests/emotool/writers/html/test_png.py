"""Pictures without a picture library, read back by one."""

import io

import numpy as np
import numpy.typing as npt
import pytest

from emotool.writers.html.png import HEAT, evidence_png, spectrogram_png

image = pytest.importorskip("PIL.Image", reason="needs Pillow to read pictures back")

Pixels = npt.NDArray[np.uint8]


def pixels(content: bytes) -> Pixels:
    """Decode a PNG to RGBA, uint8 [height, width, 4]."""
    with image.open(io.BytesIO(content)) as picture:
        picture.load()
        return np.asarray(picture.convert("RGBA"))


def lightness(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return relative luminance (sRGB, IEC 61966-2-1), 0 to 1."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def test_loud_is_light_and_low_is_below() -> None:
    """The lowest band is the last line; the loudest value is the map's last colour."""
    decibels = np.full((4, 6), -80.0, np.float32)
    decibels[0, 2] = 0.0  # lowest band, third frame
    decoded = pixels(spectrogram_png(decibels, 80.0))
    assert decoded.shape == (4, 6, 4)
    assert decoded[3, 2].tolist() == [*bytes.fromhex(HEAT[-1][1:]), 255]
    assert decoded[0, 0].tolist() == [*bytes.fromhex(HEAT[0][1:]), 255]


def test_louder_is_always_lighter() -> None:
    """The colour map can be read in black and white."""
    ramp = np.linspace(-80, 0, 64, dtype=np.float32)[None]
    shades = lightness(pixels(spectrogram_png(ramp, 80.0))[0, :, :3] / 255)
    assert (np.diff(shades) > 0).all()


def test_evidence_is_a_veil_as_dense_as_it_is_strong() -> None:
    """No evidence is wholly transparent, the strongest wholly opaque."""
    decoded = pixels(evidence_png(np.array([[0.0, 0.5, 1.0]], np.float32)))
    assert decoded[0, 0, 3] == 0
    assert 120 < decoded[0, 1, 3] < 136
    assert decoded[0, 2, 3] == 255


def test_many_frames_are_put_together_by_their_loudest() -> None:
    """A minute of frames gives a picture of at most 1,000 columns; no click is lost."""
    decibels = np.full((2, 3_751), -80.0, np.float32)
    decibels[1, 1_777] = 0.0
    decoded = pixels(spectrogram_png(decibels, 80.0))
    assert decoded.shape[:2] == (2, 938)
    assert decoded[0, 1_777 // 4].tolist() == [*bytes.fromhex(HEAT[-1][1:]), 255]


def test_same_array_is_the_same_bytes() -> None:
    """A report can be compared with another byte by byte."""
    decibels = np.random.default_rng(0).normal(-40, 10, (128, 188)).astype(np.float32)
    assert spectrogram_png(decibels, 80.0) == spectrogram_png(decibels.copy(), 80.0)
