"""Strips and sheets of poses, and charts."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from motifmix.drawing.charts import heat_table, line_chart
from motifmix.drawing.strips import CAPTION_HEIGHT, PANEL, sheet, strip
from motifmix.motion import MOTIFMIX, Motion, Scene
from motifmix.motion import rotations as rot


def raising_an_arm() -> Motion:
    angle = np.linspace(-1.3, 1.2, 20)
    rotations = np.tile(rot.IDENTITY, (20, 22, 1))
    rotations[:, MOTIFMIX.index("left_shoulder")] = rot.from_rotvec(np.stack([0 * angle, 0 * angle, angle], axis=-1))
    return Motion(MOTIFMIX, rotations, np.tile([0.0, 0.947, 0.0], (20, 1)), 30.0, {"text": "raises an arm"})


def test_a_strip_shows_the_asked_number_of_different_poses(tmp_path: Path) -> None:
    picture = np.asarray(Image.open(strip(raising_an_arm(), tmp_path / "arm.png", frames=4)))
    assert picture.shape == (PANEL.height + CAPTION_HEIGHT, 4 * PANEL.width, 3)
    panels = [picture[CAPTION_HEIGHT:-25, i * PANEL.width + 3 : (i + 1) * PANEL.width] for i in range(4)]
    blue_heights = []
    for panel in panels:
        blue = panel[..., 2].astype(int) - panel[..., 0] > 45
        blue_heights.append(np.nonzero(blue)[0].min())
    assert blue_heights[0] > blue_heights[1] > blue_heights[2] > blue_heights[3]  # the blue hand goes up
    assert [p.name for p in tmp_path.iterdir()] == ["arm.png"]


def test_a_sheet_stacks_motions_and_scenes(tmp_path: Path) -> None:
    one = raising_an_arm()
    two = Scene((one, one.moved(np.array([1.0, 0.0, 0.0]))))
    picture = Image.open(sheet([(None, one), ("two", two)], tmp_path / "s.png", frames=3))
    assert picture.size == (3 * PANEL.width, 2 * (PANEL.height + CAPTION_HEIGHT))


def test_names_of_many_curves_leave_the_title_alone(tmp_path: Path) -> None:
    curve = (np.arange(5.0), np.arange(5.0))
    titles = []
    for number, name in ((1, "a"), (6, "the_share_of_single_clips")):
        names = {f"{name}_{k}": curve for k in range(number)}
        picture = Image.open(line_chart(names, tmp_path / f"{number}.png", title="training of a Mixer"))
        titles.append(np.asarray(picture.crop((0, 0, 170, 34))))
    np.testing.assert_array_equal(*titles)


def test_a_line_chart_draws_every_curve_and_bridges_no_gap(tmp_path: Path) -> None:
    steps = np.arange(100.0)
    falling = np.exp(-steps / 30.0)
    gap = np.where((steps > 30) & (steps < 70), np.nan, 0.5)
    path = line_chart({"train": (steps, falling), "test": (steps, gap)}, tmp_path / "c.png", title="loss")
    picture = np.asarray(Image.open(path)).astype(int)[60:358, 80:]  # the plot, below the names of the curves
    blue = picture[..., 2] - picture[..., 0] > 60
    red = picture[..., 0] - picture[..., 2] > 60
    assert blue.any(axis=0).mean() > 0.9
    assert 0.4 < red.any(axis=0).mean() < 0.75


def test_a_logarithmic_chart_takes_zeros_and_constants(tmp_path: Path) -> None:
    assert line_chart({"a": ([0, 1, 2], [1.0, 0.0, 1.0])}, tmp_path / "l.png", logarithmic=True).is_file()


def test_a_heat_table_darkens_with_its_values_and_leaves_gaps_empty(tmp_path: Path) -> None:
    path = heat_table(np.array([[0.0, 10.0, np.nan]]), ["old"], ["walk", "run", "bow"], tmp_path / "h.png")
    picture = np.asarray(Image.open(path)).astype(int)
    row = picture[-30:-22, -152:-14].mean(axis=(0, 2))  # a band through the cells, above their numbers
    light, dark, empty = row[5:40].mean(), row[51:86].mean(), row[97:132].mean()
    assert dark < light - 80
    assert empty > 250


def test_a_table_that_does_not_fit_its_names_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        heat_table(np.zeros((2, 2)), ["a"], ["b", "c"], tmp_path / "h.png")
