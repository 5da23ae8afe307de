"""Quaternion algebra: what every other room takes for granted."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from motifmix.motion import rotations as rot

number = st.floats(-1.0, 1.0, width=32)
vectors = st.tuples(number, number, number).map(np.array)
directions = vectors.filter(lambda v: np.linalg.norm(v) > 0.05)
quaternions = (
    st.tuples(number, number, number, number)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
few = settings(max_examples=25)
AHEAD, UP, LEFT = np.array([0.0, 0, 1]), np.array([0.0, 1, 0]), np.array([1.0, 0, 0])


def same_rotation(a: np.ndarray, b: np.ndarray, tolerance: float = 1e-6) -> bool:
    return bool(np.all(rot.angle_between(a, b) < tolerance))


@few
@given(quaternions, quaternions, vectors)
def test_a_product_applies_its_right_factor_first(a, b, v):
    both = rot.rotate(rot.multiply(a, b), v)
    np.testing.assert_allclose(both, rot.rotate(a, rot.rotate(b, v)), atol=1e-9)
    np.testing.assert_allclose(rot.rotate(rot.inverse(a), rot.rotate(a, v)), v, atol=1e-9)
    np.testing.assert_allclose(rot.to_matrix(a) @ v, rot.rotate(a, v), atol=1e-9)


@few
@given(quaternions)
def test_matrices_vectors_and_six_numbers_come_back(q):
    assert same_rotation(rot.from_matrix(rot.to_matrix(q)), q)
    assert same_rotation(rot.from_rotvec(rot.to_rotvec(q)), q)
    assert same_rotation(rot.from_six_d(rot.to_six_d(q)), q)
    np.testing.assert_allclose(rot.to_six_d(q)[3:], rot.rotate(q, UP), atol=1e-9)


@few
@given(quaternions, st.floats(0.2, 5.0), st.floats(0.2, 5.0), st.floats(-2.0, 2.0))
def test_six_numbers_need_not_be_unit_or_perpendicular(q, first, second, skew):
    x, y = rot.to_six_d(q)[:3], rot.to_six_d(q)[3:]
    assert same_rotation(rot.from_six_d(np.concatenate([first * x, second * y + skew * x])), q)


@pytest.mark.parametrize("six", [[0] * 6, [0, 0, 0, 0, 1, 0], [0, 1, 0, 0, 2, 0], [1, 0, 0, 0, 0, 0]])
def test_degenerate_six_numbers_still_give_a_rotation(six):
    q = rot.from_six_d(np.array(six, dtype=float))
    assert np.isfinite(q).all() and np.linalg.norm(q) == pytest.approx(1.0)


@few
@given(quaternions, quaternions, st.floats(0.0, 1.0))
def test_slerp_goes_at_constant_speed_on_the_shorter_arc(a, b, weight):
    whole = float(rot.angle_between(a, b))
    middle = rot.slerp(a, b, weight)
    assert np.linalg.norm(middle) == pytest.approx(1.0)
    assert same_rotation(rot.slerp(a, b, 0.0), a) and same_rotation(rot.slerp(a, b, 1.0), b)
    assert same_rotation(middle, rot.slerp(a, -b, weight), 1e-5) or whole > np.pi - 1e-3
    assert float(rot.angle_between(a, middle)) == pytest.approx(weight * whole, abs=1e-5)
    assert float(rot.angle_between(middle, b)) == pytest.approx((1 - weight) * whole, abs=1e-5)


@few
@given(directions, directions)
def test_the_shortest_arc_arrives_and_takes_no_detour(a, b):
    q = rot.shortest_arc(a, b)
    cosine = np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)
    np.testing.assert_allclose(rot.rotate(q, a / np.linalg.norm(a)), b / np.linalg.norm(b), atol=1e-5)
    assert float(rot.angle_between(rot.IDENTITY, q)) == pytest.approx(float(np.arccos(cosine)), abs=1e-5)


@pytest.mark.parametrize("a", [AHEAD, UP, LEFT, -LEFT, np.array([1.0, 2, 3])])
def test_the_shortest_arc_knows_opposite_and_equal_directions(a):
    np.testing.assert_allclose(rot.rotate(rot.shortest_arc(a, -a), a), -a, atol=1e-9)
    np.testing.assert_allclose(rot.shortest_arc(a, 3 * a), rot.IDENTITY, atol=1e-9)


@few
@given(quaternions, st.sampled_from(["ZXY", "ZYX", "XYZ", "YXZ"]))
def test_euler_angles_of_any_order_come_back(q, order):
    assert same_rotation(rot.from_euler(order, rot.to_euler(order, q)), q, 1e-5)


def test_euler_angles_are_intrinsic_as_bvh_writes_them():
    one = rot.from_euler("ZXY", np.array([90.0, 0.0, 90.0]))
    expected = rot.multiply(rot.from_rotvec(AHEAD * np.pi / 2), rot.from_rotvec(UP * np.pi / 2))
    assert same_rotation(one, expected)


@few
@given(st.floats(-80.0, 80.0), st.sampled_from([-90.0, 90.0]))
def test_gimbal_lock_is_silent_and_keeps_the_rotation(turn, lock):
    q = rot.from_euler("ZXY", np.array([turn, lock, 10.0]))
    assert same_rotation(rot.from_euler("ZXY", rot.to_euler("ZXY", q)), q, 1e-5)


def test_a_positive_turn_about_the_vertical_turns_ahead_to_the_left():
    np.testing.assert_allclose(rot.rotate(rot.about_y(np.pi / 2), AHEAD), LEFT, atol=1e-12)
    np.testing.assert_allclose(rot.rotate(rot.about_y(0.3), AHEAD), [np.sin(0.3), 0, np.cos(0.3)], atol=1e-12)


@few
@given(quaternions, st.lists(st.booleans(), min_size=2, max_size=6))
def test_continuous_changes_signs_only_and_leaves_no_jump(q, flips):
    path = np.stack([rot.multiply(rot.about_y(0.1 * k), q) * (-1 if flip else 1) for k, flip in enumerate(flips)])
    smooth = rot.continuous(path)
    assert same_rotation(smooth, path)
    assert ((smooth[1:] * smooth[:-1]).sum(-1) > 0.9).all()


@few
@given(quaternions, st.integers(0, 1000))
def test_the_best_rotation_between_two_bundles_is_the_one_that_made_them(q, seed):
    bundle = np.random.default_rng(seed).normal(size=(5, 3))
    assume(np.linalg.svd(bundle, compute_uv=False)[-1] > 0.1)
    assert same_rotation(rot.fit_rotation(bundle, rot.rotate(q, bundle)), q, 1e-5)
