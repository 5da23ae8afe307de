"""SMooDi: style network, denoiser with adapter, guidance, sampling, style transfer, losses."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from golden import Case
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import (
    EMPTY_STYLE_IS_ENCODED,
    STYLE_ADDED_IN_PLACE,
    SMooDiDenoiser,
    shuffled_in_windows,
)
from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, StyleNetwork
from motifmix.pipelines.mld import precise
from motifmix.pipelines.smoodi import (
    LAST_MOTION_ONLY,
    PULLED_TOWARDS_NOTHING,
    STYLE_TERM_TWICE,
    Scales,
    SMooDi,
    guidance_terms,
)
from motifmix.pretrained.maps import mld as mld_maps
from motifmix.pretrained.maps import smoodi as maps
from motifmix.pretrained.maps.key_map import load_published
from motifmix.quirks import Quirk
from motifmix.style.classifier_guidance import (
    GRADIENT_CHANNEL_ZEROED,
    GuidanceIteration,
    GuidanceOptions,
    StyleGuidance,
)
from motifmix.training.objectives.published import smoodi as objective
from motifmix.training.objectives.published.mld import with_prompts_dropped
from runners.mld import arrays, build_schedule, given, gradients, tokens_first, valid_mask, watched, weights

NETWORK_QUIRKS = [STYLE_ADDED_IN_PLACE, EMPTY_STYLE_IS_ENCODED, STATISTICS_OVER_EVERYTHING]
Outputs = dict[str, np.ndarray]


def layer_options(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "feed_forward": config["ff_size"],
        "layers": config["num_layers"],
        "heads": config["num_heads"],
        "activation": config["activation"],
        "pre_norm": config["normalize_before"],
    }


def build_style_network(config: dict[str, Any], shared: dict[str, Any], state: dict[str, Tensor]) -> StyleNetwork:
    network = StyleNetwork(
        features=config["num_features"],
        classes=config["num_classes"],
        width=config["latent_dim"],
        positions=shared["position_table_length"],
        epsilon=shared["layer_norm_eps"],
        quirks=NETWORK_QUIRKS,
        **layer_options(config),
    ).eval()
    load_published(network, state, maps.STYLE_NETWORK)
    return network


def build_denoiser(config: dict[str, Any], state: dict[str, Tensor]) -> SMooDiDenoiser:
    own, style = config["denoiser"], config["style_encoder"]
    assert own["style_scale"] == 1.0
    denoiser = SMooDiDenoiser(
        features=own["num_features"],
        latent_tokens=own["latent_tokens"],
        width=own["latent_dim"],
        text_dim=own["text_dim"],
        epsilon=config["layer_norm_eps"],
        positions=config["position_table_length"],
        cosine_first=own["flip_sin_to_cos"],
        frequency_shift=own["freq_shift"],
        longest_period=config.get("time_embedding_max_period", 10_000.0),
        style_classes=style["num_classes"],
        style_feed_forward=style["ff_size"],
        style_layers=style["num_layers"],
        style_heads=style["num_heads"],
        style_activation=style["activation"],
        style_pre_norm=style["normalize_before"],
        quirks=NETWORK_QUIRKS,
        **layer_options(own),
    ).eval()
    load_published(denoiser, state, maps.DENOISER)
    return denoiser


def build_vae(config: dict[str, Any], state: dict[str, Tensor]) -> MotionVAE:
    own = config["vae"]
    vae = MotionVAE(
        features=own["num_features"],
        latent_tokens=own["latent_tokens"],
        width=own["latent_dim"],
        epsilon=config["layer_norm_eps"],
        arch=own["arch"],
        positions=config["position_table_length"],
        **layer_options(own),
    ).eval()
    key_map = mld_maps.VAE if own["arch"] == "encoder_decoder" else mld_maps.VAE_ALL_ENCODER
    if "global_motion_token" not in state:  # a case that only decodes stores only the decoder's side
        key_map = replace(key_map, computed=[r"tokens|(embed|encoder|encoder_positions)\..*"])
    load_published(vae, state, key_map)
    return vae


@torch.no_grad()
def smoodi_style_classifier(case: Case) -> Outputs:
    x, config = given(case), case.config
    network = build_style_network(config, config, weights(case))
    mask = None
    if config["lengths"] is not None:
        mask = torch.arange(x["motion"].shape[1]) < torch.tensor(config["lengths"])[:, None]
    logits = network(x["motion"], mask)
    second_last, last = network.statistics(x["motion"], mask)
    return arrays(
        {
            "all_tokens": tokens_first(network.tokens_of(x["motion"], mask)),
            "embedding": network.embedding(x["motion"], mask),
            "logits": logits,
            "mean_second_last": second_last.mean[None],
            "std_second_last": second_last.std[None],
            "mean_last": last.mean[None],
            "std_last": last.std[None],
            "probabilities": logits.softmax(dim=-1),
            "top5": logits.topk(min(5, logits.shape[-1])).indices,
        }
    )


@torch.no_grad()
def smoodi_denoiser(case: Case) -> Outputs:
    x = given(case)
    denoiser = build_denoiser(case.config, weights(case))
    outputs, style = {}, None
    if case.config["use_style_reference"]:
        style = denoiser.embed_style(x["style_motion"], x["segment_permutations"])
        outputs = {
            "shuffled_style_motion": shuffled_in_windows(x["style_motion"], x["segment_permutations"]),
            "style_embedding": style,
            "sample_after_call": denoiser.left_behind(x["sample"], style),
        }
    linears = {str(k): linear for k, linear in enumerate(denoiser.zero_linears)}
    # What a frozen block hands on is what the next one is given.
    following = [*denoiser.base.encoder.input_blocks[1:], denoiser.base.encoder.middle_block]
    handed_on = {f"frozen_branch_block_{k}": block for k, block in enumerate(following)}
    with watched(linears, handed_on) as seen:
        outputs["noise_prediction"] = denoiser(x["sample"], x["timestep"], x["text_features"], style)
    if style is not None:
        outputs["control"] = torch.stack([tokens_first(seen[name]) for name in linears])
    return arrays({**outputs, **{name: tokens_first(seen[name]) for name in handed_on}})


def quirks_of(guidance: dict[str, Any]) -> list[Quirk]:
    zeroed, count = guidance.get("zeroed_gradient_channel"), guidance.get("style_term_count", 2)
    assert zeroed in (None, 0) and count in (1, 2)
    return [
        LAST_MOTION_ONLY,
        PULLED_TOWARDS_NOTHING,
        *([] if zeroed is None else [GRADIENT_CHANNEL_ZEROED]),
        *([STYLE_TERM_TWICE] if count == 2 else []),
    ]


def drawn_orders(x: dict[str, Tensor]) -> Iterator[Tensor] | None:
    """A case in which the denoiser is never shown a style draws none."""
    return iter(x["segment_permutations"]) if "segment_permutations" in x else None


def optional_style_network(case: Case) -> StyleNetwork | None:
    state = weights(case, "style_function.")
    return build_style_network(case.config["style_network"], case.config, state) if state else None


def build_smoodi(case: Case) -> SMooDi:
    return SMooDi(
        build_vae(case.config, weights(case, "vae.")),
        build_denoiser(case.config, weights(case, "denoiser.")),
        given(case)["null_text_features"],
        optional_style_network(case),
        quirks_of(case.config["guidance"]),
    )


def scales_of(config: dict[str, Any]) -> Scales:
    return Scales(config["guidance_scale_text"], config["guidance_scale_style"])


def options_of(config: dict[str, Any]) -> GuidanceOptions:
    return GuidanceOptions(
        config["classifier_iterations"],
        config["classifier_scale"],
        config["classifier_below_timestep"],
        tuple(config["classifier_weights_last_two_layers"]),
    )


def schedule_of(config: dict[str, Any]) -> DiscreteSchedule:
    return build_schedule(config["scheduler"], config["scheduler"]["num_inference_steps"])


def noise_of(clean: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
    return (noisy - level.alpha * clean) / level.sigma


def smoodi_guidance_step(case: Case) -> Outputs:
    x, config = given(case), case.config
    quirks = quirks_of(config["guidance"])
    levels = schedule_of(config).levels()
    here = [level.step for level in levels].index(config["timestep"])
    level, seen, corrected = levels[here], [], []

    def told(noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """What the denoiser said, branch by branch."""
        branches = []
        text, style = (condition.parts[name].present.chunk(len(noisy) // len(x["latents"])) for name in parts)
        for knows_text, knows_style in zip(text, style, strict=True):
            if knows_style.all() and config["guidance"]["mode"] != "v0":
                branches.append(x["noise_style"])
            else:
                branches.append(x["noise_text"] if knows_text.all() else x["noise_uncond"])
        return to_clean(torch.cat(branches).to(noisy.dtype), noisy, level.alpha, level.sigma, "epsilon")

    everyone = torch.ones(len(x["latents"]), dtype=torch.bool)
    parts = {name: Part(everyone, everyone) for name in ("text", "style")}
    correction, network = None, optional_style_network(case)
    if network is not None and config["guidance"]["use_classifier_guidance"]:
        pull = StyleGuidance(
            build_vae(config, weights(case, "vae.")),
            network,
            x["style_motion"],
            valid_mask(torch.tensor(config["lengths"])),
            options=options_of(config["guidance"]),
            quirks=quirks,
            watch=seen.append,
        )

        def correction(clean: Tensor, noisy: Tensor, level: NoiseLevel) -> Tensor:
            corrected.append(pull(clean, noisy, level))
            return corrected[-1]

    terms = guidance_terms(config["guidance"]["mode"], scales_of(config["guidance"]), correction, quirks)
    state = precise(x["latents"])
    (step,) = sample_along(Guided(told, terms), levels[here : here + 2], state, Condition(parts), everyone[:, None])
    outputs = {"noise_final": noise_of(step.clean, state, level), "latents_next": step.noisy}
    if seen:
        outputs |= {
            "noise_before_guidance": seen[0].noise,
            "clean_latent": seen[0].clean,
            "decoded_motion": seen[0].motion,
            "noise_after_guidance": noise_of(corrected[0], state, level),
            "loss": torch.stack([iteration.loss for iteration in seen]),
            "gradients": torch.stack([iteration.gradient for iteration in seen]),
        }
    return arrays(outputs)


def losses_of(seen: list[GuidanceIteration], config: dict[str, Any]) -> dict[str, Tensor]:
    if not seen:
        return {}
    return {"guidance_loss": torch.stack([i.loss for i in seen]) / config["denoiser"]["latent_dim"]}


def smoodi_sample(case: Case) -> Outputs:
    x, config = given(case), case.config
    guidance, schedule, seen = config["guidance"], schedule_of(config), []
    model, mask = build_smoodi(case), valid_mask(torch.tensor(config["lengths"]))
    steps = list(
        model.sample(
            x["text_features"],
            x["style_motion"],
            mask,
            x["initial_noise"],
            mode=guidance["mode"],
            scales=scales_of(guidance),
            guidance=options_of(guidance) if guidance["use_classifier_guidance"] else None,
            adapter=guidance["use_style_adaptor"],
            schedule=schedule,
            permutations=drawn_orders(x),
            watch=seen.append,
        )
    )
    levels = schedule.levels()
    states = [x["initial_noise"], *(step.noisy for step in steps)]
    noise = [noise_of(step.clean, noisy, level) for step, noisy, level in zip(steps, states, levels, strict=False)]
    return arrays(
        {
            "latents": torch.stack(states[1:]),
            "noise": torch.stack(noise),
            "timesteps": torch.tensor([level.step for level in levels[:-1]]),
            "latent": tokens_first(states[-1]),
            "motion": model.decode(states[-1], mask, guidance["mode"]),
            **losses_of(seen, config),
        }
    )


def smoodi_style_transfer(case: Case) -> Outputs:
    x, config = given(case), case.config
    guidance, schedule, seen = config["guidance"], schedule_of(config), []
    done = build_smoodi(case).transfer(
        x["content_motion"],
        valid_mask(torch.tensor(config["lengths"])),
        x["text_features"],
        x["style_motion"],
        tokens_first(x["encoder_noise"]),
        mode=guidance["mode"],
        scales=scales_of(guidance),
        guidance=options_of(guidance),
        schedule=schedule,
        start=config["start_step"],
        adapter=guidance["use_style_adaptor"],
        classifier=guidance["use_classifier_guidance"],
        permutations=drawn_orders(x),
        watch=seen.append,
    )
    visited = torch.tensor([level.step for level in schedule.levels()[:-1]])
    return arrays(
        {
            "inverted_latents": torch.stack([step.noisy for step in done.inverted]),
            "inversion_timesteps": visited.flip(0),
            "latents": torch.stack([step.noisy for step in done.steps]),
            "timesteps": visited[config["start_step"] :],
            "content_latent": tokens_first(done.content_latent),
            "start_latent": done.start,
            "motion": done.motion,
            **losses_of(seen, config),
        }
    )


def smoodi_train_losses(case: Case) -> Outputs:
    x, config = given(case), case.config
    train = config["train"]
    denoiser, vae = build_denoiser(config, weights(case, "denoiser.")), build_vae(config, weights(case, "vae."))
    batches = []
    for k in ("1", "2"):
        mask, motion = valid_mask(torch.tensor(config[f"lengths_{k}"])), x[f"motion_{k}"]
        with torch.no_grad():
            latents = vae.encode(motion, mask).sample(tokens_first(x[f"encoder_noise_{k}"]))
        dropped = x[f"text_draws_{k}"] < train["text_dropout"]
        batches.append(
            objective.StyledBatch(
                latents,
                x[f"noise_{k}"],
                with_prompts_dropped(x[f"text_features_{k}"], x["null_text_features"], dropped),
                motion * x[f"style_keep_{k}"] if train["style_mask_applied"] else motion,
                mask,
            )
        )
    calls = sorted((name for name in x if name.startswith("segment_permutations.")), key=lambda n: int(n.split(".")[1]))
    cycle = train["cycle_loss"] and not train["disable_cycle_loss"]
    scheduler = config["scheduler"]
    losses = objective.smoodi_losses(
        denoiser,
        vae,
        *batches,
        x["timesteps"],
        DiscreteSchedule.of(
            scaled_linear_betas(scheduler["num_train_timesteps"], scheduler["beta_start"], scheduler["beta_end"])
        ),
        iter([x[name] for name in calls]),
        (x["noise_cross_1"], x["noise_cross_2"]) if cycle else None,
        objective.SMooDiWeights(train["weight_instance"], train["weight_cycle"]),
    )
    names = [name.removeprefix("grad.denoiser.") for name in case.meta["outputs"] if name.startswith("grad.")]
    found = gradients(losses.total, denoiser, names, maps.DENOISER, case, "denoiser.")
    outputs = {
        "loss_total": losses.total,
        "loss_instance_sum": losses.own,
        "noise_pred_1": losses.own_predictions[0],
        "noise_pred_2": losses.own_predictions[1],
        "latent_1": tokens_first(batches[0].latents),
        "latent_2": tokens_first(batches[1].latents),
    }
    if losses.cycle is not None and losses.cycle_predictions is not None:
        outputs["loss_cycle_sum"] = losses.cycle
        outputs["cycle_pred_1"], outputs["cycle_pred_2"] = losses.cycle_predictions
    return {**{f"grad.denoiser.{name}": value for name, value in found.items()}, **arrays(outputs)}


RUNNERS = {
    "smoodi_style_classifier": smoodi_style_classifier,
    "smoodi_denoiser": smoodi_denoiser,
    "smoodi_guidance_step": smoodi_guidance_step,
    "smoodi_sample": smoodi_sample,
    "smoodi_style_transfer": smoodi_style_transfer,
    "smoodi_train_losses": smoodi_train_losses,
}
