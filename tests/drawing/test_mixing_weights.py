import numpy as np
import pytest
from PIL import Image

from motifmix.drawing.mixing_weights import draw_mixing_weights, draw_shares


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


def test_every_model_has_its_own_part_of_the_picture(tmp_path):
    shares = {"interaction": np.full((4, 3, 1, 1), 0.2), "individual": np.full((4, 3, 10, 23), 0.8)}
    one, other = (Image.open(draw_mixing_weights(own, tmp_path / "w.png")).size for own in shares.values())
    both = Image.open(draw_shares(shares, tmp_path / "both.png", title="greeting")).size
    assert both == (one[0], one[1] + other[1])
