"""MLD: its VAE, denoiser, sampling loop and losses."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file
from torch import Tensor, nn

from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.pretrained.maps import mld as maps
from motifmix.pretrained.maps.key_map import load_published

Outputs = dict[str, np.ndarray]


def given(case: Case) -> dict[str, Tensor]:
    return {name: torch.from_numpy(value.copy()) for name, value in case.inputs.items()}


def weights(case: Case, prefix: str = "") -> dict[str, Tensor]:
    stored = load_file(case.folder / "weights.safetensors")
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


RUNNERS = {"mld_vae": mld_vae, "mld_denoiser": mld_denoiser}
