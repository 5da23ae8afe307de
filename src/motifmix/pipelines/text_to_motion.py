"""The main job as an object: texts and styles in, motions out.

>>> model = motifmix.load()
>>> walk = model.generate(["a person walks forward"], styles=["old"], seeds=[1])[0]
>>> walk.joints.shape  # [T, 22, 3], metres
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, GuidanceTerm, Guided, sample_along
from motifmix.diffusion.schedule import SCHEDULES
from motifmix.diffusion.solvers import TwoStep, ddim_step
from motifmix.errors import RequestError, WeightsError
from motifmix.features.own import MotifmixSpace, rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.models.temporal_vae import STRIDE
from motifmix.motion import Motion
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.pipelines.sampling import SHIFT, STEPS, STYLE_SCALE, TEXT_SCALE, Sampling
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.style import adopted, references
from motifmix.style.aligned import Aligned, Reading, described, find_aligned
from motifmix.style.references import StyleLike, resolve
from motifmix.style.style_pull import StylePull
from motifmix.style.styled_denoiser import StyledDenoiser

SHORTEST, LONGEST = 1.0, 10.0  # seconds
BATCH = 32
FAR = 0.5  # cosine of sentence embeddings below which nothing known is near
SAME = 0.99  # and above which two texts are one
OFFERED = 3  # nearest known names
_MOST_TOKENS = 50
_DRAWN_TOKENS = 64  # noise is drawn for this many tokens, so that a seed means the same at every length


@dataclass(frozen=True)
class Known:
    """A style or a content that the model was trained on."""

    name: str
    clips: int
    synonyms: tuple[str, ...]


class TextToMotion:
    """The default model, put together from the parts in a folder of weights."""

    def __init__(self, weights: Path | str | None = None) -> None:
        folder = Path(weights) if weights is not None else PACKAGE_WEIGHTS / "default"
        try:
            self._put_together(folder)
        except KeyError as error:
            raise WeightsError(
                f"{folder}: these weights lack {error}; they belong to another version, install motifmix again"
            ) from error

    def _put_together(self, folder: Path) -> None:
        self.space = MotifmixSpace()
        _, self.vae, statistics = load_part(folder, "vae")
        self.normaliser = Normaliser(statistics["mean"].numpy(), statistics["std"].numpy())
        card, denoiser, own = load_part(folder, "denoiser")
        self._text_mean, self._text_std = own["text_mean"], own["text_std"]
        self._latent_mean, self._latent_std = own["latent_mean"], own["latent_std"]
        extra = card.extra
        self.denoiser = StyledDenoiser(
            denoiser, own["project_weight"].shape[1], extra["block"], extra["gamma"], extra["prediction_type"],
            extra.get("fusion", "cross_normalization"),
        )  # fmt: skip
        self.denoiser.project.load_state_dict({"weight": own["project_weight"], "bias": own["project_bias"]})
        self.denoiser.eval().requires_grad_(False)
        self.denoiser_checksum, self._adopted = card.sha256, dict[tuple[Path, int], int]()
        self.schedule = SCHEDULES[extra["schedule"]]()
        style_card, self.style_encoder, _ = load_part(folder, "style_encoder")
        self._style_encoder_checksum = style_card.sha256
        _, self.text_to_style, _ = load_part(folder, "text_to_style")
        _, self.length_predictor, _ = load_part(folder, "length")
        if (folder / "strength.yaml").exists():
            _, self.denoiser.strengths, _ = load_part(folder, "strength")
        bank, self._bank = read_weights(folder, "bank")
        self.styles = [Known(s["name"], s["clips"], tuple(s["synonyms"])) for s in bank.extra["styles"]]
        self.contents = [Known(c["name"], c["clips"], tuple(c["synonyms"])) for c in bank.extra["contents"]]
        self.credit = list(card.credit)
        self.licence = card.licence

    @cached_property
    def text_encoder(self) -> Any:
        """MiniLM, loaded when the first sentence comes."""
        from motifmix.encoders.text import MiniLM

        return MiniLM()

    @cached_property
    def aligned(self) -> Aligned:
        """What ``motifmix align`` made for this style encoder; put ``Aligned(FOLDER)`` here for another one.

        Raises ``RequestError`` where there is none.
        """
        return find_aligned(self._style_encoder_checksum)

    def terms(self, style: StyleLike) -> str:
        """Return the licence of what is made in a style: the weights', and that of the encoder that read a picture."""
        return f"{self.licence}; {self.aligned.licence}" if references.is_encoded(style) else self.licence

    def generate(
        self,
        texts: Sequence[str],
        styles: Sequence[StyleLike | None] | None = None,
        seconds: float | Sequence[float | None] | None = None,
        seeds: int | Sequence[int] | None = None,
        *,
        strength: float = 1.0,
        steps: int | None = None,
        text_scale: float = TEXT_SCALE,
        style_scale: float = STYLE_SCALE,
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
        if isinstance(texts, str):
            raise RequestError("texts is a list of sentences; put the one sentence into a list")
        count = len(texts)
        if count == 0:
            return []
        if any(not text.strip() for text in texts):
            raise RequestError("the text is empty; say what the person does, as in 'a person walks forward'")
        if not 0.0 <= strength <= 2.0:
            raise RequestError(f"a style strength of {strength:g} is out of range; give 0 to 2, 1 is what was trained")
        steps = STEPS if steps is None else steps
        how = Sampling(steps, shift, text_scale, style_scale, gamma, block, gradient)
        wanted_styles = _for_each(styles, count, "styles")
        wanted_seeds = (
            list(range(int(seeds), int(seeds) + count))
            if isinstance(seeds, Integral)
            else _for_each(seeds, count, "seeds")
        )
        wanted_seeds = [place if seed is None else int(seed) for place, seed in enumerate(wanted_seeds)]
        with torch.no_grad():
            text, style, has_style = self._vectors(texts, wanted_styles)
            tokens, frames = self._lengths(text, style, has_style, strength, _seconds(seconds, count))
            motions: list[Motion | None] = [None] * count
            order = sorted(range(count), key=lambda place: tokens[place])
            for start in range(0, count, BATCH):
                chosen = order[start : start + BATCH]
                batch = self._sample(
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
                features, valid, frames = self._network_features(motion)
                mean, _ = self.vae.encode(features, valid)
                decoded = self.normaliser.restore(self.vae.decode(mean)[0, :frames].double().numpy())
                kept.append(self.space.decode(decoded))
        return kept

    def style_vector(self, motion: Motion) -> Tensor:
        """Return the style of a motion on the motifmix skeleton, ``[style]``."""
        with torch.no_grad():
            features, valid, _ = self._network_features(motion)
            return self.style_encoder(features, valid)[0]

    def describe(self, text: str, style: StyleLike | None = None) -> list[str]:
        """Return sentences on what is not known, naming what is nearest and how far it is, and on what a file gave.

        A text or a style is far below a likeness (cosine of sentence embeddings) of 0.5; a single word that is no known
        style's name or synonym is said in any case. A motion is made all the same.
        """
        notes = references.notes(style) if style is not None else []
        near = self._nearest(text, "content_texts", "content_owners", [known.name for known in self.contents])
        if near[0][1] < FAR:
            notes.append(f'the text "{text}" is far from anything trained on; nearest: {_distances(near)}')
        read: list[tuple[str, Reading]] = []
        for part in resolve(style) if style is not None else []:
            if part.content is not None:
                read.append((part.content.name, self._read(part.content)))
            if part.words is None or adopted.find(part.words) is not None:
                continue
            near = self._nearest(part.words, "style_texts", "style_owners", [known.name for known in self.styles])
            if near[0][1] < FAR:
                notes.append(f'the style "{part.words}" is far from anything trained on; nearest: {_distances(near)}')
            elif " " not in part.words and not self._is_known(part.words) and near[0][1] < SAME:
                notes.append(f'the style "{part.words}" is not known by that name; nearest: {_distances(near)}')
        return [*notes, *(described(read, self.aligned.licence) if read else [])]

    def _is_known(self, word: str) -> bool:
        return any(word.casefold() in (known.name.casefold(), *known.synonyms) for known in self.styles)

    def _nearest(self, words: str, texts: str, owners: str, names: list[str]) -> list[tuple[str, float]]:
        """Return the nearest names, nearest first, each with the likeness of what comes closest among its texts."""
        cosines = self._bank[texts] @ self.text_encoder.encode([words])[0]
        nearest: dict[str, float] = {}
        for place in cosines.argsort(descending=True).tolist():
            nearest.setdefault(names[int(self._bank[owners][place])], float(cosines[place]))
            if len(nearest) == min(OFFERED, len(names)):
                break
        return list(nearest.items())

    def _text_vectors(self, texts: Sequence[str]) -> Tensor:
        return (self.text_encoder.encode(list(texts)) - self._text_mean) / self._text_std

    def _vectors(self, texts: Sequence[str], styles: Sequence[StyleLike | None]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode sentences and style words in one batch; returns texts, styles and which styles there are."""
        # One reference given for many texts is read, retargeted and encoded once.
        resolved = {id(style): resolve(style) for style in {id(s): s for s in styles if s is not None}.values()}
        parts = [[] if style is None else resolved[id(style)] for style in styles]
        said = {part.words for own in parts for part in own if part.words is not None}
        adoptions = {word: number for word in said if (number := self._adoption(word)) is not None}
        words = sorted(said - set(adoptions))
        sentences = self._text_vectors([*texts, *words])
        spoken = dict(zip(words, self.text_to_style(sentences[len(texts) :]), strict=True)) if words else {}
        size = self.denoiser.project.in_features
        vectors = torch.zeros(len(styles), size + len(self.denoiser.adopted))
        present = torch.zeros(len(styles), dtype=torch.bool)
        seen: dict[int, Tensor] = {}
        for place, own in enumerate(parts):
            for part in own:
                if part.words in adoptions:
                    number = adoptions[part.words]
                    vector = self.denoiser.adopted[number].vector
                    vectors[place, size + number] += part.weight
                elif part.words is not None:
                    vector = spoken[part.words]
                elif part.motion is not None:
                    if id(part.motion) not in seen:
                        seen[id(part.motion)] = self.style_vector(part.motion)
                    vector = seen[id(part.motion)]
                elif part.content is not None:
                    vector = self._read(part.content).vector
                else:
                    continue
                vectors[place, :size] += part.weight * vector
                present[place] = True
        return sentences[: len(texts)], vectors, present

    def _read(self, content: references.Media) -> Reading:
        modality = references.modality_of(content.path)
        assert modality is not None  # what is no picture, sound or video was resolved to words or a motion
        return self.aligned.read(content.path, modality, content.content_by)

    def _adoption(self, words: str) -> int | None:
        """Return the number of the adopted style that words name, loaded when it is first asked for."""
        folder = adopted.find(words)
        if folder is None:
            return None
        key = (folder, adopted.changed(folder))
        if key not in self._adopted:
            own = self.denoiser.denoiser
            shape = (self.denoiser.project.in_features, own.width, len(own.blocks))
            _, network = adopted.load(folder, self.denoiser_checksum, shape)
            self._adopted[key] = len(self.denoiser.adopted)
            self.denoiser.adopted.append(network)
        return self._adopted[key]

    def _lengths(
        self, text: Tensor, style: Tensor, has_style: Tensor, strength: float, seconds: list[float | None]
    ) -> tuple[list[int], list[int]]:
        style = style[:, : self.denoiser.project.in_features]
        plain, _ = self.length_predictor(text, style, torch.zeros_like(has_style))
        styled, _ = self.length_predictor(text, style, has_style)
        mean = plain + min(strength, 1.0) * (styled - plain)  # a weaker style changes the length less
        predicted = mean.exp().round().clamp(5, _MOST_TOKENS).long().tolist()
        frames = [
            STRIDE * predicted[place] if wanted is None else round(wanted * self.space.fps)
            for place, wanted in enumerate(seconds)
        ]
        return [-(-own // STRIDE) for own in frames], frames

    def _sample(
        self,
        text: Tensor,
        style: Tensor,
        has_style: Tensor,
        tokens: list[int],
        seeds: list[int],
        strength: float,
        how: Sampling,
    ) -> Tensor:
        noise, valid = self._noise(tokens, seeds)
        everyone = torch.ones(len(tokens), dtype=torch.bool)
        parts = {"text": Part(text, everyone)}
        terms: list[GuidanceTerm] = [("text", how.text_scale)]
        denoiser = self.denoiser if how.block is None else self.denoiser.fused_after(how.block)
        denoiser = denoiser if how.gamma is None else denoiser.of_one_strength()
        if bool(has_style.any()):
            parts["style"] = Part(style, has_style)
            factor = strength if how.gamma is None else strength * how.gamma / self.denoiser.gamma
            parts["strength"] = Part(torch.full((len(tokens),), factor), everyone)
            terms.append(("style", how.style_scale))
            if how.gradient > 0 and strength > 0:
                scale = how.gradient * strength * has_style.to(noise.dtype)
                wanted = style[:, : self.denoiser.project.in_features]
                terms.append(StylePull(partial(self._style_of, valid=valid), wanted, scale, valid))
        return self._denoised(Guided(denoiser, terms), how, noise, Condition(parts), valid)

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
        return clean * self._latent_std + self._latent_mean

    def _style_of(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Read the style vectors [B, style] of clean latents [B, L, D] as the denoiser has them; ``valid`` [B, L]."""
        features = self.vae.decode(clean * self._latent_std + self._latent_mean, valid)
        return self.style_encoder(features, valid.repeat_interleave(STRIDE, dim=1))

    def _decoded(self, latents: Tensor, frames: int) -> Motion:
        features = self.vae.decode(latents[None])[0, :frames].double().numpy()
        return self.space.decode(self.normaliser.restore(features))

    def _network_features(self, motion: Motion) -> tuple[Tensor, Tensor, int]:
        features = self.space.encode(motion)
        padded = rested_to_multiple(features, STRIDE)
        normalised = torch.from_numpy(self.normaliser.normalise(padded).astype(np.float32))
        return normalised[None], torch.ones(1, len(padded), dtype=torch.bool), len(features)

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


def _distances(near: list[tuple[str, float]]) -> str:
    named = ", ".join(f"{name} ({1 - likeness:.2f} away)" for name, likeness in near)
    return f"{named}; 0 is the same, 1 has nothing in common"


def _for_each(values: Any, count: int, name: str) -> list[Any]:
    if values is None:
        return [None] * count
    values = list(values)
    if len(values) != count:
        raise RequestError(f"{len(values)} {name} were given for {count} texts; give one a text")
    return values


def _seconds(seconds: float | Sequence[float | None] | None, count: int) -> list[float | None]:
    wanted: list[float | None]
    if seconds is None or isinstance(seconds, Real):
        wanted = [None if seconds is None else float(seconds)] * count
    else:
        wanted = [None if value is None else float(value) for value in _for_each(seconds, count, "seconds")]
    for value in wanted:
        if value is not None and not SHORTEST <= value <= LONGEST:
            raise RequestError(
                f"{value:g} s is out of range; the model makes {SHORTEST:g} to {LONGEST:g} seconds, choose a length in between"
            )
    return wanted
