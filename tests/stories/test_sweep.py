"""A sweep with the default weights, as the documentation shows it: in step, and without jumps."""

import re

import numpy as np
import pytest

from motifmix.files import read


@pytest.mark.parametrize("styles", [("old", "happy"), ("angry", "sad")])
def test_a_sweep_makes_a_film_and_no_jump(motifmix_command, here, styles):
    first, last = styles
    asked = ("--style", first, "--style", last, "--steps", 7, "--seconds", 2, "--out", "grid.mp4", "--each", "step.npz")
    done = motifmix_command("sweep", "a person walks", *asked)
    assert done.code == 0 and done.out.split() == ["grid.mp4", *(f"step_{number}.npz" for number in range(1, 8))]
    told = re.search(r"\(([\d.]+) times\)", done.err)
    assert told is not None and float(told[1]) <= 2.0, done.err
    joints = np.stack([read(f"step_{number}.npz").people[0].joints for number in range(1, 8)])
    gaps = np.linalg.norm(np.diff(joints, axis=0), axis=-1).mean(axis=(1, 2))
    assert gaps.max() / gaps.mean() == pytest.approx(float(told[1]), abs=0.05)
    assert np.linalg.norm(joints[-1] - joints[0], axis=-1).mean() > 2 * gaps.mean()  # it arrives somewhere


def test_an_unknown_style_word_is_offered_the_nearest_and_generates(motifmix_command, here):
    done = motifmix_command("generate", "a person walks", "--style", "zombie-like", "--seed", 1, "--out", "walk.npz")
    assert done.code == 0 and re.search(r"nearest: .*\(0\.\d\d away\), .* away\), .* away\)", done.err), done.err
