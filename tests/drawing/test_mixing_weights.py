import numpy as np
import pytest
from PIL import Image

from motifmix.drawing.mixing_weights import draw_mixing_weights


def test_the_picture_shows_who_is_believed_when_and_where(tmp_path):
    weights = np.zeros((10, 2, 30, 23))
    weights[:5, :, :, 10:] = 1.0  # early, the lower rows of the upper map
    picture = np.asarray(Image.open(draw_mixing_weights(weights, tmp_path / "w.png", steps=range(900, -1, -100))))
    row = {joint: 44 + 16 * joint + 8 for joint in (2, 20)}
    early, late = 130 + 200, 130 + 600
    dark, light = picture[row[20], early].astype(int), picture[row[20], late].astype(int)
    assert dark.sum() < 250 < 700 < light.sum()
    assert (picture[row[2], early] == picture[row[2], late]).all()
    below = 44 + 16 * 23 + 46 + 100  # 13 of 23 parts are the individual model's early
    assert dark.sum() < picture[below, early].astype(int).sum() < light.sum()


@pytest.mark.parametrize("shape", [(4, 2, 1, 1), (4, 2, 1, 23), (4, 2, 20, 1)])
def test_every_granularity_is_drawn(tmp_path, shape):
    assert draw_mixing_weights(np.full(shape, 0.5), tmp_path / "w.png").stat().st_size > 1000


def test_another_shape_is_refused(tmp_path):
    with pytest.raises(ValueError, match="mixing weights of shape"):
        draw_mixing_weights(np.zeros((4, 2, 20, 7)), tmp_path / "w.png")
    assert not list(tmp_path.iterdir())
