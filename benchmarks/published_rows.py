"""The rows of ``published_models.py``: one computation, by a plain reading and by ours, with the same random weights.

A family is a function from sizes and a number type to its rows. Ours are called as users call them: through guidance,
estimators and pipelines, not stripped down.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any, TypeVar

import torch
from plain import intergen as plain_intergen
from plain import mdm as plain_mdm
from plain import mixer as plain_mixer
from plain import mld as plain_mld
from plain import smoodi as plain_smoodi
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.predictions import to_clean
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.mix.weights import LearnedWeights
from motifmix.models.in2in import In2INIndividual, In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import InterGenDenoiser
from motifmix.models.mdm import MDM
from motifmix.models.mixer import Mixer
from motifmix.models.mld_denoiser import MLDDenoiser, MLDEstimator
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.smoodi import EMPTY_STYLE_IS_ENCODED, STYLE_ADDED_IN_PLACE, SMooDiDenoiser, SMooDiEstimator
from motifmix.models.style_network import STATISTICS_OVER_EVERYTHING, StyleNetwork
from motifmix.pipelines.mld import MLD, mld_schedule, precise
from motifmix.pipelines.smoodi import REFERENCE_ALWAYS_SHUFFLED, Scales, SMooDi, guidance_terms
from motifmix.pretrained.maps import intergen as intergen_maps
from motifmix.pretrained.maps import mdm as mdm_maps
from motifmix.pretrained.maps import mixermdm as mixer_maps
from motifmix.pretrained.maps import mld as mld_maps
from motifmix.pretrained.maps import smoodi as smoodi_maps
from motifmix.pretrained.maps.key_map import KeyMap, load_published
from motifmix.style.classifier_guidance import GRADIENT_CHANNEL_ZEROED, GuidanceOptions, StyleGuidance

SMOODI_QUIRKS = (
    STYLE_ADDED_IN_PLACE,
    EMPTY_STYLE_IS_ENCODED,
    STATISTICS_OVER_EVERYTHING,
    GRADIENT_CHANNEL_ZEROED,
    REFERENCE_ALWAYS_SHUFFLED,
)
Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Row:
    """``plain`` and ``ours`` return the same numbers (call them without gradients); ``steps`` of it make a clip."""

    family: str
    name: str
    frames: str
    plain: Callable[[], Tensor]
    ours: Callable[[], Tensor]
    steps: int | None = None
    profiled: bool = False
    long: bool = False  # so that one round must do, and its parts' memory and bfloat16 stand for it


def randomised(network: Network, seed: int = 0) -> Network:
    """Draw all weights anew, of a size that keeps activations near one; nothing stays at a zero start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.7 * fan_in**-0.5)
            else:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.02)
    return network.eval().requires_grad_(False)


def loaded(ours: Network, plain: nn.Module, key_map: KeyMap, dtype: torch.dtype) -> Network:
    load_published(ours, plain.state_dict(), key_map)
    return ours.eval().requires_grad_(False).to(dtype)


def built(make: Callable[..., Network], **options: Any) -> Network:
    """Build without drawing weights that are overwritten anyway."""
    with torch.device("meta"):
        network = make(**options)
    return network.to_empty(device="cpu")


def noise(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def said(**values: Tensor) -> Condition:
    return Condition({name: Part(value, torch.ones(len(value), dtype=torch.bool)) for name, value in values.items()})


def level_at(schedule: DiscreteSchedule, step: int) -> NoiseLevel:
    return next(level for level in schedule.levels() if level.step == step)


def shrunk(sizes: dict[str, int], tiny: bool) -> dict[str, int]:
    few = {"width": 64, "feed_forward": 96, "layers": 3, "blocks": 2, "heads": 2}
    return {name: few[name] if tiny else size for name, size in sizes.items()}


def mld(tiny: bool, dtype: torch.dtype) -> list[Row]:
    sizes, frames = shrunk(plain_mld.SIZES, tiny), 24 if tiny else 196
    vae, denoiser = randomised(plain_mld.MLDVAE(**sizes)), randomised(plain_mld.MLDDenoiser(**sizes))
    our_vae = loaded(built(MotionVAE, **sizes), vae, mld_maps.VAE, dtype)
    our_denoiser = loaded(built(MLDDenoiser, **sizes), denoiser, mld_maps.DENOISER, dtype)
    width, valid = sizes["width"], torch.ones(1, frames, dtype=torch.bool)
    start, text, null = noise(1, 1, width), noise(1, 1, 768, seed=2), noise(1, 1, 768, seed=3)
    motion = noise(1, frames, 263, seed=4)
    own = {name: x.to(dtype) for name, x in {"start": start, "text": text, "null": null, "motion": motion}.items()}
    model = MLD(our_vae, our_denoiser, own["null"], torch.zeros(263), torch.ones(263))
    guided = Guided(MLDEstimator(our_denoiser, own["null"]), [("text", 7.5)])
    level, one = mld_schedule().levels()[25], valid[:, :1]
    condition, state = said(text=own["text"]), precise(own["start"])

    def plain_step() -> Tensor:
        found = plain_mld.guided_noise(denoiser, start, int(level.step or 0), text, null, 7.5)
        return to_clean(found, start, level.alpha, level.sigma, "epsilon")

    def our_clip() -> Tensor:
        *_, last = model.sample(own["text"], own["start"])
        return model.decode(last.noisy, valid)

    def encoded() -> Tensor:
        posterior = our_vae.encode(own["motion"], valid)
        return torch.cat([posterior.mean, posterior.log_variance], dim=1)

    rows = [
        Row("MLD", "one guided step of the denoiser", "any", plain_step,
            lambda: guided(state, level, condition, one), profiled=True),
        Row("MLD", "50 guided steps and decoding", str(frames),
            lambda: vae.decode(plain_mld.sample(denoiser, start, text, null), frames), our_clip),
        Row("MLD", "VAE, decoding", str(frames), lambda: vae.decode(start, frames),
            lambda: our_vae.decode(own["start"], valid)),
        Row("MLD", "VAE, encoding", str(frames), lambda: vae.encode(motion), encoded),
    ]  # fmt: skip
    return rows


def smoodi(tiny: bool, dtype: torch.dtype) -> list[Row]:
    sizes, frames = shrunk(plain_mld.SIZES, tiny), 24 if tiny else 196
    style_sizes = {name: sizes[name] for name in ("width", "feed_forward", "heads")}
    vae, denoiser = randomised(plain_mld.MLDVAE(**sizes)), randomised(plain_smoodi.SMooDiDenoiser(**sizes))
    network = randomised(plain_smoodi.StyleNetwork(**style_sizes))
    our_vae = loaded(built(MotionVAE, **sizes), vae, mld_maps.VAE, dtype)
    our_denoiser = built(
        SMooDiDenoiser, **sizes, style_feed_forward=sizes["feed_forward"], style_heads=sizes["heads"],
        quirks=SMOODI_QUIRKS,
    )  # fmt: skip
    our_denoiser = loaded(our_denoiser, denoiser, smoodi_maps.DENOISER, dtype)
    our_network = built(StyleNetwork, **style_sizes, quirks=SMOODI_QUIRKS)
    our_network = loaded(our_network, network, smoodi_maps.STYLE_NETWORK, dtype)
    width, valid = sizes["width"], torch.ones(1, frames, dtype=torch.bool)
    start, text, null = noise(1, 1, width), noise(1, 1, 768, seed=2), noise(1, 1, 768, seed=3)
    reference = noise(1, frames, 263, seed=4)
    orders = torch.rand(frames // 16, 16, generator=torch.Generator().manual_seed(5)).argsort(dim=1)
    own = {name: x.to(dtype) for name, x in {"start": start, "text": text, "null": null, "style": reference}.items()}
    model = SMooDi(our_vae, our_denoiser, own["null"], our_network, SMOODI_QUIRKS)
    estimator = SMooDiEstimator(our_denoiser, own["null"], own["style"], repeat(orders))
    guided = Guided(estimator, guidance_terms("v4", Scales(), None, SMOODI_QUIRKS))
    pull = StyleGuidance(
        our_vae, our_network, own["style"], valid, options=GuidanceOptions(iterations=1), quirks=SMOODI_QUIRKS
    )
    levels, state = mld_schedule().levels(), precise(own["start"])
    early, late = levels[25], levels[35]
    condition, one = said(text=own["text"], style=torch.zeros(1, dtype=torch.long)), valid[:, :1]
    clean = to_clean(noise(1, 1, width, seed=6), start, late.alpha, late.sigma, "epsilon")
    our_clean = clean.to(state.dtype)

    def plain_step() -> Tensor:
        found = plain_smoodi.step_noise(denoiser, start, int(early.step or 0), text, null, reference, orders)
        return to_clean(found, start, early.alpha, early.sigma, "epsilon")

    def plain_iteration() -> Tensor:
        found = (start - late.alpha * clean) / late.sigma
        found = plain_smoodi.guidance_iteration(vae, network, found, start, late.alpha**2, reference)
        return to_clean(found, start, late.alpha, late.sigma, "epsilon")

    def plain_clip() -> Tensor:
        last = plain_smoodi.sample(denoiser, vae, network, start, text, null, reference, [orders] * 50)
        return vae.decode(last, frames)

    def our_clip() -> Tensor:
        *_, last = model.sample(own["text"], own["style"], valid, own["start"], permutations=repeat(orders))
        return model.decode(last.noisy, valid)

    return [
        Row("SMooDi", "one guided step, no classifier", str(frames), plain_step,
            lambda: guided(state, early, condition, one)),
        Row("SMooDi", "one iteration of classifier guidance", str(frames), plain_iteration,
            lambda: pull(our_clean, state, late), profiled=True),
        Row("SMooDi", "50 steps, 75 iterations and decoding", str(frames), plain_clip, our_clip, long=True),
    ]  # fmt: skip


def pairs_and_people(
    family: str, frames: int, tiny: bool, dtype: torch.dtype, plain: Any, ours: Any, scales: list[Any]
) -> Iterator[Row]:
    """Rows of one of the three networks of InterGen's kind: a call, and a guided call."""
    texts = 2 if isinstance(plain, plain_intergen.In2INInteraction) else 1
    people = 1 if isinstance(plain, plain_intergen.In2INIndividual) else 2
    x, timesteps = noise(1, frames, 262 * people), torch.tensor([500])
    told = [noise(1, 768, seed=2), noise(1, 2, 768, seed=3)][:texts]
    schedule = DiscreteSchedule.of(cosine_betas(1000), "ddim50")
    level, valid = level_at(schedule, 500), torch.ones(1, frames, dtype=torch.bool)
    own, own_told = x.to(dtype), [text.to(dtype) for text in told]
    condition = said(**dict(zip(("text", "individual_text"), own_told, strict=False)))
    guided, branches = Guided(ours.denoise, scales), 1 + len(scales)
    yield Row(family, "one call", str(frames), lambda: plain(x, timesteps, *told),
              lambda: ours.denoise(own, level, condition, valid), profiled=frames > 90 or tiny)  # fmt: skip
    if frames > 90 or tiny:
        yield Row(family, f"one guided step ({branches} branches)", str(frames),
                  lambda: plain.guided(x, timesteps, *told),
                  lambda: guided(own, level, condition, valid), steps=50)  # fmt: skip


def of_intergen(name: str, plain_kind: Any, our_kind: Any, scales: list[Any]) -> Callable[..., list[Row]]:
    def family(tiny: bool, dtype: torch.dtype) -> list[Row]:
        sizes = shrunk(plain_intergen.SIZES, tiny)
        plain = randomised(plain_kind(**sizes))
        ours = loaded(built(our_kind, **sizes), plain, intergen_maps.DENOISER, dtype)
        rows = []
        for frames in (24,) if tiny else (90, 299):
            rows += pairs_and_people(name, frames, tiny, dtype, plain, ours, scales)
        return rows

    return family


def mdm(tiny: bool, dtype: torch.dtype) -> list[Row]:
    sizes, frames = shrunk(plain_mdm.SIZES, tiny), 24 if tiny else 196
    plain = randomised(plain_mdm.MDM(**sizes))
    ours = loaded(built(MDM, **sizes), plain, mdm_maps.DENOISER, dtype)
    x, timesteps, text = noise(1, frames, 263), torch.tensor([500]), noise(1, 512, seed=2)
    own, condition, valid = x.to(dtype), said(text=text.to(dtype)), torch.ones(1, frames, dtype=torch.bool)
    level = level_at(DiscreteSchedule.of(cosine_betas(1000)), 500)
    guided = Guided(ours.denoise, [("text", 2.5)])
    return [
        Row("MDM", "one call", str(frames), lambda: plain(x, timesteps, text),
            lambda: ours.denoise(own, level, condition, valid), profiled=True),
        Row("MDM", "one guided step (2 branches)", str(frames), lambda: plain.guided(x, timesteps, text),
            lambda: guided(own, level, condition, valid), steps=1000),
    ]  # fmt: skip


def mixer(tiny: bool, dtype: torch.dtype) -> list[Row]:
    sizes, frames = shrunk(plain_mixer.SIZES, tiny), 24 if tiny else 299
    plain = randomised(plain_mixer.Mixer(**sizes))
    ours = loaded(built(Mixer, **sizes), plain, mixer_maps.MIXER, dtype)
    weigh = LearnedWeights(ours)
    people, anchors, timesteps = noise(1, 2, frames, 262), noise(1, 2, frames, 262, seed=2), torch.tensor([500])
    own_text, shared_text = noise(1, 2, 768, seed=3), noise(1, 768, seed=4)
    told = said(text=shared_text.to(dtype), individual_text=own_text.to(dtype))
    both = Condition.stacked([told, told.without(["text", "individual_text"])])
    others, anchor = people.to(dtype)[:, None].repeat(2, 1, 1, 1, 1), anchors.to(dtype).repeat(2, 1, 1, 1)
    valid = torch.ones(2, frames, dtype=torch.bool)
    return [
        Row("MixerMDM's Mixer", "both people of a guided step", str(frames),
            lambda: plain_mixer.stacked(plain.guided(people, anchors, timesteps, own_text, shared_text)),
            lambda: weigh(others, anchor, timesteps.repeat(2), both, valid)[:, 0], profiled=True),
    ]  # fmt: skip


FAMILIES: dict[str, Callable[[bool, torch.dtype], list[Row]]] = {
    "mld": mld,
    "smoodi": smoodi,
    "intergen": of_intergen("InterGen", plain_intergen.InterGen, InterGenDenoiser, [("text", 3.5)]),
    "in2in-individual": of_intergen(
        "in2IN, individual", plain_intergen.In2INIndividual, In2INIndividual, [("text", 3.5)]
    ),
    "in2in-interaction": of_intergen(
        "in2IN, interaction", plain_intergen.In2INInteraction, In2INInteraction, multi_condition_guidance()
    ),
    "mdm": mdm,
    "mixer": mixer,
}
