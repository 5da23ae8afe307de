"""MDM in its own form and in MixerMDM's."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case
from safetensors.torch import load_file
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.mdm import MDM, PADDING_ATTENDED, IndividualMDM, from_published_layout, to_published_layout
from motifmix.pretrained.maps.key_map import load_published
from motifmix.pretrained.maps.mdm import DENOISER, read_sizes
from motifmix.training.objectives.published.interaction import simple_loss, training_losses
from motifmix.training.objectives.published.mdm import mdm_loss
from runners.intergen import everyone, gradients, last_of_loop, said, schedule_of, tensors, walked

Outputs = dict[str, np.ndarray]


def network(case: Case, form: type[MDM], **options) -> MDM:
    published = load_file(case.folder / "weights.safetensors")
    net = form(**read_sizes(published), heads=case.config["num_heads"], dropout=0.0, **options)
    load_published(net, published, DENOISER)
    return net.eval()


def guided_items(net: MDM, x: Tensor, steps: Tensor, text: Tensor, valid: Tensor, scales: Tensor) -> Tensor:
    """Guided estimates, each item at its own step and scale."""
    results = []
    for item, (step, scale) in enumerate(zip(steps.tolist(), scales.tolist(), strict=True)):
        own = slice(item, item + 1)
        told = Condition({"text": Part(text[own], torch.ones(1, dtype=torch.bool))})
        results.append(Guided(net.denoise, [("text", scale)])(x[own], NoiseLevel(1, 1, 1, step), told, valid[own]))
    return torch.cat(results)


def mdm_humanml(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    net = network(case, MDM, quirks=() if config["mask_frames"] else (PADDING_ATTENDED,))
    text, valid = given["text_features"][0], given["mask"][:, 0, 0]
    if "sampler" in config:
        guided = Guided(net.denoise, [("text", config["guidance_scale"])])
        drawn = {"x_T": from_published_layout(given["x_T"])}
        if "step_noise" in given:
            drawn["step_noise"] = torch.stack([from_published_layout(noise) for noise in given["step_noise"]])
        steps = walked(guided, config, drawn, said(text=text), valid)
        named = {
            "output": steps[-1].noisy,
            "sample_after_first_step": steps[0].noisy,
            "pred_x_start_first_step": steps[0].clean,
            "pred_x_start_last_step": steps[-1].clean,
        }
        return {name: to_published_layout(value).numpy() for name, value in named.items()}
    x, steps = from_published_layout(given["x"]), given["timesteps"]
    if "noise" in given:
        terms, _ = training_losses(
            lambda noisy: net(noisy, steps, text, 1 - given["drop"], valid),
            lambda guess, truth: mdm_loss(guess, truth, valid, config["lambda_vel"]),
            x,
            from_published_layout(given["noise"]),
            steps,
            schedule_of(config),
        )
        terms["total"].mean().backward()
        named = {"loss": "total", "rot_mse": "features", "vel_mse": "velocity"}
        losses = {name: terms[ours].detach().numpy() for name, ours in named.items() if ours in terms}
        return {**losses, **gradients(case, net, DENOISER)}
    seen: Outputs = {}

    def keep(number: int, tokens: Tensor) -> Tensor:
        seen[f"after_layer_{number - 1}"] = tokens.transpose(0, 1).numpy()
        return tokens

    with torch.no_grad():
        everybody = torch.ones(len(x), dtype=torch.bool)
        named = {
            "output": net(x, steps, text, everybody, valid, keep),
            "output_uncond": net(x, steps, text, ~everybody, valid),
            "output_guided": guided_items(net, x, steps, text, valid, given["scale"]),
        }
    return {**seen, **{name: to_published_layout(value).numpy() for name, value in named.items()}}


def mdm_individual(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    net, text = network(case, IndividualMDM), given["text_features"]
    if "sampler" in config:
        guided = Guided(net.denoise, [("text", config["guidance_scale"])])
        return {"output": last_of_loop(guided, config, given, said(text=text))}
    if "noise" in given:
        clean = (given["x_start"] - given["mean"]) / given["std"]
        valid = torch.arange(clean.shape[1]) < given["lengths"][:, None]
        terms, _ = training_losses(
            lambda noisy: net(noisy, given["t"], text, 1 - given["drop"], valid),
            lambda guess, truth: {"simple": simple_loss(guess, truth, valid)},
            clean,
            given["noise"],
            given["t"],
            schedule_of(config),
        )
        terms["simple"].backward()
        loss = terms["simple"].detach().numpy()
        return {"loss_total": loss, "loss_simple": loss, **gradients(case, net, DENOISER)}
    x, steps = given["x"], given["timesteps"]
    valid = given["mask"][..., 0] > 0.5 if "mask" in given else everyone(x)
    shown = torch.nn.functional.pad(valid, (1, 0), value=True)[..., None]
    seen: Outputs = {}

    def keep(number: int, tokens: Tensor) -> Tensor:
        seen[f"after_layer_{number - 1}"] = (tokens * shown).numpy()
        return tokens

    with torch.no_grad():
        scales = torch.full((len(x),), float(config["guidance_scale"]))
        return {
            "cond": net.text_token(text).numpy(),
            "output": (net(x, steps, text, None, valid, keep) * valid[..., None]).numpy(),
            "output_guided": (guided_items(net, x, steps, text, valid, scales) * valid[..., None]).numpy(),
            **seen,
        }


RUNNERS: dict[str, Callable[[Case], Outputs]] = {"mdm_humanml": mdm_humanml, "mdm_individual": mdm_individual}
