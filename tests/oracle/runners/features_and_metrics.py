"""Feature spaces and metrics that text-to-motion shares with everything else."""

from collections.abc import Callable

import numpy as np
from golden import Case

from motifmix.evaluation import metrics
from motifmix.features import humanml3d, interhuman
from motifmix.features.space import Normaliser
from motifmix.motion import rotations as rot

Outputs = dict[str, np.ndarray]


def wxyz(quaternions: np.ndarray) -> np.ndarray:
    return np.roll(quaternions, 1, axis=-1)


def humanml3d_features(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    body = humanml3d.Body(
        axes=tuple(tuple(axis) for axis in config["raw_offsets"]),
        chains=tuple(tuple(chain) for chain in config["kinematic_chains"]),
        facing_joints=tuple(config["face_joints"]),
        leg_joints=tuple(config["leg_joints"]),
        left_foot_joints=tuple(config["left_foot_joints"]),
        right_foot_joints=tuple(config["right_foot_joints"]),
        contact_threshold=config["foot_contact_threshold"],
        smoothing_frames=config["forward_smoothing_sigma"],
    )
    target = given["target_offsets"]
    uniform = humanml3d.uniform(given["positions"], target, body)
    canonical = humanml3d.canonical(uniform.joints, body)
    extraction = humanml3d.extract(canonical.joints, body)
    features = extraction.features
    turn, path = humanml3d.recover_root(features, body)
    batch = np.stack([features, features[::-1] * 0.7])
    return {
        "source_offsets": uniform.offsets,
        "scale": np.array(uniform.scale),
        "uniform_quaternions": wxyz(uniform.rotations),
        "uniform_positions": uniform.joints,
        "floor_height": np.array(canonical.floor),
        "canonical_positions": canonical.joints,
        "local_positions": extraction.positions,
        "quaternions": wxyz(extraction.rotations),
        "features": features,
        "root_quaternion": wxyz(turn),
        "root_position": path,
        "joints_from_ric": humanml3d.recover_joints(features, body),
        "joints_from_rotations": humanml3d.recover_joints_from_rotations(features, target, body),
        "batch_features": batch,
        "batch_joints_from_ric": humanml3d.recover_joints(batch, body),
    }


def interhuman_features(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    normaliser = Normaliser(given["mean"].astype(np.float64), given["std"].astype(np.float64))
    options = {
        "up_axis": config.get("up_axis", "z"),
        "reference_frame": config["reference_frame"],
        "contact_step": config["foot_velocity_threshold"],
        "contact_heights": tuple(config["foot_height_thresholds"]),
    }
    if config.get("num_people", 2) == 1:
        person = interhuman.extract_person(given["motion"], **options)
        normalised = normaliser.normalise(person.features)
        return {
            "features": person.features,
            "root_quat": wxyz(person.turn)[None],
            "root_xz": person.origin[None],
            "normalised": normalised,
            "denormalised": normaliser.restore(normalised),
        }
    loaded = [interhuman.load_person(given[name]) for name in ("raw_person1", "raw_person2")]
    mirrored = [interhuman.mirror_person(person) for person in loaded]
    people, most = mirrored if config["mirror"] else loaded, config["max_length"]
    if len(people[0]) > most:
        people = [person[config["crop_start"] : config["crop_start"] + most] for person in people]
    if config["swap_persons_before"]:
        people = people[::-1]
    pair = interhuman.extract_pair(*people, **options)
    features = [pair.first.features, pair.placed]
    if config["swap_persons_after"]:
        features = features[::-1]
    joints = interhuman.joint_positions(features[0])
    whole = [interhuman.padded(part, most) for part in features]
    normalised = normaliser.normalise(whole[0])
    return {
        "loaded_person1": loaded[0],
        "mirrored_person1": mirrored[0],
        "canonical_a": pair.first.features,
        "canonical_b": pair.second.features,
        "root_quat_a": wxyz(pair.first.turn)[None],
        "root_quat_b": wxyz(pair.second.turn)[None],
        "root_xz_a": pair.first.origin[None],
        "root_xz_b": pair.second.origin[None],
        "relative": pair.relative,
        "placed_b": pair.placed,
        "features1": whole[0],
        "features2": whole[1],
        "normalised1": normalised,
        "denormalised1": normaliser.restore(normalised),
        "joints1": joints,
        "joints1_smoothed": interhuman.smoothed_for_display(joints, config["smoothing_sigma_frames"]),
        "rotation_matrices1": rot.to_matrix(interhuman.joint_rotations(features[0])),
        "length": np.array([len(features[0])]),
    }


def metrics_text_to_motion(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    if "shuffle" in given:
        order = given["shuffle"]
        text, made, real = (given[f"{kind}_embeddings"][order] for kind in ("text", "generated", "real"))
        pools = metrics.consecutive_pools(len(text), config["group_size"])
        first, second = "diversity_first", "diversity_second"
        return {
            "fid": metrics.frechet_distance(made, real),
            "matching_distance": metrics.multimodal_distance(text, made, pools),
            "matching_distance_real": metrics.multimodal_distance(text, real, pools),
            "r_precision": metrics.r_precision(text, made, pools, config["top_k"]),
            "r_precision_real": metrics.r_precision(text, real, pools, config["top_k"]),
            "diversity": metrics.diversity(made, given[f"{first}_gen"], given[f"{second}_gen"]),
            "diversity_real": metrics.diversity(real, given[f"{first}_real"], given[f"{second}_real"]),
            "multimodality": metrics.multimodality(
                given["multimodal_embeddings"], given["multimodality_first"], given["multimodality_second"]
            ),
            "distance_matrix_group0": metrics.euclidean_distances(text[pools[0]], made[pools[0]]),
        }
    names = ("fps", "height_threshold", "velocity_threshold", "average_window", "foot_joints")
    options = {name: config[name] for name in names}
    speeds = np.zeros((len(given["joints"]), 2, given["joints"].shape[1] - 1))
    ratios = []
    for clip, length, speed in zip(given["joints"], given["lengths"], speeds, strict=True):
        ratio, speed[:, : length - 1] = metrics.published_skating_ratio(clip[:length], **options)
        ratios.append(ratio)
    accuracy = metrics.top_k_accuracy(given["style_logits"], given["style_labels"], config["top_k"])
    return {
        "skating_ratio": np.array(ratios),
        "skating_ratio_mean": np.mean(ratios),
        "contact_velocity": speeds,
        "style_accuracy": 100.0 * accuracy,
    }


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "humanml3d_features": humanml3d_features,
    "interhuman_features": interhuman_features,
    "metrics_text_to_motion": metrics_text_to_motion,
}
