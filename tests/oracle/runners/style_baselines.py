"""The style transfer baselines: Aberman et al., Motion Puzzle."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file
from torch import Tensor, nn

from motifmix.features import aberman, motion_puzzle
from motifmix.features.space import Normaliser
from motifmix.files.bvh import read_bvh
from motifmix.models.aberman import (
    IN_PLACE_ACTIVATIONS,
    AbermanDiscriminator,
    AbermanGenerator,
    discriminator_input,
)
from motifmix.models.motion_puzzle import BODY_PARTS, UNSCALED_ATTENTION, MotionPuzzle
from motifmix.motion import Skeleton
from motifmix.pretrained.maps import aberman as aberman_maps
from motifmix.pretrained.maps import motion_puzzle as puzzle_maps
from motifmix.pretrained.maps.key_map import KeyMap, load_published
from motifmix.training.objectives.published.aberman import (
    TRIPLET_PER_CHANNEL,
    AbermanObjective,
    AbermanSettings,
    AbermanWeights,
    ContentBatch,
    StyleBatch,
    StyleClips,
)
from motifmix.training.objectives.published.motion_puzzle import (
    NO_STYLE_CYCLE_WHEN_MIXED,
    PuzzleWeights,
    puzzle_losses,
    training_forward,
)

Outputs = dict[str, np.ndarray]


def weights(case: Case, prefix: str = "") -> dict[str, Tensor]:
    published = load_file(case.folder / "weights.safetensors")
    return {name.removeprefix(prefix): value for name, value in published.items() if name.startswith(prefix)}


def tensors(case: Case) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in case.inputs.items()}


def arrays(values: dict[str, Tensor]) -> Outputs:
    return {name: value.detach().numpy() for name, value in values.items()}


def remembered(values: dict[str, Tensor], name: str, module: nn.Module, *, before: bool = False) -> None:
    """Keep what goes out of a part of a network, or into it, under a name."""
    if before:
        module.register_forward_pre_hook(lambda _, given: values.update({name: given[0]}))
    else:
        module.register_forward_hook(lambda _, __, made: values.update({name: made}))


GENERATOR_SIZES = (
    "content_channels", "style3d_channels", "style2d_channels", "content_encoder_channels", "style_encoder_channels",
    "mlp_hidden", "kernel_size", "content_encoder_stride", "style_encoder_stride", "content_residual_blocks",
    "decoder_residual_blocks", "decoder_bottleneck_channels", "norm_eps", "leaky_relu_slope",
)  # fmt: skip


def generator_of(case: Case, prefix: str = "") -> AbermanGenerator:
    config = case.config
    assert config["padding"] == "reflect"
    generator = AbermanGenerator(**{name: config[name] for name in GENERATOR_SIZES}, **config["skeleton"])
    load_published(generator, weights(case, prefix), generator_map_of(case))
    return generator.eval()


def generator_map_of(case: Case) -> KeyMap:
    config = case.config
    return aberman_maps.generator_map(len(config["content_encoder_channels"]), config["decoder_residual_blocks"])


@torch.no_grad()
def aberman_generator(case: Case) -> Outputs:
    given, found, generator = tensors(case), {}, generator_of(case)
    for level in range(len(case.config["content_encoder_channels"])):
        remembered(found, f"content_after_conv_{level}", generator.content_encoder[4 * level + 3])
    found["content_code"] = generator.content_encoder(given["content"])
    for kind, encoder in (("3d", generator.style_encoder_3d), ("2d", generator.style_encoder_2d)):
        code = encoder(given[f"style{kind}"])
        inner: dict[str, Tensor] = {}
        remembered(inner, "adain_params", generator.style_mlp)
        stages = [*generator.decoder.blocks, *generator.decoder.levels]
        remembered(inner, "decoder_after_adain", stages[0], before=True)
        remembered(inner, "decoder_after_resblock_0", stages[0])
        rotations = generator(given["content"], given[f"style{kind}"])
        inner |= {
            "style_code": code[..., None],
            "rotations_raw": rotations,
            "positions": generator.positions(rotations),
        }
        found |= {f"{name}_{kind}": value for name, value in inner.items()}
    return arrays(found)


def aberman_losses(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    generator = generator_of(case, "gen.")
    discriminator = AbermanDiscriminator(
        config["style3d_channels"],
        config["discriminator_channels"],
        config["num_style_classes"],
        config["discriminator_kernel_size"],
        config["discriminator_pool_size"],
        config["discriminator_pool_stride"],
        leaky_relu_slope=config["leaky_relu_slope"],
        quirks=[IN_PLACE_ACTIVATIONS],
    )
    load_published(discriminator, weights(case, "dis."), aberman_maps.DISCRIMINATOR)
    settings = AbermanSettings(
        weights=AbermanWeights(**config["loss_weights"]),
        use_rotation_reconstruction=config["use_rotation_reconstruction"],
        twist_limit=config["twist_limit_degrees"],
        translation_share=config["translation_share"],
        triplet_margin=config["triplet_margin"],
        gradient_penalty=config["gradient_penalty_weight"],
        quirks=[TRIPLET_PER_CHANNEL],
    )
    a, b = "content_sample.", "style_sample."
    content = ContentBatch(
        StyleClips(given[a + "style3d"], given[a + "style2d"]), given[a + "style3d_raw"], given[a + "label"],
        given[a + "content"], given[a + "content_raw"],
        StyleClips(given[a + "same_style3d"], given[a + "same_style2d"]),
        StyleClips(given[a + "diff_style3d"], given[a + "diff_style2d"]),
    )  # fmt: skip
    style = StyleBatch(
        StyleClips(given[b + "style3d"], given[b + "style2d"]), given[b + "style3d_raw"], given[b + "label"]
    )
    objective = AbermanObjective(generator, discriminator, settings)
    found: dict[str, Tensor] = {}
    for part, step, module, key_map in (
        ("dis", objective.discriminator_step, discriminator, aberman_maps.DISCRIMINATOR),
        ("gen", objective.generator_step, generator, generator_map_of(case)),
    ):
        generator.zero_grad()
        discriminator.zero_grad()
        losses = step(content, style, config["iteration"])
        losses["total"].backward()
        found |= {f"{part}.{name}": value for name, value in losses.items()}
        own = dict(module.named_parameters())
        for name, weight in weights(case, f"{part}.").items():
            for place in key_map.apply({name: weight})[0]:
                gradient = own[place].grad
                found[f"grad.{part}.{name}"] = torch.zeros_like(weight) if gradient is None else gradient.clone()
    found["disc_input_real"] = discriminator_input(style.raw3d)
    found["disc_response_real"], found["disc_features_real"] = discriminator(found["disc_input_real"], style.label)
    return arrays(found)


def aberman_preproc(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    motion = read_bvh(case.folder / "clip.bvh", up="y", units=1.0).people[0]
    offered, wanted = (config["skeleton"][name] for name in ("parents", "kept_joints"))
    assert motion.skeleton.names == tuple(config["joint_names"]) and motion.skeleton.parents == tuple(offered)
    skeleton = Skeleton(motion.skeleton.names, motion.skeleton.parents, np.array(config["skeleton"]["offsets"]))
    how = aberman.AbermanLayout(
        skeleton=skeleton,
        kept=tuple(wanted),
        downsample=config["downsample"],
        trim_multiple=config["trim_multiple"],
        contact_squared_step=config["contact_squared_velocity"],
        heading_filter_frames=config["heading_filter_sigma"],
        **{name: tuple(config[name]) for name in ("left_foot", "right_foot", "hips", "shoulders")},
    )
    clip = aberman.clip_of(motion, how)
    views = zip(given["view_angles"], given["scales"], strict=True)
    raw = {
        "content": clip.content,
        "style3d": clip.style3d,
        "style2d": np.stack([clip.style2d(angles, scale) for angles, scale in views]),
    }
    normalised = {
        name: Normaliser(given[f"norm.{name}_mean"], aberman.fitted_std(given[f"norm.{name}_std"])).normalise(value)
        for name, value in raw.items()
    }
    back = aberman.animation(given["network_output"].T, skeleton, [aberman.EXPORTED_TURNED])
    cleanup = aberman.cleaned_feet(
        back,
        given["foot_contact_for_cleanup"].T,
        foot_joints=tuple(config["foot_joints_full_skeleton"]),
        blend_frames=config["interpolation_frames"],
        on_floor=config["force_contact_height_zero"],
        softness=config["floor_softness"],
        iterations=config["ik_iterations"],
        damping=config["ik_damping"],
    )
    return {
        "local_rotations": wxyz(motion.rotations),
        "root_positions": motion.root,
        "global_positions_kept": clip.joints,
        "foot_contact": clip.foot_contacts.T,
        "heading_angle": clip.heading,
        "heading_free_rotations": wxyz(clip.heading_free),
        **{f"{name}_raw": value.swapaxes(-1, -2) for name, value in raw.items()},
        **{name: value.swapaxes(-1, -2) for name, value in normalised.items()},
        "view_local_x": clip.view_axes[0],
        "back.local_rotations": wxyz(back.rotations),
        "back.root_positions": back.root,
        "back.global_positions_all": back.joints,
        "cleanup.targets": cleanup.targets,
        "cleanup.root_positions": cleanup.motion.root,
        "cleanup.ik_rotations": wxyz(cleanup.motion.rotations),
    }


def motion_puzzle_preproc(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    motion = read_bvh(case.folder / "clip.bvh", up="y", units=1.0).people[0]
    left, right = config["feet"]
    how = motion_puzzle.PuzzleLayout(
        kept=tuple(config["kept_joints"]),
        kept_parents=tuple(config["kept_parents"]),
        left_foot=tuple(left),
        right_foot=tuple(right),
        hips=tuple(config["hips"]),
        shoulders=tuple(config["shoulders"]),
        downsample=config["downsample"],
        contact_squared_steps=tuple(config["contact_squared_velocity"]),
        contact_heights=tuple(config["contact_height"]),
        heading_filter_frames=config["heading_filter_sigma"],
        floor_softness=config["floor_softness"],
    )
    clip = motion_puzzle.clip_of(motion, how, [motion_puzzle.LEVEL_ROOT])
    whole, windows = clip.whole(), clip.windows(config["window"], config["window_step"])
    normaliser = Normaliser(given["mean"], given["std"])
    made = motion_puzzle.postures(
        normaliser.restore(given["network_output"].transpose(2, 1, 0)),
        given["root_for_output"],
        how,
        [motion_puzzle.FIRST_FRAME_FROM_LAST, motion_puzzle.SKEW_AXES],
    )
    return {
        "windows.motion": np.stack([window.motion for window in windows]),
        "windows.root": np.stack([window.root for window in windows]),
        "windows.foot_contact": np.stack([window.foot_contacts for window in windows]),
        "whole.motion": whole.motion,
        "whole.root": whole.root,
        "whole.foot_contact": whole.foot_contacts,
        "network_input": normaliser.normalise(whole.motion).transpose(2, 1, 0),
        "back.positions": made.positions,
        "back.global_transforms": made.global_transforms,
        "back.local_transforms": made.local_transforms,
    }


def wxyz(quaternions: np.ndarray) -> np.ndarray:
    return np.roll(quaternions, 1, axis=-1)


def motion_puzzle_generator(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    graphs, kernels = config["graph"], config["temporal_kernels"]
    assert [part.replace("_", " ") for part in BODY_PARTS] == config["body_parts"]
    model = MotionPuzzle(
        config["in_channels"],
        config["base_channels"],
        config["style_latent_dim"],
        *((graphs[level]["partition"], graphs[level]["max_hop"]) for level in ("joint", "mid", "bodypart")),
        [kernels[level] for level in ("joint", "mid", "bodypart", "bottleneck")],
        config["residual_scale"],
        quirks=[UNSCALED_ATTENTION],
    )
    load_published(model, weights(case), puzzle_maps.GENERATOR)
    content, style = given["content_motion"], given["style_motion"]
    inner: dict[str, Tensor] = {}
    remembered(inner, "decoder_after_bottleneck", model.decoder.part, before=True)
    remembered(inner, "decoder_after_bodypart", model.decoder.part)
    with torch.no_grad():
        model(content, style)
        found = dict(inner)
        made = training_forward(
            model, content, style, config["body_parts_styled_from_content"], [NO_STYLE_CYCLE_WHEN_MIXED]
        )
    for kind, features in (("content", made.content_features), ("style", made.style_features)):
        for level, feature in zip(("joint", "mid", "bodypart", "bottleneck"), features, strict=True):
            found[f"{kind}_features_{level}"] = feature
    for name in ("reconstruction_content", "reconstruction_style", "stylised", "cycle_content", "cycle_style"):
        found[name] = getattr(made, name)
    return arrays(found | puzzle_losses_of(case, content, style, found))


def puzzle_losses_of(case: Case, content: Tensor, style: Tensor, made: dict[str, Tensor]) -> dict[str, Tensor]:
    losses = puzzle_losses(
        content,
        style,
        (made["reconstruction_content"], made["reconstruction_style"]),
        (made["cycle_content"], made["cycle_style"]),
        PuzzleWeights(**case.config["loss_weights"]),
    )
    return {f"loss.{name}": value for name, value in losses.items()}


def motion_puzzle_losses(case: Case) -> Outputs:
    given = tensors(case)
    return arrays(puzzle_losses_of(case, given["content"], given["style"], given))


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "aberman_generator": aberman_generator,
    "aberman_losses": aberman_losses,
    "aberman_preproc": aberman_preproc,
    "motion_puzzle_generator": motion_puzzle_generator,
    "motion_puzzle_preproc": motion_puzzle_preproc,
    "motion_puzzle_losses": motion_puzzle_losses,
}
