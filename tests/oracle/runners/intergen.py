"""InterGen, in2IN and their discrete diffusion."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Clamped, Denoiser, Difference, Guided, Step, sample_along
from motifmix.diffusion.discrete import BETAS, DiscreteSchedule
from motifmix.diffusion.predictions import PredictionType, noised, to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.diffusion.solvers import ancestral_step, ddim_step, posterior
from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, In2INIndividual, In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import InterGenDenoiser, TextHead
from motifmix.pretrained.maps import intergen as maps
from motifmix.pretrained.maps.key_map import KeyMap, load_published
from motifmix.training.objectives.published.interaction import (
    PUBLISHED_LOSSES,
    InteractionLoss,
    simple_loss,
    training_losses,
)
from runners.mld import as_published, our_name

Outputs = dict[str, np.ndarray]
NOBODY = Condition({})
QUIRKS = (SECOND_PERSON_NOT_CARRIED,)


def tensors(case: Case) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in case.inputs.items()}


def schedule_of(config: dict) -> DiscreteSchedule:
    betas = BETAS[config["beta_schedule"]](config["diffusion_steps"])
    return DiscreteSchedule.of(
        betas, config.get("timestep_respacing"), rescale_timesteps=config.get("rescale_timesteps", False)
    )


def everyone(x: torch.Tensor) -> torch.Tensor:
    return torch.ones(x.shape[:2], dtype=torch.bool)


def diffusion_tables(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    betas = BETAS[config["beta_schedule"]](
        config["diffusion_steps"],
        **({"offset": config["cosine_s"], "most": config["max_beta"]} if config["beta_schedule"] == "cosine" else {}),
    )
    whole = DiscreteSchedule.of(betas)
    kept = DiscreteSchedule.of(betas, config["timestep_respacing"])
    rows: dict[str, list[np.ndarray]] = {"q": [], "mean": [], "log": [], "eps": [], "x": []}
    for index, clean, noisy, noise in zip(given["t"], given["x_start"], given["x_t"], given["noise"], strict=True):
        level = kept.level(index)
        following = kept.level(index - 1) if index else kept.clean_level
        rows["q"].append(noised(clean, noise, level.alpha, level.sigma))
        rows["mean"].append(posterior(noisy, clean, level, following)[0])
        rows["log"].append(np.full_like(clean, kept.posterior_log_variance_clipped[index]))
        rows["eps"].append((noisy - level.alpha * clean) / level.sigma)
        rows["x"].append(to_clean(noise, noisy, level.alpha, level.sigma, "epsilon"))
    return {
        "timestep_map": kept.steps,
        "full_betas": whole.betas,
        "full_alphas_cumprod": whole.alphas_cumprod,
        "respaced_betas": kept.betas,
        "respaced_alphas_cumprod": kept.alphas_cumprod,
        "respaced_alphas_cumprod_prev": kept.alphas_cumprod_prev,
        "respaced_sqrt_alphas_cumprod": kept.alphas,
        "respaced_sqrt_one_minus_alphas_cumprod": kept.sigmas,
        "respaced_sqrt_recip_alphas_cumprod": 1.0 / kept.alphas,
        "respaced_sqrt_recipm1_alphas_cumprod": kept.sigmas / kept.alphas,
        "respaced_posterior_variance": kept.posterior_variance,
        "respaced_posterior_log_variance_clipped": kept.posterior_log_variance_clipped,
        "respaced_posterior_mean_coef1": kept.posterior_mean_factors[0],
        "respaced_posterior_mean_coef2": kept.posterior_mean_factors[1],
        "q_sample": np.stack(rows["q"]),
        "posterior_mean": np.stack(rows["mean"]),
        "posterior_log_variance": np.stack(rows["log"]),
        "eps_from_x_start": np.stack(rows["eps"]),
        "x_start_from_eps": np.stack(rows["x"]),
    }


def walked(
    denoiser: Denoiser,
    config: dict,
    given: dict[str, torch.Tensor],
    condition: Condition,
    valid: torch.Tensor,
    prepare: Callable[[torch.Tensor, NoiseLevel], torch.Tensor] | None = None,
) -> list[Step]:
    """Every step of the loop that a configuration describes, from ``x_T`` (or from ``init``, noised) on."""
    levels, noisy = schedule_of(config).levels()[config.get("skip_timesteps", 0) :], given["x_T"]
    if "init" in given:
        noisy = noised(given["init"], noisy, levels[0].alpha, levels[0].sigma)
    solver = partial(ddim_step, eta=config.get("eta", 0.0))
    if config["sampler"] == "ancestral":
        large = config.get("model_var_type") == "fixed_large"
        solver = partial(ancestral_step, variance="beta" if large else "posterior")
    return list(
        sample_along(
            Clamped(denoiser) if config.get("clip_denoised") else denoiser,
            levels,
            noisy,
            condition,
            valid,
            solver=solver,
            fresh_noise=given.get("step_noise"),
            prepare=prepare,
        )
    )


def handed_out(steps: list[Step], config: dict) -> torch.Tensor:
    """What a loop of InterGen and in2IN returns: the last sample, or the last clean prediction of DDIM."""
    return steps[-1].noisy if config["sampler"] == "ancestral" else steps[-1].clean


def diffusion_loop(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    kind: PredictionType = {"x_start": "sample", "epsilon": "epsilon"}[config["model_mean_type"]]  # pyright: ignore[reportAssignmentType]
    told: list[float] = []

    def stub(noisy, level, condition, valid):
        told.append(level.step)
        prediction = torch.tanh(given["stub_gain"] * noisy + (level.step / 1000) * given["stub_bias"])
        return to_clean(prediction, noisy, level.alpha, level.sigma, kind)

    def controlled(noisy, level):
        noisy = noisy.clone()
        noisy[..., config["control_channels"]] = given["control"][..., config["control_channels"]]
        return noisy

    start = given["x_T"]
    steps = walked(
        stub, config, given, NOBODY, everyone(start), prepare=controlled if config["control_channels"] else None
    )
    return {
        "samples": torch.stack([step.noisy for step in steps]).numpy(),
        "pred_x_start": torch.stack([step.clean for step in steps]).numpy(),
        "final": handed_out(steps, config).numpy(),
        "model_timesteps": np.array(told),
    }


def diffusion(case: Case) -> Outputs:
    return diffusion_loop(case) if "sampler" in case.config else diffusion_tables(case)


Network = TypeVar("Network", bound=torch.nn.Module)


def loaded(case: Case, network: Network, key_map: KeyMap) -> Network:
    load_published(network, load_file(case.folder / "weights.safetensors"), key_map)
    return network.eval()


def denoiser_sizes(config: dict) -> dict:
    return {
        "features": config["input_feats"],
        "width": config["latent_dim"],
        "feed_forward": config["ff_size"],
        "blocks": config["num_layers"],
        "heads": config["num_heads"],
        "text": config["text_dim"],
        "dropout": config.get("dropout", 0.0),
    }


def said(**values: torch.Tensor) -> Condition:
    return Condition({n: Part(value, torch.ones(len(value), dtype=torch.bool)) for n, value in values.items()})


def last_of_loop(denoiser: Denoiser, config: dict, given: dict[str, torch.Tensor], condition: Condition) -> np.ndarray:
    valid = valid_of(given)
    steps = walked(denoiser, config, given, condition, everyone(given["x_T"]) if valid is None else valid)
    return handed_out(steps, config).numpy()


def collecting(seen: Outputs):
    def hook(number: int, tokens: torch.Tensor) -> torch.Tensor:
        people = tokens.unbind(1) if tokens.dim() == 4 else (tokens,)
        for name, person in zip(("a", "b"), people, strict=False):
            seen[f"after_block_{number - 1}_{name}"] = person.numpy()
        if len(people) == 1:
            seen[f"after_block_{number - 1}"] = tokens.numpy()
        return tokens

    return hook


def valid_of(given: dict[str, torch.Tensor]) -> torch.Tensor | None:
    return given["mask"][..., 0] > 0.5 if "mask" in given else None


@torch.no_grad()
def guided_call(denoiser: Denoiser, given: dict[str, torch.Tensor], condition: Condition) -> np.ndarray:
    """One call at the steps given, item by item: levels are of a whole batch, steps here of each item."""
    valid, results = valid_of(given), []
    for item, step in enumerate(given["timesteps"].tolist()):
        own = slice(item, item + 1)
        told = Condition({n: Part(part.value[own], part.present[own]) for n, part in condition.parts.items()})
        x = given["x"][own]
        results.append(denoiser(x, NoiseLevel(1.0, 1.0, 1.0, step), told, everyone(x) if valid is None else valid[own]))
    return torch.cat(results).numpy()


@torch.no_grad()
def intergen_denoiser(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    net = loaded(case, InterGenDenoiser(**denoiser_sizes(config)), maps.DENOISER)
    denoiser: Denoiser = net.denoise
    if config["guidance"] != "none":
        denoiser = Guided(denoiser, [("text", config["guidance_scale"])])
    if "sampler" in config:
        return {"output": last_of_loop(denoiser, config, given, said(text=given["cond"]))}
    if config["guidance"] != "none":
        return {"output": guided_call(denoiser, given, said(text=given["cond"]))}
    seen: Outputs = {"embedding": net.embedding(given["timesteps"], given["cond"]).numpy()}
    output = net(given["x"], given["timesteps"], given["cond"], valid_of(given), collecting(seen))
    return {**seen, "output": output.numpy()}


@torch.no_grad()
def in2in_denoiser(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    dual, alone = config["mode"].startswith("dual"), config["mode"].endswith("individual")
    net = (In2INIndividual if alone else In2INInteraction)(**denoiser_sizes(config))
    net = loaded(case, net, maps.DENOISER)
    if "cond" in given:
        texts = given["cond"].unflatten(-1, (-1, config["text_dim"]))
        if config["mode"] == "individual":
            told = said(text=texts[:, 0])
        elif config["mode"] == "dual_individual":
            told = said(individual_text=texts[:, 3:5])
        else:
            told = said(text=texts[:, 0], individual_text=texts[:, 1:3])
    elif config["mode"] == "individual":
        (text,) = (value for name, value in given.items() if name.startswith("cond"))
        told = said(text=text)
    else:
        own = torch.stack([given["cond_interaction_individual1"], given["cond_interaction_individual2"]], dim=1)
        told = said(text=given["cond_interaction"], individual_text=own)
    denoiser: Denoiser = net.denoise
    if isinstance(net, In2INIndividual) and dual:
        denoiser = partial(net.denoise_pairwise, quirks=QUIRKS)
    if config["guidance"] == "multi_condition":
        scales = {name: config[f"scale_{name}"] for name in ("full", "interaction", "individual")}
        denoiser = Guided(denoiser, multi_condition_guidance(**scales))
    elif config["guidance"] == "classifier_free":
        denoiser = Guided(denoiser, [Difference(config["scale"], tuple(told.parts))])
    if "sampler" in config:
        return {"output": last_of_loop(denoiser, config, given, told)}
    if config["guidance"] != "none":
        return {"output": guided_call(denoiser, given, told)}
    seen: Outputs = {}
    hook, values = collecting(seen), [part.value for part in told.parts.values()]
    if isinstance(net, In2INIndividual) and dual:
        output = net.forward_pair(given["x"], given["timesteps"], values[0], valid_of(given), hook, QUIRKS)
    else:
        output = net(given["x"], given["timesteps"], *values, valid_of(given), hook)
    return {**seen, "output": output.numpy()}


@torch.no_grad()
def text_head(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    head = TextHead(config["text_dim"], config["num_layers"], config["num_heads"], config["ff_size"])
    ending = config.get("key_prefix", "clipTransEncoder").split(" / ")[0].removeprefix("clipTransEncoder")
    head = loaded(case, head, maps.text_head(ending))
    return {
        "cond": head(given["token_features"], given["token_ids"]).numpy(),
        "tokens": head.read(given["token_features"]).numpy(),
    }


LOSS_NAMES = {
    "simple": "simple", "VEL": "velocity", "FC": "foot_contact", "BL": "bone_length", "DM": "distance_map",
    "JA": "joint_affinity", "RO": "relative_orientation",
}  # fmt: skip


def named_losses(terms: dict[str, torch.Tensor]) -> Outputs:
    short = {ours: published for published, ours in LOSS_NAMES.items()}
    found = {}
    for name, value in terms.items():
        term, _, person = name.rpartition("_") if name.endswith(("_first", "_second")) else (name, "", "")
        if name in ("first", "second"):
            term, person = "", name
        parts = [short.get(term, term), {"first": "A", "second": "B"}.get(person, "")]
        found["loss_" + "_".join(part for part in parts if part)] = value.detach().numpy()
    return found


def interaction_loss(config: dict, given: dict[str, torch.Tensor]) -> InteractionLoss:
    options = {"weights": {LOSS_NAMES[name]: value for name, value in config["weights"].items()}} if (
        "weights" in config
    ) else {}  # fmt: skip
    for ours, published in {
        "near": "distance_map_threshold",
        "touching": "joint_affinity_threshold",
        "contact_step": "foot_velocity_threshold",
        "contact_heights": "foot_height_thresholds",
    }.items():
        if published in config:
            options[ours] = config[published]
    return InteractionLoss(given["mean"], given["std"], last_step=config["t_bar"], quirks=PUBLISHED_LOSSES, **options)


def diffusion_training_losses(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    people = given["x_start"].shape[-1] // len(given["mean"])
    clean = (given["x_start"] - given["mean"].repeat(people)) / given["std"].repeat(people)
    valid = torch.arange(clean.shape[1]) < given["lengths"][:, None]
    steps = given["t"]
    net = None
    if "prediction" in given:
        prediction = given["prediction"].requires_grad_()
        predict = lambda noisy: prediction  # noqa: E731
    else:
        texts = (given["cond"] * (1 - given["drop"][:, None])).unflatten(-1, (-1, config["text_dim"]))
        told = [texts[:, 0]] if texts.shape[1] == 1 else [texts[:, 0], texts[:, 1:]]  # in2IN: the people's own beside
        kind = In2INIndividual if people == 1 else InterGenDenoiser if len(told) == 1 else In2INInteraction
        net = loaded(case, kind(**denoiser_sizes(config)), maps.DENOISER).train()
        predict = lambda noisy: net(noisy, steps, *told, valid)  # noqa: E731
    if people == 2:
        compare = interaction_loss(config, given)
        loss = lambda guess, truth: compare(guess, truth, steps, valid)  # noqa: E731
    else:
        weight = config.get("weights", {}).get("simple", 1)
        loss = lambda guess, truth: {"simple": weight * simple_loss(guess, truth, valid)}  # noqa: E731
    terms, noisy = training_losses(predict, loss, clean, given["noise"], steps, schedule_of(config))
    if people == 1:
        terms |= {"first": terms["simple"], "total": terms["simple"]}
    outputs = named_losses(terms)
    if net is None:
        (10 * terms["total"]).backward()
        return {**outputs, "x_t": noisy.numpy(), "grad_10_total_wrt_prediction": given["prediction"].grad.numpy()}
    terms["total"].backward()
    return {**outputs, "x_t": noisy.numpy(), **gradients(case, net, maps.DENOISER)}


def gradients(case: Case, net: torch.nn.Module, key_map: KeyMap) -> Outputs:
    """The gradients that a case asks for by published names."""
    wanted = [name for name in case.meta["outputs"] if name.startswith("grad.")]
    found = {}
    for name in wanted:
        published = name.removeprefix("grad.")
        gradient = net.get_parameter(our_name(published, key_map)).grad
        assert gradient is not None
        found[name] = as_published(published, gradient, case.meta["outputs"][name]["shape"], key_map)
    return found


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "diffusion": diffusion,
    "diffusion_training_losses": diffusion_training_losses,
    "intergen_denoiser": intergen_denoiser,
    "in2in_denoiser": in2in_denoiser,
    "text_head": text_head,
}
