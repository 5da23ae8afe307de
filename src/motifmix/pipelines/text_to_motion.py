"""The main job as an object: texts and styles in, motions out.

>>> model = motifmix.load()
>>> walk = model.generate(["a person walks forward"], styles=["old"], seeds=[1])[0]
>>> walk.joints.shape  # [T, 22, 3], metres
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Difference, GuidanceTerm, Guided, sample_along
from motifmix.diffusion.solvers import TwoStep, ddim_step
from motifmix.errors import RequestError
from motifmix.models.temporal_vae import STRIDE
from motifmix.motion import Motion
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.pipelines.default_parts import DefaultParts
from motifmix.pipelines.one_each import number, one_each, seconds_each, seeds_each, sentences
from motifmix.pipelines.sampling import LATE, LATE_TEXT, SHIFT, STEPS, STYLE_SCALE, Sampling
from motifmix.style import references
from motifmix.style.references import StyleLike
from motifmix.style.style_pull import StylePull

SHORTEST, LONGEST = 1.0, 10.0  # seconds
BATCH = 32
_MOST_TOKENS = 50
_DRAWN_TOKENS = 64  # noise is drawn for this many tokens, so that a seed means the same at every length


class TextToMotion(DefaultParts):
    """The default model, put together from the parts in a folder of weights: makes motions of what it reads."""

    def generate(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None = None,
        seconds: float | Sequence[float | None] | None = None,
        seeds: int | Sequence[int] | None = None,
        *,
        strength: float = 1.0,
        steps: int | None = None,
        text_scale: float | None = None,
        style_scale: float = STYLE_SCALE,
        style_start: float | None = None,
        shift: float = SHIFT,
        gamma: float | None = None,
        block: int | None = None,
        gradient: float = 0.0,
        clean_feet: bool = True,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Motion]:
        """Return one motion (20 fps, motifmix skeleton) a text.

        ``styles`` holds, for each text, None, words, a file, a `Media`, a `Motion`, or a list of these with weights;
        ``seconds`` 1 to 10, None for the length that suits; ``seeds`` one an item, a first one to count up from, or None
        for 0, 1, 2, ...; ``strength`` scales the fusion's gamma and the gradient; from ``steps`` to ``gradient``: see
        :class:`pipelines.sampling.Sampling`. An item's noise depends on its own seed alone. Raises ``RequestError`` for
        what cannot be met.
        """
        texts = sentences(texts)
        count = len(texts)
        if count == 0:
            return []
        if any(not text.strip() for text in texts):
            raise RequestError("the text is empty; say what the person does, as in 'a person walks forward'")
        if not 0.0 <= number(strength, "strength") <= 2.0:
            raise RequestError(f"a style strength of {strength:g} is out of range; give 0 to 2, 1 is what was trained")
        steps = STEPS if steps is None else steps
        how = Sampling(steps, shift, text_scale, style_scale, style_start, gamma, block, gradient)
        wanted_styles = one_each(styles, count, "styles")
        wanted_seeds = seeds_each(seeds, count)
        with torch.no_grad():
            text, style, has_style = self.vectors(texts, wanted_styles)
            tokens, frames = self._lengths(text, style, has_style, strength, _seconds(seconds, count))
            motions: list[Motion | None] = [None] * count
            order = sorted(range(count), key=lambda place: tokens[place])
            for start in range(0, count, BATCH):
                chosen = order[start : start + BATCH]
                batch = self.sample(
                    text[chosen], style[chosen], has_style[chosen], [tokens[i] for i in chosen],
                    [wanted_seeds[i] for i in chosen], strength, how,
                )  # fmt: skip
                for place, latents in zip(chosen, batch, strict=True):
                    motion = self._decoded(latents[: tokens[place]], frames[place])
                    motion = cleaned_feet(motion) if clean_feet else motion
                    motions[place] = motion.with_labels(
                        **self._labels(texts[place], wanted_styles[place], wanted_seeds[place])
                    )
                if progress is not None:
                    progress(min(start + BATCH, count), count)
        return [motion for motion in motions if motion is not None]

    def reconstruct(self, motions: Sequence[Motion]) -> list[Motion]:
        """Return what the autoencoder keeps of motions on the motifmix skeleton (posterior mean, 20 fps)."""
        kept = []
        with torch.no_grad():
            for motion in motions:
                features, valid, frames = self.network_features(motion)
                mean, _ = self.vae.encode(features, valid)
                kept.append(self.space.decode(self.features_in_units(self.vae.decode(mean)[0], frames)))
        return kept

    def _lengths(
        self, text: Tensor, style: Tensor, has_style: Tensor, strength: float, seconds: list[float | None]
    ) -> tuple[list[int], list[int]]:
        style = style[:, : self.denoiser.project.in_features]
        plain, _ = self.length_predictor(text, style, torch.zeros_like(has_style))
        styled, _ = self.length_predictor(text, style, has_style)
        known = self.shown_in_styles(text).to(plain.dtype)  # see LATE
        mean = plain + known * min(strength, 1.0) * (styled - plain)  # a weaker style changes the length less
        predicted = mean.exp().round().clamp(5, _MOST_TOKENS).long().tolist()
        frames = [
            STRIDE * predicted[place] if wanted is None else round(wanted * self.space.fps)
            for place, wanted in enumerate(seconds)
        ]
        return [-(-own // STRIDE) for own in frames], frames

    def sample(
        self,
        text: Tensor,
        style: Tensor,
        has_style: Tensor,
        tokens: list[int],
        seeds: list[int],
        strength: float,
        how: Sampling,
    ) -> Tensor:
        """Return latents of the autoencoder ``[B, L, latent]`` for what :meth:`vectors` returned.

        ``tokens`` and ``seeds`` are one an item, L the most tokens; ``strength`` is a factor on gamma.
        """
        noise, valid = self._noise(tokens, seeds)
        everyone = torch.ones(len(tokens), dtype=torch.bool)
        parts = {"text": Part(text, everyone)}
        late = has_style & ~self.shown_in_styles(text) & (how.style_start is None)
        text_scale = torch.full((len(tokens), 1, 1), how.text_guidance)
        if how.text_scale is None:
            text_scale = text_scale * (1.0 + (LATE_TEXT - 1.0) * min(strength, 1.0) * late[:, None, None])
        terms: list[GuidanceTerm] = [("text", text_scale)]
        denoiser = self.denoiser if how.block is None else self.denoiser.fused_after(how.block)
        denoiser = denoiser if how.gamma is None else denoiser.of_one_strength()
        if bool(has_style.any()):
            parts["style"] = Part(style, has_style)
            factor = strength if how.gamma is None else strength * how.gamma / self.denoiser.gamma
            parts["strength"] = Part(torch.full((len(tokens),), factor), everyone)
            start = self._style_start(late, how)
            terms.append(Difference(how.style_scale / start, ("text", "style"), ("text",), start))
            if how.gradient > 0 and strength > 0:
                scale = how.gradient * strength * has_style.to(noise.dtype)
                wanted = style[:, : self.denoiser.project.in_features]
                terms.append(StylePull(partial(self.style_of, valid=valid), wanted, scale, valid))
        return self._denoised(Guided(denoiser, terms), how, noise, Condition(parts), valid)

    def _style_start(self, late: Tensor, how: Sampling) -> Tensor:
        """Return where each item's style joins, as times [B, 1, 1]: at the last step, where there is none so late."""
        if how.style_start is None:
            start = torch.where(late, LATE, 1.0)
        else:
            start = torch.full((len(late),), how.style_start)
        *asked, _ = self.schedule.levels(how.steps, how.shift)
        return start.clamp(min=min(level.time for level in asked))[:, None, None]

    def _noise(self, tokens: list[int], seeds: list[int]) -> tuple[Tensor, Tensor]:
        """Return noise [B, L, latent], an item's own whatever stands beside it, and which tokens are real [B, L]."""
        longest, size = max(tokens), self.vae.latent
        valid = torch.arange(longest)[None] < torch.tensor(tokens)[:, None]
        drawn = [torch.randn(_DRAWN_TOKENS, size, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        return torch.stack(drawn)[:, :longest], valid

    def _denoised(self, guided: Denoiser, how: Sampling, noise: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Take ``noise`` to latents of the autoencoder [B, L, latent]."""
        clean = noise
        solver = TwoStep() if self.schedule.name == "flow" else ddim_step
        levels = self.schedule.levels(how.steps, how.shift)
        for step in sample_along(guided, levels, noise, condition, valid, solver=solver):
            clean = step.noisy
        return clean * self.latent_std + self.latent_mean

    def _decoded(self, latents: Tensor, frames: int) -> Motion:
        return self.space.decode(self.features_in_units(self.vae.decode(latents[None])[0], frames))

    def _labels(self, text: str, style: StyleLike | None, seed: int) -> dict[str, Any]:
        labels: dict[str, Any] = {"text": text, "seed": seed, "credit": "; ".join(self.credit), "licence": self.licence}
        if style is not None:
            labels["style"] = style_name(style)
            labels["licence"] = self.terms(style)
        return labels


def style_name(style: StyleLike) -> str:
    """Return how a style is called in labels: its words, its file's name, or both with weights."""
    if isinstance(style, Motion):
        return str(style.labels.get("style") or "a motion")
    if isinstance(style, references.Media):
        return style.name
    if isinstance(style, str | Path):
        return Path(style).name if isinstance(style, Path) else style
    return " + ".join(f"{style_name(part)}:{weight:g}" for part, weight in style)


def load(weights: Path | str | None = None) -> TextToMotion:
    """Load the default model, or the one whose parts lie in the folder ``weights``."""
    return TextToMotion(weights)


def _seconds(seconds: float | Sequence[float | None] | None, count: int) -> list[float | None]:
    wanted = seconds_each(seconds, count)
    for value in wanted:
        if value is not None and not SHORTEST <= value <= LONGEST:
            raise RequestError(
                f"{value:g} s is out of range; the model makes {SHORTEST:g} to {LONGEST:g} seconds, choose a length in between"
            )
    return wanted
