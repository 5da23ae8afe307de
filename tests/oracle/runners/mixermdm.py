"""MixerMDM: placement, Mixer, discriminators, losses, its sampler; DualMDM and DiffusionBlending."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file
from torch import Tensor, nn

from motifmix.diffusion.chains import GuidedChains, sample_chains
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, Guided, sample_along
from motifmix.diffusion.discrete import BETAS, DiscreteSchedule
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.evaluation import composition, transport
from motifmix.features import humanml3d_to_interhuman as conversion
from motifmix.mix import placement
from motifmix.mix.blended import Blended, Dual
from motifmix.mix.ingredients import EachPerson, PersonModel, Scaling, SceneModel, Told
from motifmix.mix.mixed import PUBLISHED_MIXTURE, Mixed, Mixture
from motifmix.mix.schedules import Constant, Share, published_schedule
from motifmix.mix.weights import Forced, LearnedWeights
from motifmix.models.discriminators import Discriminator
from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, In2INIndividual, In2INInteraction
from motifmix.models.mixer import POOLS_PADDING, Mixer
from motifmix.pretrained.maps import intergen as base_maps
from motifmix.pretrained.maps import mixermdm as maps
from motifmix.pretrained.maps.key_map import KeyMap, load_published
from motifmix.training.objectives.published import mixermdm as losses

Outputs = dict[str, np.ndarray]


def tensors(case: Case) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value) for name, value in case.inputs.items()}


def arrays(outputs: dict[str, Tensor]) -> Outputs:
    return {name: value.detach().numpy() for name, value in outputs.items()}


def loaded(case: Case, network: nn.Module, key_map: KeyMap, prefix: str = "") -> nn.Module:
    state = load_file(case.folder / "weights.safetensors")
    load_published(network, {name: value for name, value in state.items() if name.startswith(prefix)}, key_map)
    return network.eval()


def said(**values: Tensor) -> Condition:
    parts = {name.replace("__", "."): value for name, value in values.items()}
    return Condition({name: Part(value, torch.ones(len(value), dtype=torch.bool)) for name, value in parts.items()})


def side_by_side(people: Tensor) -> Tensor:
    """[B, P, T, F] to [B, T, P F]."""
    return people.transpose(1, 2).flatten(2)


def apart(people: Tensor) -> Tensor:
    """[B, T, 2 F] to [B, 2, T, F]."""
    return people.unflatten(-1, (2, -1)).transpose(1, 2)


def valid_of(case: Case, given: dict[str, Tensor], frames: Tensor) -> Tensor:
    if case.config["use_mask"]:
        return given["mask"][..., 0] > 0.5
    return torch.ones(frames.shape[:2], dtype=torch.bool)


GRANULARITIES = {"spatiotemporal": "spatio_temporal"}


def mixer_sizes(config: dict) -> dict:
    return {
        "features": config["n_features"],
        "width": config["latent_dim"],
        "feed_forward": config["ff_size"],
        "blocks": config["n_layers"],
        "heads": config["n_heads"],
        "text": config["text_dim"],
    }


def published_weights(weights: Tensor, person: int, granularity: str) -> Tensor:
    """One person's weights without the axes of models and, where there is one number for all frames, of frames."""
    own = weights[:, 0, person]
    return own[:, 0] if granularity in ("global", "spatial") else own


def unused(*arguments: object) -> Tensor:
    raise AssertionError("predictions are given")


def mixer_items(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    granularity = GRANULARITIES.get(config["granularity"], config["granularity"])
    mixer = Mixer(**mixer_sizes(config), granularity=granularity, parts=config["n_joints"] + 1, quirks=[POOLS_PADDING])
    loaded(case, mixer, maps.MIXER)
    together = SceneModel("interaction", unused, Scaling(given["mean_interaction"], given["std_interaction"]))
    alone = PersonModel("individual", unused, Scaling(given["mean_individual"], given["std_individual"]))
    mixed = Mixed(
        together,
        [alone],
        LearnedWeights(mixer),
        override=None if config["forced_weight"] is None else Forced(Constant(config["forced_weight"])),
        placed=config["align"],
        quirks=PUBLISHED_MIXTURE,
    )
    first_block: list[Tensor] = []
    handle = mixer.weight_net.blocks[0].register_forward_hook(lambda *call: first_block.append(call[2]))
    interaction = together.scaling.restore(apart(given["pred_interaction"]))
    individual = torch.stack([given["pred_individual_p1"], given["pred_individual_p2"]], dim=1)
    texts = said(
        mixer__text=given["cond_interaction"],
        mixer__individual_text=torch.stack([given["cond_p1"], given["cond_p2"]], dim=1),
    )
    valid = valid_of(case, given, given["pred_interaction"])
    mixture = mixed.mix(interaction, [alone.scaling.restore(individual)], given["timesteps"], texts, valid)
    handle.remove()
    assert mixture.learned is not None
    frames = interaction.shape[2]
    return arrays(
        {
            "individual_aligned": side_by_side(mixture.others[:, 0]),
            "interaction": side_by_side(mixture.anchor),
            "block0_p1": first_block[0][::2],
            "weights_p1": published_weights(mixture.learned, 0, granularity),
            "weights_p2": published_weights(mixture.learned, 1, granularity),
            "weights_features_p1": mixture.feature_weights[:, 0, 0].expand(-1, frames, -1),
            "mixed": side_by_side(mixture.clean),
        }
    )


def denoiser_sizes(config: dict, part: str) -> dict:
    own = config[part]
    return {
        "features": config["n_features"],
        "width": own["latent_dim"],
        "feed_forward": own["ff_size"],
        "blocks": own["n_layers"],
        "heads": own["n_heads"],
        "text": config["text_dim"],
    }


def part(case: Case, network: nn.Module, key_map: KeyMap, prefix: str) -> nn.Module:
    """Load what stands below ``prefix``, without it, as a card's part is loaded."""
    state = load_file(case.folder / "weights.safetensors")
    below = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    load_published(network, below, key_map)
    return network.eval()


def schedule_of(config: dict) -> DiscreteSchedule:
    return DiscreteSchedule.of(BETAS[config["beta_schedule"]](config["diffusion_steps"]), config["respacing"])


def people_said(first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([first, second], dim=1)


STEP_TEXTS = (
    "interaction.text",
    "interaction.individual_text",
    "individual.individual_text",
    "mixer.text",
    "mixer.individual_text",
)


def mixture_of(case: Case) -> tuple[Mixed, Condition, str]:
    """The composed model of a case, what it is told, and its granularity."""
    config, given = case.config, tensors(case)
    own = config["mixer"]
    granularity = GRANULARITIES.get(own["granularity"], own["granularity"])
    mixer = Mixer(
        config["n_features"],
        own["latent_dim"],
        own["ff_size"],
        own["n_layers"],
        own["n_heads"],
        config["text_dim"],
        granularity,
        quirks=[POOLS_PADDING],
    )
    state = load_file(case.folder / "weights.safetensors")
    load_published(mixer, {name: value for name, value in state.items() if "denoiser" not in name}, maps.MIXER)
    individual = part(case, In2INIndividual(**denoiser_sizes(config, "individual")), base_maps.DENOISER, "denoiser1.")
    together = part(case, In2INInteraction(**denoiser_sizes(config, "interaction")), base_maps.DENOISER, "denoiser2.")
    mixed = Mixed(
        SceneModel("interaction", together.denoise, Scaling(given["mean_interaction"], given["std_interaction"])),
        [
            PersonModel(
                "individual",
                individual.denoise,
                Scaling(given["mean_individual"], given["std_individual"]),
                centred=config["align"],
                quirks=PUBLISHED_MIXTURE,
            )
        ],
        LearnedWeights(mixer.eval()),
        override=None if own["forced_weight"] is None else Forced(Constant(own["forced_weight"])),
        placed=config["align"],
        quirks=PUBLISHED_MIXTURE,
    )
    condition = said(
        interaction__text=given["cond_interaction"],
        interaction__individual_text=people_said(given["cond_interaction_p1"], given["cond_interaction_p2"]),
        individual__individual_text=people_said(given["cond_individual_p1"], given["cond_individual_p2"]),
        mixer__text=given["cond_mixer_interaction"],
        mixer__individual_text=people_said(given["cond_mixer_p1"], given["cond_mixer_p2"]),
    )
    return mixed, condition, granularity


def mixermdm_step(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    mixed, condition, granularity = mixture_of(case)
    guided, schedule = GuidedChains(mixed, [Difference(config["guidance_scale"], STEP_TEXTS)]), schedule_of(config)
    if "noise" in given:
        start = apart(given["noise"])
        valid = torch.ones(given["noise"].shape[:2], dtype=torch.bool)
        steps = list(sample_chains(guided, mixed.chains, schedule.levels(), [start, start], condition, valid))
        return arrays(
            {
                "x_interaction_trace": torch.stack([side_by_side(step.states[0])[..., :4] for step in steps[:-1]]),
                "x_individual_trace": torch.stack([side_by_side(step.states[1])[..., :4] for step in steps[:-1]]),
                "mean_weight_trace": torch.stack([step.traces["learned_weights"][:, 0, 0].mean() for step in steps]),
                "motion": side_by_side(steps[-1].clean),
            }
        )
    index = config["step_index"]
    levels = [schedule.level(index), schedule.level(index - 1) if index else schedule.clean_level]
    states = [apart(given["x_interaction"]), apart(given["x_individual"])]
    valid = torch.ones(given["x_interaction"].shape[:2], dtype=torch.bool)
    (step,) = sample_chains(guided, mixed.chains, levels, states, condition, valid)
    told = mixed.mixture(states, levels[0], condition, valid)
    untold = mixed.mixture(states, levels[0], condition.without(STEP_TEXTS), valid)
    assert told.learned is not None and untold.learned is not None
    return arrays(
        {
            "individual_aligned_cond": side_by_side(told.others[:, 0]),
            "interaction_cond": side_by_side(told.anchor),
            "weights_p1_cond": published_weights(told.learned, 0, granularity),
            "weights_p1_uncond": published_weights(untold.learned, 0, granularity),
            "weights_p2_cond": published_weights(told.learned, 1, granularity),
            "mixed_cond": side_by_side(told.clean),
            "mixed_uncond": side_by_side(untold.clean),
            "x0_interaction": side_by_side(step.projected[0]),
            "x0_individual": side_by_side(step.projected[1]),
            "next_interaction": side_by_side(step.states[0]),
            "next_individual": side_by_side(step.states[1]),
        }
    )


def dualmdm(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    if "timesteps" in given:
        return {
            name: np.array([schedule(step) for step in given["timesteps"].tolist()])
            for name, schedule in named_schedules(case.meta["outputs"]).items()
        }
    state = load_file(case.folder / "weights.safetensors")
    networks = {
        "interaction": In2INInteraction(**denoiser_sizes(config, "interaction")),
        "individual": In2INIndividual(**denoiser_sizes(config, "individual")),
    }
    for name, network in networks.items():
        own = {key: value for key, value in state.items() if key.startswith(f"net_{name}.")}
        load_published(network, own, base_maps.DENOISER)
        network.eval()
    interaction, individual = networks["interaction"], networks["individual"]
    assert isinstance(individual, In2INIndividual)
    texts = ("text", "individual_text")
    strong, weak = config["guidance_interaction"], config["guidance_individual"]
    people = [
        partial(individual.denoise_pairwise, quirks=[SECOND_PERSON_NOT_CARRIED]),
        EachPerson(individual.denoise),
    ]
    together = Told("interaction", Guided(interaction.denoise, [Difference(strong, texts)]))
    published, intended = (
        Told("individual", Guided(each, [Difference(weak, ("individual_text",))])) for each in people
    )
    share = published_schedule(config["schedule"], config["schedule_value"])
    composed = Dual(together, published, share)
    condition = said(
        interaction__text=given["cond_interaction"],
        interaction__individual_text=people_said(given["cond_interaction_p1"], given["cond_interaction_p2"]),
        individual__individual_text=people_said(given["cond_individual_p1"], given["cond_individual_p2"]),
    )
    if "noise" in given:
        valid = torch.ones(given["noise"].shape[:2], dtype=torch.bool)
        steps = list(sample_along(composed, schedule_of(config).levels(), given["noise"], condition, valid))
        return arrays({"x_trace": torch.stack([step.noisy[..., :4] for step in steps]), "motion": steps[-1].clean})
    level, x = NoiseLevel(1.0, 0.0, 0.0, config["timestep"]), given["x"]
    valid = valid_of(case, given, x)
    return arrays(
        {
            "guided_interaction": together(x, level, condition, valid),
            "guided_individual": published(x, level, condition, valid),
            "weight": torch.tensor([share(config["timestep"])]),
            "composed": composed(x, level, condition, valid),
            "guided_individual_p2_all_layers": intended(x, level, condition, valid)[..., config["n_features"] :],
        }
    )


def named_schedules(names: dict) -> dict[str, Share]:
    """Schedules by names like ``exp_inv_0p0085``: the kind, then its value with ``p`` for the point."""
    found = {}
    for name in names:
        kind, _, value = name.rpartition("_")
        kind, value = (name, "0") if name == "lin" else (kind, value)
        found[name] = published_schedule(kind.replace("_", "-"), float(value.replace("p", ".")))
    return found


def diffusion_blending(case: Case) -> Outputs:
    given = tensors(case)

    def frames_first(features: Tensor) -> Tensor:
        return features.squeeze(-2).transpose(-1, -2)  # [..., feature, 1, frame] to [..., frame, feature]

    told, untold = frames_first(given["pred_cond"]), frames_first(given["pred_uncond"])

    def model(number: int) -> Guided:
        def network(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
            present = condition.parts["text"].present[:, None, None]
            copies = len(noisy) // len(told[number])
            return torch.where(present, told[number].repeat(copies, 1, 1), untold[number].repeat(copies, 1, 1))

        return Guided(network, [Difference(given["scale"][:, None, None], ("text",))])

    def weight(own: Tensor) -> Tensor:
        return frames_first(own.reshape(*[1] * (4 - own.ndim), *own.shape))  # broadcast as batch, feature, 1, frame

    weights = [weight(own) for own in given["weights"]] if "weights" in given else None
    blended = Blended([model(number) for number in range(len(told))], weights)
    nothing, valid = torch.zeros_like(told[0]), torch.ones(told.shape[1:3], dtype=torch.bool)
    condition = said(text=torch.zeros(len(nothing), 1))
    mixture = blended(nothing, NoiseLevel(0.0, 1.0, 1.0), condition, valid)
    return arrays({"blended": mixture.transpose(-1, -2).unsqueeze(-2)})


def discriminator_sizes(config: dict) -> dict:
    return {
        "width": config["latent_dim"],
        "feed_forward": config["ff_size"],
        "blocks": config["n_layers"],
        "heads": config["n_heads"],
        "text": config["text_dim"],
        "dropout": config["dropout"],
    }


def discriminators(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    network = Discriminator(config["n_persons"] * config["n_features"], **discriminator_sizes(config))
    loaded(case, network, maps.DISCRIMINATOR)
    after: list[Tensor] = []

    def kept(number: int, tokens: Tensor) -> Tensor:
        after.append(tokens)
        return tokens

    valid = given["mask"][..., 0] > 0.5 if config["use_mask"] else None
    logits = network(given["motion"], given["timesteps"], given["cond"], valid, kept)
    return arrays({"block0": after[0], "logits": logits})


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
        first, second = np.split(given["embeddings"], [len(given["embeddings"]) // 2])
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


def adversarial_losses(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    sizes = discriminator_sizes(config)
    critics = losses.Critics(
        part(case, Discriminator(config["n_features"], **sizes), maps.DISCRIMINATOR, "discriminator_i."),
        part(case, Discriminator(2 * config["n_features"], **sizes), maps.DISCRIMINATOR, "discriminator_I."),
        centred=config["align"],
        quirks=PUBLISHED_MIXTURE,
    )
    together = SceneModel("interaction", unused, Scaling(given["mean_interaction"], given["std_interaction"]))
    statistics = Scaling(given["mean_individual"], given["std_individual"])
    alone = PersonModel("individual", unused, statistics, centred=config["align"], quirks=PUBLISHED_MIXTURE)
    objective = losses.MixerObjective(
        Mixed(together, [alone], override=Forced(Constant())),
        critics,
        DiscreteSchedule.of(BETAS[config["beta_schedule"]](config["diffusion_steps"])),
    )
    outputs: dict[str, Tensor] = {}
    for ending, left_out in (("", ()), ("_valid_frames", (losses.LOSS_MASK_INVERTED,))):
        settings = losses.LossSettings(
            config["individual_factor"],
            config["interaction_factor"],
            config["balance_factor"],
            config["margin"],
            [quirk for quirk in losses.PUBLISHED_LOSSES if quirk not in left_out],
        )
        outputs |= one_half(config["mode"], replace(objective, settings=settings), given, ending)
    return arrays(outputs)


def one_half(mode: str, objective: losses.MixerObjective, given: dict[str, Tensor], ending: str) -> dict[str, Tensor]:
    """Noisy inputs, losses, scores and gradients of a generator or discriminator step."""
    columns, valid = 140, given["mask"][..., 0] > 0.5
    states = objective.states(apart(given["ground_truth"]), apart(given["noise"]), given["timesteps"], valid)
    motion = given["mixed"].clone().requires_grad_()
    texts = [given[f"cond_{name}"].clone().requires_grad_() for name in ("interaction", "p1", "p2")]
    condition = said(mixer__text=texts[0], mixer__individual_text=people_said(*texts[1:]))
    anchor, others, nothing = apart(given["interaction"]), apart(given["individual"])[:, None], torch.empty(0)
    mixture = Mixture(apart(motion), anchor, others, nothing, None, nothing)
    told = given["timesteps"], condition, valid
    fake = objective.scores_of_mixture(mixture, *told)
    outputs = {
        "noised_interaction": states[0][:, 0, :, :columns],
        "noised_individual": states[1][:, 0, :, :columns],
        "logits_mixed_p1": fake.people[:, 0, :, None],
        "logits_mixed_p2": fake.people[:, 1, :, None],
        "logits_mixed_interaction": fake.scene[..., None],
    }
    if mode == "generator":
        found = objective.generator(mixture, *told)
        gradients = torch.autograd.grad(found.total, [motion, *texts])
        outputs |= {f"grad_mixed{ending}": gradients[0], f"grad_cond{ending}": torch.cat(gradients[1:], dim=-1)}
    else:
        real = objective.scores_of_models(mixture, *told)
        found = objective.discriminator(mixture, *told)
        leaves = objective.critics.individual.output.weight, objective.critics.interaction.input.bias
        gradients = torch.autograd.grad(found.total, leaves)
        outputs |= {
            "logits_real_p1": real.people[:, 0, :, None],
            "logits_real_p2": real.people[:, 1, :, None],
            "logits_real_interaction": real.scene[..., None],
            f"grad_individual_out_weight{ending}": gradients[0],
            f"grad_interaction_motion_embed_bias{ending}": gradients[1],
        }
    return outputs | {
        f"loss_p1{ending}": found.people[0],
        f"loss_p2{ending}": found.people[1],
        f"loss_interaction{ending}": found.scene,
        f"loss_total{ending}": found.total,
    }


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "adversarial_losses": adversarial_losses,
    "alignment": alignment,
    "diffusion_blending": diffusion_blending,
    "discriminators": discriminators,
    "dualmdm": dualmdm,
    "hml3d_to_interhuman": hml3d_to_interhuman,
    "mixer_global": mixer_items,
    "mixer_spatial": mixer_items,
    "mixer_spatiotemporal": mixer_items,
    "mixer_temporal": mixer_items,
    "mixermdm_metrics": mixermdm_metrics,
    "mixermdm_step": mixermdm_step,
}
