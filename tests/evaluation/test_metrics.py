import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.linalg import sqrtm

from motifmix.evaluation import metrics
from motifmix.motion.skeleton import JOINT_NAMES, LEFT_TOE, MOTIFMIX, RIGHT_TOE

GOLDEN = Path(os.environ.get("MOTIFMIX_GOLDEN", Path(__file__).parents[3] / "shared" / "golden"))
needs_golden = pytest.mark.skipif(
    not (GOLDEN / "metrics_text_to_motion").exists(), reason="no folder of published numbers here"
)


def golden(case: str) -> tuple[dict, dict[str, np.ndarray]]:
    folder = GOLDEN / "metrics_text_to_motion" / case
    return json.loads((folder / "meta.json").read_text()), load_file(folder / "tensors.safetensors")


@needs_golden
def test_embedding_metrics_equal_the_published_numbers():
    meta, t = golden("fid_rprecision_diversity")
    config, near = meta["config"], meta["tolerance"]
    shuffle = t["in.shuffle"]
    text = t["in.text_embeddings"][shuffle]
    made, real = t["in.generated_embeddings"][shuffle], t["in.real_embeddings"][shuffle]
    pools = metrics.consecutive_pools(len(text), config["group_size"])
    pairs = {kind: (t[f"in.diversity_first_{kind}"], t[f"in.diversity_second_{kind}"]) for kind in ("gen", "real")}
    ours = {
        "fid": metrics.frechet_distance(made, real),
        "matching_distance": metrics.multimodal_distance(text, made, pools),
        "matching_distance_real": metrics.multimodal_distance(text, real, pools),
        "r_precision": metrics.r_precision(text, made, pools, config["top_k"]),
        "r_precision_real": metrics.r_precision(text, real, pools, config["top_k"]),
        "diversity": metrics.diversity(made, *pairs["gen"]),
        "diversity_real": metrics.diversity(real, *pairs["real"]),
        "multimodality": metrics.multimodality(
            t["in.multimodal_embeddings"], t["in.multimodality_first"], t["in.multimodality_second"]
        ),
        "distance_matrix_group0": metrics.euclidean_distances(text[pools[0]], made[pools[0]]),
    }
    assert set(ours) == set(meta["outputs"])
    for name, value in ours.items():
        np.testing.assert_allclose(value, t[f"out.{name}"], **near, err_msg=name)


@needs_golden
def test_skating_and_style_accuracy_equal_the_published_numbers():
    meta, t = golden("foot_skating_style_accuracy")
    config, near = meta["config"], meta["tolerance"]
    options = {key: config[key] for key in ("fps", "height_threshold", "velocity_threshold", "average_window")}
    ratios = []
    for clip, length, expected in zip(t["in.joints"], t["in.lengths"], t["out.contact_velocity"], strict=True):
        ratio, velocity = metrics.published_skating_ratio(clip[:length], **options)
        np.testing.assert_allclose(velocity, expected[:, : length - 1], **near)
        ratios.append(ratio)
    np.testing.assert_allclose(ratios, t["out.skating_ratio"], **near)
    np.testing.assert_allclose(np.mean(ratios), t["out.skating_ratio_mean"], **near)
    accuracy = 100 * metrics.top_k_accuracy(t["in.style_logits"], t["in.style_labels"], config["top_k"])
    np.testing.assert_allclose(accuracy, t["out.style_accuracy"], **near)


def test_skating_is_looked_for_in_the_feet_that_are_named():
    joints = np.zeros((9, 22, 3))
    joints[:, 7, 0] = 0.1 * np.arange(9)  # the left ankle slides at 2 m/s
    assert metrics.published_skating_ratio(joints)[0] == 0.0
    assert metrics.published_skating_ratio(joints, foot_joints=(7, 8))[0] > 0.5


def test_frechet_distance_agrees_with_the_matrix_square_root_and_its_closed_form():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(80, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(90, 6)) + 0.5
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c1 + c2 - 2 * sqrtm(c1 @ c2).real)
    assert metrics.frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert metrics.frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
    assert metrics.frechet_distance(a, a + np.array([3.0, 0, 0, 0, 0, 0])) == pytest.approx(9.0, rel=1e-8)
    assert metrics.frechet_distance(a, b, ddof=0) != pytest.approx(expected, rel=1e-4)


def test_frechet_distance_stays_real_with_fewer_samples_than_dimensions():
    rng = np.random.default_rng(1)
    value = metrics.frechet_distance(rng.normal(size=(10, 32)), rng.normal(size=(10, 32)))
    assert np.isfinite(value) and value > 0


def test_pools_hold_no_caption_twice_and_no_sample_twice():
    captions = [f"caption {i % 45}" for i in range(200)]
    pools = metrics.distinct_pools(captions, np.random.default_rng(0), size=32)
    assert len(pools) >= 5
    assert len(np.unique(pools)) == pools.size
    assert all(len({captions[i] for i in pool}) == 32 for pool in pools)


def test_retrieval_is_perfect_for_equal_embeddings_and_refuses_too_few():
    embeddings = np.random.default_rng(0).normal(size=(64, 8))
    pools = metrics.consecutive_pools(64)
    assert metrics.r_precision(embeddings, embeddings, pools).tolist() == [1.0, 1.0, 1.0]
    chance = metrics.r_precision(embeddings, np.random.default_rng(1).normal(size=(64, 8)), pools)
    assert chance[2] < 0.35
    with pytest.raises(ValueError, match="complete pool"):
        metrics.r_precision(embeddings[:20], embeddings[:20], metrics.consecutive_pools(20))


def still_clip(frames: int = 41) -> np.ndarray:
    return np.repeat(MOTIFMIX.rest_positions[None], frames, axis=0) + np.array([0.0, 1.0, 0.0])


def test_a_sliding_toe_skates_and_a_lifted_one_does_not():
    fps = 20.0
    clip = still_clip()
    assert metrics.foot_skate_ratio(clip, fps) == 0.0
    slide = clip.copy()
    slide[20:, LEFT_TOE, 2] += np.minimum(np.arange(21), 10) * 0.02  # ten steps at 0.4 m/s
    assert metrics.foot_skate_ratio(slide, fps) == pytest.approx(10 / 40)
    slow = clip.copy()
    slow[20:, LEFT_TOE, 2] += np.arange(21) * 0.01  # 0.2 m/s
    assert metrics.foot_skate_ratio(slow, fps) == 0.0
    lifted = slide.copy()
    lifted[20:31, LEFT_TOE, 1] += 0.05
    assert metrics.foot_skate_ratio(lifted, fps) == 0.0
    assert metrics.foot_skate_ratio(slide + np.array([0.0, 0.7, 0.0]), fps) == pytest.approx(10 / 40)


def test_jerk_and_speed_of_known_paths():
    fps, frames = 20.0, 30
    time = np.arange(frames) / fps
    clip = np.zeros((frames, 22, 3))
    clip[..., 0] = (time**3)[:, None]
    assert metrics.mean_jerk(clip, fps) == pytest.approx(6.0, rel=1e-6)
    walk = np.zeros((frames, 22, 3))
    walk[..., 2] = 1.3 * time[:, None]
    assert metrics.mean_speed(walk, fps) == pytest.approx(1.3, rel=1e-9)
    assert metrics.mean_jerk(walk, fps) == pytest.approx(0.0, abs=1e-6)


def test_local_error_forgets_place_and_heading_and_world_error_does_not():
    clip = still_clip()
    angle = 0.7
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    moved = clip @ turn.T + np.array([1.0, 0.0, 2.0])
    np.testing.assert_allclose(metrics.facing_yaw(moved), angle, atol=1e-9)
    error = metrics.joint_error(moved, clip)
    assert error.local == pytest.approx(0.0, abs=1e-9)
    assert error.world > 1.5
    np.testing.assert_allclose(metrics.from_first_frame(moved), metrics.from_first_frame(clip), atol=1e-9)
    np.testing.assert_allclose(metrics.from_first_frame(moved)[0, 0, [0, 2]], 0.0, atol=1e-9)
    bent = clip.copy()
    bent[:, JOINT_NAMES.index("head"), 1] -= 0.21
    assert metrics.joint_error(bent, clip).local == pytest.approx(0.21 / 21)


def test_intervals():
    five = metrics.over_repeats([0.9, 0.92, 0.94, 0.96, 0.98])
    assert five.mean == pytest.approx(0.94)
    assert five.half_width == pytest.approx(2.776 * np.std(five.values, ddof=1) / np.sqrt(5), rel=1e-3)
    assert np.isnan(metrics.over_repeats([0.9]).half_width)
    assert metrics.over_repeats([0.9], published=True).half_width == 0.0
    published = metrics.over_repeats(five.values, published=True)
    assert published.half_width == pytest.approx(1.96 * np.std(five.values) / np.sqrt(5))
    low, high = metrics.share_bounds(280, 280)
    assert low == pytest.approx(0.9865, abs=1e-3) and high == 1.0
    sample = np.random.default_rng(0).normal(size=400)
    assert metrics.bootstrap(sample, np.random.default_rng(1)).half_width == pytest.approx(1.96 / 20, rel=0.15)


def test_toes_are_the_toes():
    assert (LEFT_TOE, RIGHT_TOE) == (10, 11)
