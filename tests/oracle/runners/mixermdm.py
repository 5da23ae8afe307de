"""MixerMDM: placement, Mixer, discriminators, losses, its sampler; DualMDM and DiffusionBlending."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case
from torch import Tensor

from motifmix.evaluation import composition, transport
from motifmix.features import humanml3d_to_interhuman as conversion
from motifmix.mix import placement

Outputs = dict[str, np.ndarray]


def tensors(case: Case) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in case.inputs.items()}


def arrays(outputs: dict[str, Tensor]) -> Outputs:
    return {name: value.detach().numpy() for name, value in outputs.items()}


def alignment(case: Case) -> Outputs:
    config, given, quirks = case.config, tensors(case), placement.PUBLISHED_PLACEMENT
    if config["operation"] == "center":
        motion = given["motion"]
        straight = placement.orthonormal(motion, quirks)
        return arrays({"roundtrip": straight, "centered": placement.center(motion, quirks=quirks)})
    valid = given["mask"][..., 0] > 0.5 if config["use_mask"] else None
    source, reference = given["source"], given["reference"]
    turn = placement.path_turn(source, reference, valid, quirks)
    return arrays(
        {
            "yaw_quaternion": turn.roll(1, dims=-1),
            "aligned": placement.align(source, reference, valid, quirks),
        }
    )


def hml3d_to_interhuman(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    joints, vectors = given["joints"], given["vectors"]
    published = (conversion.COLUMNS_NOT_INTERLEAVED, conversion.ROTATIONS_AT_133)
    options = {
        "contact_step": config["contact_squared_speed"],
        "contact_heights": (config["contact_height_ankle"], config["contact_height_toe"]),
    }
    person = conversion.person_from_clip(joints, vectors, published, **options)
    return {
        "loaded": conversion.load_clip(joints, vectors, published),
        "features": person.features,
        "features_right_slice": conversion.person_from_clip(joints, vectors, published[:1], **options).features,
        "start_quaternion": np.roll(person.turn, 1)[None],
        "start_position": person.origin[None],
    }


def mixermdm_metrics(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    if config["metric"] == "extrinsic_individual_diversity":
        first, second = np.split(given["embeddings"], 2)
        found = transport.sinkhorn(first, second, config["entropy"], config["max_iterations"], config["stop"])
        return {
            "distance": np.array([found.distance]),
            "match_first_to_second": found.match_of_first,
            "match_second_to_first": found.match_of_second,
        }
    if config["metric"] == "individual_view":
        people = tensors(case)
        motions, lengths = composition.individual_view(
            [people["motion_p1"], people["motion_p2"]], people["lengths"], placement.PUBLISHED_PLACEMENT
        )
        return arrays({"motions": motions, "lengths_out": lengths})
    outputs: Outputs = {}
    for name in (key.removesuffix("_interaction") for key in given if key.endswith("_interaction")):
        found = composition.overall(given[f"{name}_interaction"], given[f"{name}_individual"])
        outputs |= {
            f"overall_{name}": found.both,
            f"interval_{name}": found.both_half_width,
            f"{name}_mean_interaction": found.interaction,
            f"{name}_interval_interaction": found.interaction_half_width,
            f"{name}_mean_individual": found.individual,
            f"{name}_interval_individual": found.individual_half_width,
        }
    return outputs


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "alignment": alignment,
    "hml3d_to_interhuman": hml3d_to_interhuman,
    "mixermdm_metrics": mixermdm_metrics,
}
