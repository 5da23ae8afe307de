"""MLD: its VAE, denoiser, sampling loop and losses."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file
from torch import Tensor, nn

from motifmix.diffusion.discrete import DiscreteSchedule, scaled_linear_betas
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.pipelines.mld import MLD, mld_schedule
from motifmix.pretrained.maps import mld as maps
from motifmix.pretrained.maps.key_map import KeyMap, load_published
from motifmix.training.objectives.published import mld as objective

Outputs = dict[str, np.ndarray]


def given(case: Case) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value.copy()) for name, value in case.inputs.items()}


def weights(case: Case, prefix: str = "") -> dict[str, Tensor]:
    file = case.folder / "weights.safetensors"
    stored = load_file(file) if file.exists() else {}
    return {name.removeprefix(prefix): tensor for name, tensor in stored.items() if name.startswith(prefix)}


def valid_mask(lengths: Tensor) -> Tensor:
    return torch.arange(int(lengths.max())) < lengths[:, None]


def tokens_first(x: Tensor) -> Tensor:
    return x.transpose(0, 1)


@contextmanager
def watched(modules: dict[str, nn.Module], inputs: dict[str, nn.Module] | None = None):
    """Collect what the named modules return, and what the others are given, on their first call."""
    seen: dict[str, Tensor] = {}

    def after(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, args: tuple, output: Tensor) -> None:
            seen.setdefault(name, output)

        return keep

    def before(name: str) -> Callable[..., None]:
        def keep(module: nn.Module, args: tuple) -> None:
            seen.setdefault(name, args[0])

        return keep

    handles = [module.register_forward_hook(after(name)) for name, module in modules.items()]
    handles += [module.register_forward_pre_hook(before(name)) for name, module in (inputs or {}).items()]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def every_output(module: nn.Module):
    """Collect what a module returns, call by call."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda module, args, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


def parts_of(stack: nn.Module) -> dict[str, nn.Module]:
    return {
        **{f"input_block_{k}": block for k, block in enumerate(stack.input_blocks)},
        "middle_block": stack.middle_block,
        **{f"output_block_{k}": block for k, block in enumerate(stack.output_blocks)},
        **{f"skip_linear_{k}": linear for k, linear in enumerate(stack.skip_linears)},
        "final_norm": stack.norm,
    }


def transformer_options(config: dict[str, Any]) -> dict[str, Any]:
    return {
        "feed_forward": config["ff_size"],
        "layers": config["num_layers"],
        "heads": config["num_heads"],
        "dropout": config.get("dropout", 0.1),
        "activation": config["activation"],
        "pre_norm": config["normalize_before"],
        "epsilon": config.get("layer_norm_eps", 1e-5),
    }


def build_vae(config: dict[str, Any], state: dict[str, Tensor]) -> MotionVAE:
    vae = MotionVAE(
        features=config["nfeats"],
        latent_tokens=config["latent_tokens"],
        width=config["latent_dim"],
        arch=config["arch"],
        positions=config["max_positions"],
        **transformer_options(config),
    ).eval()
    load_published(vae, state, maps.VAE if config["arch"] == "encoder_decoder" else maps.VAE_ALL_ENCODER)
    return vae


def build_denoiser(config: dict[str, Any], state: dict[str, Tensor]) -> MLDDenoiser:
    denoiser = MLDDenoiser(
        width=config["latent_dim"],
        text_dim=config["text_dim"],
        positions=config["max_positions"],
        cosine_first=config["flip_sin_to_cos"],
        frequency_shift=config["freq_shift"],
        longest_period=config["time_embedding_max_period"],
        **transformer_options(config),
    ).eval()
    load_published(denoiser, state, maps.DENOISER)
    return denoiser


def arrays(tensors: dict[str, Tensor]) -> Outputs:
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


@torch.no_grad()
def mld_vae(case: Case) -> Outputs:
    x, vae = given(case), build_vae(case.config, weights(case))
    mask = valid_mask(x["lengths"])
    encoding = {f"encode.{name}": part for name, part in parts_of(vae.encoder).items()}
    decoding = {f"decode.{name}": part for name, part in parts_of(vae.decoder).items()}
    with watched(
        {**encoding, **decoding, "embedding": vae.embed},
        {"encode.tokens_with_positions": vae.encoder, "decode.queries_with_positions": vae.decoder},
    ) as seen:
        posterior = vae.encode(x["motion"], mask)
        latent = posterior.sample(tokens_first(x["noise"]))
        reconstruction = vae.decode(latent, mask)
    embedding = seen.pop("embedding")
    return arrays(
        {
            "mu": tokens_first(posterior.mean),
            "std": tokens_first(posterior.std),
            "latent": tokens_first(latent),
            "reconstruction": reconstruction,
            "decoded_other": vae.decode(tokens_first(x["z_other"]), valid_mask(x["lengths_other"])),
            "encode.skel_embedding": embedding,
            **{name: tokens_first(tensor) for name, tensor in seen.items()},
        }
    )


@torch.no_grad()
def mld_denoiser(case: Case) -> Outputs:
    x, denoiser = given(case), build_denoiser(case.config, weights(case))
    sequences = parts_of(denoiser.encoder)
    with watched(
        {**sequences, "time_embedding": denoiser.time, "text_projected": denoiser.text},
        {"time_sinusoid": denoiser.time, "tokens_with_positions": denoiser.encoder},
    ) as seen:
        output = denoiser(x["sample"], x["timesteps"], x["text"])
    flat = {name: seen.pop(name) for name in ("time_sinusoid", "time_embedding")}
    return arrays(
        {
            "output": output,
            "output_scalar_timestep": denoiser(x["sample"], x["timestep_scalar"], x["text"]),
            **flat,
            **{name: tokens_first(tensor) for name, tensor in seen.items()},
        }
    )


def build_schedule(config: dict[str, Any], steps: int) -> DiscreteSchedule:
    return mld_schedule(
        steps,
        betas=(config["num_train_timesteps"], config["beta_start"], config["beta_end"]),
        offset=config["steps_offset"],
        ends_clean=config["set_alpha_to_one"],
    )


def signal_variances(levels: Sequence[NoiseLevel]) -> Tensor:
    return torch.tensor([level.alpha**2 for level in levels])


@torch.no_grad()
def mld_sample(case: Case) -> Outputs:
    x, config = given(case), case.config
    schedule = build_schedule(config["scheduler"], config["num_inference_steps"])
    model = MLD(
        build_vae(config["vae"], weights(case, "vae.")),
        build_denoiser(config["denoiser"], weights(case, "denoiser.")),
        x["text_uncond"][:1],  # one row, repeated over the batch
        x["feature_mean"],
        x["feature_std"],
    )
    with every_output(model.denoiser) as predictions:
        walk = model.sample(x["text"], x["initial_latents"], guidance_scale=config["guidance_scale"], schedule=schedule)
        latents = [step.noisy for step in walk]
    without, told = torch.stack(predictions).chunk(2, dim=1)
    features = model.decode(latents[-1], valid_mask(x["lengths"]))
    levels = schedule.levels()
    return arrays(
        {
            "timesteps": torch.tensor([level.step for level in levels[:-1]]),
            "alpha_bar_t": signal_variances(levels[:-1]),
            "alpha_bar_prev": signal_variances(levels[1:]),
            "noise_pred_uncond": without,
            "noise_pred_text": told,
            "latents": torch.stack(latents),
            "final_latent": tokens_first(latents[-1]),
            "features": features,
            "joints": model.joints(features),
        }
    )


def our_name(published: str, key_map: KeyMap) -> str:
    renamed, _, _ = key_map.apply({published: torch.zeros(())})
    return next(iter(renamed))


def as_published(published: str, ours: Tensor, shape: Sequence[int], key_map: KeyMap) -> np.ndarray:
    """A parameter, or its gradient, in the shape that it has in published files (theirs of positions are [500, 1, D])."""
    leaf = torch.zeros(*shape, requires_grad=True)
    (mapped,) = key_map.apply({published: leaf})[0].values()
    return torch.autograd.grad(mapped, leaf, ours.detach())[0].numpy()


def gradients(
    total: Tensor, module: nn.Module, names: Sequence[str], key_map: KeyMap, case: Case, prefix: str
) -> Outputs:
    """Gradients of a sum by the published names, without their prefix, of a module's parameters."""
    state, parameters = weights(case, prefix), dict(module.named_parameters())
    found = torch.autograd.grad(total, [parameters[our_name(name, key_map)] for name in names])
    return {n: as_published(n, g, state[n].shape, key_map) for n, g in zip(names, found, strict=True)}


def mld_train_losses(case: Case) -> Outputs:
    x, config = given(case), case.config
    mask = valid_mask(x["lengths"])
    vae = build_vae(config["vae"], weights(case, "vae."))

    def told(prefix: str) -> list[str]:
        return [name.removeprefix(prefix) for name in config["gradient_of"]]

    if config["stage"] == "vae":
        chosen = config["loss_weights"]
        made, posterior = vae(x["motion"], mask, tokens_first(x["noise"]))
        losses = objective.vae_losses(
            made,
            x["motion"],
            posterior,
            mask,
            x["feature_mean"],
            x["feature_std"],
            objective.VAEWeights(chosen["reconstruction"], chosen["joints"], chosen["kl"]),
            quirks=[objective.LOSSES_WITHOUT_MASKS],
        )
        key_map = maps.VAE if config["vae"]["arch"] == "encoder_decoder" else maps.VAE_ALL_ENCODER
        found = gradients(losses.total, vae, told("vae."), key_map, case, "vae.")
        outputs = {
            "loss_total": losses.total,
            "loss_features": losses.features,
            "loss_joints": losses.joints,
            "loss_kl": losses.kl,
            "reconstruction": made,
            "joints_reconstruction": losses.joints_made,
            "joints_reference": losses.joints_given,
            "mu": tokens_first(posterior.mean),
            "std": tokens_first(posterior.std),
        }
        return {**{f"gradient.vae.{name}": value for name, value in found.items()}, **arrays(outputs)}
    scheduler = config["scheduler"]
    schedule = DiscreteSchedule.of(
        scaled_linear_betas(scheduler["num_train_timesteps"], scheduler["beta_start"], scheduler["beta_end"])
    )
    denoiser = build_denoiser(config["denoiser"], weights(case, "denoiser."))
    with torch.no_grad():
        latent = vae.encode(x["motion"], mask).sample(tokens_first(x["noise_encode"]))
    text = objective.with_prompts_dropped(x["text"], x["text_uncond"], x["uncond_mask"])
    noisy = objective.noised_latents(latent, x["noise"], x["timesteps"], schedule)
    predicted = denoiser(noisy, x["timesteps"], text)
    loss = objective.denoising_loss(predicted, x["noise"])
    total = config["loss_weights"]["generation"] * loss
    found = gradients(total, denoiser, told("denoiser."), maps.DENOISER, case, "denoiser.")
    outputs = {
        "loss_total": total,
        "loss_noise": loss,
        "latent": latent,
        "noisy_latent": noisy,
        "noise_prediction": predicted,
        "condition": text,
    }
    return {**{f"gradient.denoiser.{name}": value for name, value in found.items()}, **arrays(outputs)}


RUNNERS = {
    "mld_vae": mld_vae,
    "mld_denoiser": mld_denoiser,
    "mld_sample": mld_sample,
    "mld_train_losses": mld_train_losses,
}
