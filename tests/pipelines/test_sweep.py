"""Sweeps from one style to another: in step, from end to end, without jumps; by the small model and by curves."""

import numpy as np
import pytest

from motifmix.errors import RequestError
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion import rotations as rot
from motifmix.pipelines.sweep import distance, sweep

WALK = "a person walks forward"


def standing(height: float, frames: int = 8) -> Motion:
    root = np.tile([0.0, height, 0.0], (frames, 1))
    return Motion(MOTIFMIX, np.tile(rot.IDENTITY, (frames, len(MOTIFMIX), 1)), root, 20.0)


class Curved:
    """Figures whose height is a curve of the share of the second style."""

    def __init__(self, curve) -> None:
        self.curve, self.calls = curve, []

    def generate(self, texts, styles=None, seconds=None, seeds=None, **more):
        self.calls.append((len(texts), seconds, set(seeds), more))
        shares = [0.0 if style[0][0] == style[-1][0] else style[-1][1] for style in styles]
        return [standing(1.0 + self.curve(share)) for share in shares]


def test_the_ends_are_the_two_styles_and_all_have_one_length_and_seed(model):
    made = sweep(model, WALK, ["old", "angry"], 4, 2.0, 5, even=False)
    first, last = model.generate([WALK] * 2, ["old", "angry"], 2.0, [5, 5])
    assert distance(made.motions[0], first) < 1e-4 and distance(made.motions[-1], last) < 1e-4
    assert made.shares == (0, 0.3333, 0.6667, 1)
    assert {motion.frames for motion in made.motions} == {40} and {m.labels["seed"] for m in made.motions} == {5}
    named = [motion.labels["style"] for motion in made.motions]
    assert named[0] == "old" and named[-1] == "angry" and named[1] == "old:0.6667 + angry:0.3333"


def test_a_figure_between_is_the_blend_of_these_shares(model):
    made = sweep(model, WALK, ["old", "angry"], 3, 2.0, 5, even=False)
    (blend,) = model.generate([WALK], [[("old", 0.5), ("angry", 0.5)]], 2.0, [5])
    assert distance(made.motions[1], blend) < 1e-4


def test_without_a_length_it_is_the_middle_of_what_suits_the_ends(model):
    ends = model.generate([WALK] * 2, ["old", "angry"], None, [3, 3])
    made = sweep(model, WALK, ["old", "angry"], 2, None, 3)
    assert made.motions[0].seconds == pytest.approx(sum(motion.seconds for motion in ends) / 2, abs=0.06)


def test_a_steep_curve_is_evened_and_the_way_there_is_not_made_twice():
    model = Curved(lambda share: 1 / (1 + np.exp(-30 * (share - 0.4))))
    plain = sweep(model, WALK, ["old", "angry"], 7, 2.0, even=False)
    assert plain.unevenness > 2.0
    model.calls.clear()
    even = sweep(model, WALK, ["old", "angry"], 7, 2.0)
    assert even.unevenness < 1.5 and even.shares[0] == 0.0 and even.shares[-1] == 1.0
    assert list(even.shares) == sorted(even.shares)
    assert model.calls[0][0] == 7 and all(call[0] == 5 for call in model.calls[1:])


def test_a_true_jump_stays_one_and_is_told():
    even = sweep(Curved(lambda share: float(share > 0.5)), WALK, ["old", "angry"], 7, 2.0)
    assert even.unevenness > 2.0
    assert len(even.distances) == 6


def test_equal_styles_are_even():
    assert sweep(Curved(lambda share: 0.0), WALK, ["old", "angry"], 3, 2.0).unevenness == 1.0


def test_options_reach_the_model():
    model = Curved(lambda share: share)
    sweep(model, WALK, ["old", "angry"], 3, 2.0, 9, strength=1.5, clean_feet=False)
    assert model.calls[0][1:] == (2.0, {9}, {"strength": 1.5, "clean_feet": False})


@pytest.mark.parametrize(
    ("styles", "steps", "words"),
    [
        (["old"], 7, "two styles"),
        (["a", "b", "c"], 7, "two styles"),
        (["a", "b"], 1, "2 to 32"),
        (["a", ""], 3, "empty"),
    ],
)
def test_what_is_no_sweep_is_refused(styles, steps, words):
    with pytest.raises(RequestError, match=words):
        sweep(Curved(lambda share: share), WALK, styles, steps)


def test_motions_of_two_lengths_have_no_distance():
    with pytest.raises(ValueError, match="8 and 9 frames"):
        distance(standing(1.0), standing(1.0, 9))
