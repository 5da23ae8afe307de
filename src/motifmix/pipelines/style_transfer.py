"""Motion style transfer: somebody's motion in, the same motion in another style out.

The content is encoded, taken back along the flow towards noise (told nothing, or its text), and brought forth again
with the style. Every step of the way back is solved for, so that the way forth without a style ends where the content
began; what the autoencoder loses is put back as a remainder. Longer motions go through the network in overlapping
windows.

>>> transfer = StyleTransfer(motifmix.load())
>>> old = transfer.transfer([walk], ["old"])[0]
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from motifmix.credits import together
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Denoiser, Guided, sample_along
from motifmix.diffusion.inversion import invert_by_fixed_point
from motifmix.diffusion.schedule import FlowSchedule, NoiseLevel
from motifmix.diffusion.windows import Windowed
from motifmix.errors import RequestError
from motifmix.features.own import MotifmixSpace, heading
from motifmix.motion import MOTIFMIX, Motion
from motifmix.motion.anatomy import find_joints
from motifmix.motion.contacts import floor_height, foot_contacts
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.motion.leg_reach import planted
from motifmix.motion.retargeting import canonical_rotations, retarget
from motifmix.pipelines.sampling import TRANSFER_DEPTH, TRANSFER_STEPS, check
from motifmix.pipelines.text_to_motion import TextToMotion, style_name
from motifmix.style.references import StyleLike, is_animal
from motifmix.style.style_pull import StylePull

SHORTEST_SECONDS, SHORTEST_FRAMES = 0.5, 4
FPS = MotifmixSpace.fps
STEPS, DEPTH = TRANSFER_STEPS, TRANSFER_DEPTH
STYLE_SCALE = 1.5  # chosen as these two were
MET = 0.006  # distance at which more of a style is not looked for; `benchmarks/stylised_duets.py --judge select`
WINDOW, OVERLAP = 50, 20  # latent tokens of 0.2 s: the longest that was trained on, and what neighbours share


@dataclass(frozen=True)
class Kept:
    """What of a content stays as it is: the ``path`` of the root over the floor, ``contacts``: when feet rest."""

    path: bool = False
    contacts: bool = False


@dataclass(frozen=True)
class Between:
    """Estimates between two conditions: ``scale`` 0 is the first one's, 1 the second one's, more goes beyond.

    A tensor [B, 1, 1] has a scale for each sample. ``text_scale`` goes beyond what the first one's text says, from what is
    estimated without it.
    """

    denoiser: Denoiser
    goal: Condition
    scale: float | Tensor
    text_scale: float = 1.0

    def __call__(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Return the estimate [B, L, D]; ``condition`` is the one that it begins at."""
        branches, acts = [condition], bool(torch.as_tensor(self.scale).any())
        if acts:
            branches.append(self.goal)
        if self.text_scale != 1.0:
            branches.append(condition.without(["text"]))
        count = len(branches)
        if count == 1:
            return self.denoiser(noisy, level, condition, valid)
        told = Condition.stacked(branches)
        estimates = self.denoiser(noisy.repeat(count, 1, 1), level, told, valid.repeat(count, 1)).chunk(count)
        guided = estimates[0]
        if acts:
            guided = guided + self.scale * (estimates[1] - estimates[0])
        if self.text_scale != 1.0:
            guided = guided + (self.text_scale - 1.0) * (estimates[0] - estimates[-1])
        return guided


@dataclass(frozen=True)
class Guidance:
    """How the style acts: times the difference to the plain estimate, gamma and block or None as trained, the gradient's pull.

    ``text`` is the text's scale, where there is one.
    """

    scale: float
    gamma: float | None
    block: int | None
    gradient: float
    text: float = 1.0


class StyleTransfer:
    """Gives motions another style, with the default model or one trained like it (rectified flow)."""

    def __init__(self, model: TextToMotion) -> None:
        if not isinstance(model, TextToMotion) or not isinstance(model.schedule, FlowSchedule):
            raise RequestError("style transfer needs the default model, or weights that 'motifmix train' wrote")
        self.model = model

    def transfer(
        self,
        motions: Sequence[Motion],
        styles: Sequence[StyleLike],
        texts: Sequence[str | None] | None = None,
        *,
        strength: float = 1.0,
        keep: Kept = Kept(),
        skeleton: str = "motifmix",
        steps: int = STEPS,
        depth: float = DEPTH,
        style_scale: float | Sequence[float] = STYLE_SCALE,
        text_scale: float = 1.0,
        gamma: float | None = None,
        block: int | None = None,
        gradient: float = 0.0,
        clean_feet: bool = True,
    ) -> list[Motion]:
        """Return each motion in its style, where it stood and at its own frame rate and number of frames.

        ``motions`` have any skeleton of a person; ``texts`` say what happens in them, which helps where they are given.
        ``strength`` 0 to 2: 0 returns the content, 1 is usual. ``depth`` in (0, 1]: how far towards the noise the
        content is taken; more gives more style and keeps less. ``style_scale``, ``gamma``, ``block`` and ``gradient``:
        see :class:`pipelines.sampling.Sampling`. Of several scales, mildest first, each motion gets the first one in which
        the model's own style encoder plainly reads the style, or else the one that comes nearest to it. ``text_scale``
        above 1 holds on to what a text says, more than telling it does. ``skeleton``: ``motifmix`` or ``source``. Nothing
        is drawn at random: the same call gives the same motions. Raises ``RequestError`` for what cannot be met.
        """
        if len(motions) != len(styles) or (texts is not None and len(texts) != len(motions)):
            raise RequestError(f"{len(motions)} motions were given with {len(styles)} styles; give one a motion")
        _check_strength(strength)
        if skeleton not in ("motifmix", "source"):
            raise RequestError(f"the skeleton is motifmix or source; {skeleton!r} was asked")
        scales = (style_scale,) if isinstance(style_scale, (int, float)) else tuple(style_scale)
        if not scales:
            raise RequestError("style_scale is empty; give one scale, or several, mildest first")
        given = {"steps": steps, "depth": depth, "text_scale": text_scale, "gamma": gamma, "block": block}
        for name, value in [*given.items(), ("gradient", gradient), *(("style_scale", one) for one in scales)]:
            check(name, value)
        if not motions:
            return []
        # No style is no change, so that at strength 0 the text does not act either.
        held = 1.0 + min(strength, 1.0) * (text_scale - 1.0)
        ways = [
            Guidance(own, gamma, block, strength * gradient, held)
            for own in dict.fromkeys(strength * own for own in scales)
        ]
        said = [text.strip() if text else "" for text in texts or [None] * len(motions)]
        contents = [_Content.of(motion) for motion in motions]
        levels = [self.model.schedule.level(depth * (1.0 - k / steps)) for k in range(steps + 1)]
        with torch.no_grad():
            text, style, _ = self.model.vectors(said, list(styles))
            results = []
            for place, (source, content) in enumerate(zip(motions, contents, strict=True)):
                told = text[place : place + 1] if said[place] else None
                wanted = style[place : place + 1]
                made = (
                    content.placed(self._finished(features, content.motion, keep, clean_feet))
                    for features in self._styled(content.motion, wanted, told, ways, levels)
                )
                result = self._mildest(made, wanted) if len(ways) > 1 else next(made)
                results.append(self._labelled(result, source, styles[place], skeleton))
        return results

    def variants(
        self,
        motion: Motion,
        style: StyleLike,
        text: str | None = None,
        *,
        depths: Sequence[float],
        scales: Sequence[float],
        strength: float = 1.0,
        keep: Kept = Kept(),
        steps: int = STEPS,
        text_scale: float = 1.0,
        clean_feet: bool = True,
    ) -> list[Motion]:
        """Return a motion in its style as :meth:`transfer` gives it at each of ``depths``, with each of ``scales`` there.

        The content is taken back once, ``steps`` to the deepest, and comes forth from the step that is nearest to a depth, with
        all scales in one batch. Raises ``RequestError`` as ``transfer`` does.
        """
        _check_strength(strength)
        for name, value in [*(("depth", one) for one in depths), *(("style_scale", one) for one in scales)]:
            check(name, value)
        content, said = _Content.of(motion), text.strip() if text else ""
        held = 1.0 + min(strength, 1.0) * (text_scale - 1.0)
        ways = [Guidance(strength * scale, None, None, 0.0, held) for scale in scales]
        deepest = max(depths)
        levels = [self.model.schedule.level(deepest * (1.0 - k / steps)) for k in range(steps + 1)]
        begun = [steps - max(1, round(steps * depth / deepest)) for depth in depths]
        with torch.no_grad():
            words, wanted, _ = self.model.vectors([said], [style])
            made = self._together(content.motion, wanted, words if said else None, ways, levels, begun)
        return [self._result(features, content, motion, style, keep, clean_feet) for features in made]

    def _result(
        self, features: np.ndarray, content: "_Content", source: Motion, style: StyleLike, keep: Kept, clean_feet: bool
    ) -> Motion:
        return self._labelled(content.placed(self._finished(features, content.motion, keep, clean_feet)), source, style)

    def _labelled(self, result: Motion, source: Motion, style: StyleLike, skeleton: str = "motifmix") -> Motion:
        """Bring what was made to its source's clock and, if asked, skeleton; say what it is and whose."""
        result = result.resampled(source.fps).cropped(0, source.frames)
        if skeleton == "source":
            result = _returned(result, source)
        labels = {"style": style_name(style), "licence": self.model.terms(style)}
        credit = [str(source.labels["credit"])] if source.labels.get("credit") else []
        return replace(result, labels={**source.labels, **labels}).with_labels(
            credit=together([*credit, *self.model.credit])
        )

    def _together(
        self, content: Motion, style: Tensor, text: Tensor | None, ways: Sequence[Guidance], levels: list[NoiseLevel],
        begun: Sequence[int],
    ) -> list[np.ndarray]:  # fmt: skip
        """Return what :meth:`_styled` yields for ways that differ in scale alone, brought forth from each of the levels ``begun``."""
        count, made = len(ways), []
        plain, goal, back, reached, tokens, remainder, frames = self._taken_back(content, style, text, ways[0], levels)
        scales = torch.tensor([own.scale for own in ways])[:, None, None]
        forth = Between(back, Condition.stacked([goal] * count), scales, ways[0].text if text is not None else 1.0)
        condition, valid = Condition.stacked([plain] * count), tokens.repeat(count, 1)
        for level in begun:
            noisy = reached[level].repeat(count, 1, 1)
            for step in sample_along(forth, levels[level:], noisy, condition, valid):
                noisy = step.noisy
            styled = self.model.vae.decode(noisy * self.model.latent_std + self.model.latent_mean) + remainder
            made += [self.model.features_in_units(own, frames) for own in styled]
        return made

    def _styled(
        self, content: Motion, style: Tensor, text: Tensor | None, ways: Sequence[Guidance], levels: list[NoiseLevel]
    ) -> Iterator[np.ndarray]:
        """Yield features ``[T, 269]`` of the content in the style, in the units of the space, guided each way in turn.

        The content is taken back once; ways differ in how they come forth.
        """
        model = self.model
        plain, _, _, reached, tokens, remainder, frames = self._taken_back(content, style, text, ways[0], levels)
        for guidance in ways:
            _, _, forth, _ = self._ways(style, self._spoken(text), guidance, tokens)
            noisy = reached[0]
            for step in sample_along(forth, levels, noisy, plain, tokens):
                noisy = step.noisy
            styled = model.vae.decode(noisy * model.latent_std + model.latent_mean) + remainder
            yield model.features_in_units(styled[0], frames)

    def _spoken(self, text: Tensor | None) -> Part:
        value = torch.zeros(1, len(self.model.text_mean)) if text is None else text
        return Part(value, torch.tensor([text is not None]))

    def _taken_back(
        self, content: Motion, style: Tensor, text: Tensor | None, guidance: Guidance, levels: list[NoiseLevel]
    ) -> tuple[Condition, Condition, Denoiser, list[Tensor], Tensor, Tensor, int]:
        """Take a content back towards noise.

        Returns what the way forth is told without a style and with it, the denoiser of the way back, the latents [1, L, D] that
        are reached at each of ``levels``, which of them are real [1, L], what the autoencoder loses [1, T, F], and the number of frames.
        """
        model = self.model
        features, valid, frames = model.network_features(content)
        latents, _ = model.vae.encode(features, valid)
        remainder = features - model.vae.decode(latents)
        clean = (latents - model.latent_mean) / model.latent_std
        tokens = torch.ones(clean.shape[:2], dtype=torch.bool)
        back, plain, _, goal = self._ways(style, self._spoken(text), guidance, tokens)
        reached = [clean, *(step.noisy for step in invert_by_fixed_point(back, levels, clean, plain, tokens))][::-1]
        return plain, goal, back, reached, tokens, remainder, frames

    def _mildest(self, made: Iterable[Motion], style: Tensor) -> Motion:
        """Return the first motion in which the style is read, or else the one that comes nearest."""
        tried: list[tuple[float, Motion]] = []
        for motion in made:
            tried.append((self.distance(motion, style), motion))
            if tried[-1][0] < MET:
                break
        return min(tried, key=lambda own: own[0])[1]

    def distance(self, motion: Motion, style: Tensor) -> float:
        """Return 1 - cosine between what the model's style encoder reads of a motion and a style vector [1, style]."""
        features, valid, _ = self.model.network_features(_Content.of(motion).motion)
        latents, _ = self.model.vae.encode(features, valid)
        clean = (latents - self.model.latent_mean) / self.model.latent_std
        read = self.model.style_of(clean, valid=torch.ones(clean.shape[:2], dtype=torch.bool))
        return 1.0 - float(cosine_similarity(read, style[:, : read.shape[-1]], dim=-1))

    def _ways(
        self, style: Tensor, spoken: Part, guidance: Guidance, tokens: Tensor
    ) -> tuple[Denoiser, Condition, Denoiser, Condition]:
        """Return the denoiser of the way back, what both are told, the denoiser of the way forth, and the goal that it has."""
        denoiser, here = self.model.denoiser, torch.ones(1, dtype=torch.bool)
        plain = Condition({"text": spoken, "style": Part(style, ~here)})
        goal = Condition({"text": spoken, "style": Part(style, here)})
        if guidance.block is not None:
            denoiser = denoiser.fused_after(guidance.block)
        if guidance.gamma is not None:
            denoiser = denoiser.of_one_strength()
            share = {"strength": Part(torch.full((1,), guidance.gamma / denoiser.gamma), here)}
            plain, goal = (Condition({**own.parts, **share}) for own in (plain, goal))
        windowed = Windowed(denoiser, WINDOW, OVERLAP)
        held = guidance.text if bool(spoken.present.all()) else 1.0
        guided: Denoiser = Between(windowed, goal, guidance.scale, held)
        if guidance.gradient > 0:
            wanted, amount = style[:, : denoiser.project.in_features], torch.full((1,), guidance.gradient)
            guided = Guided(guided, [StylePull(partial(self.model.style_of, valid=tokens), wanted, amount, tokens)])
        return windowed, plain, guided, goal

    def _finished(self, features: np.ndarray, content: Motion, keep: Kept, clean_feet: bool) -> Motion:
        space = self.model.space
        if keep.path:
            own = space.encode(content)
            for name in ("yaw_speed", "root_velocity"):
                features[:, space.blocks[name]] = own[:, space.blocks[name]]
        motion = space.decode(features)
        path = motion.root[:, [0, 2]].copy()
        motion = cleaned_feet(motion) if clean_feet else motion
        if keep.path:
            root = motion.root.copy()
            root[:, [0, 2]] = path
            motion = replace(motion, root=root)
        if keep.contacts:
            motion = planted(motion, foot_contacts(content)[:, [1, 3]] > 0.5)
        return motion


def _check_strength(strength: float) -> None:
    if not 0.0 <= strength <= 2.0:
        raise RequestError(f"a style strength of {strength:g} is out of range; give 0 to 2, 1 is usual")


@dataclass(frozen=True)
class _Content:
    """A motion on the motifmix skeleton at 20 fps, standing on the floor at y = 0, and where that floor was."""

    motion: Motion
    floor: float

    @classmethod
    def of(cls, source: Motion) -> "_Content":
        """Raises ``RequestError`` for what is too short or no person."""
        if source.seconds < SHORTEST_SECONDS or source.frames < SHORTEST_FRAMES:
            raise RequestError(
                f"this motion has {source.frames} frames ({source.seconds:.2g} s); no style shows in less than "
                f"{SHORTEST_SECONDS:g} s and {SHORTEST_FRAMES} frames"
            )
        if is_animal(source):
            raise RequestError(
                "this motion goes on four legs and has an animal's limbs or joints (such as a tail); give a person's"
            )
        try:
            carried = source if source.skeleton.same_as(MOTIFMIX) else retarget(source)[0]
        except ValueError as error:
            raise RequestError(f"a style cannot be given to this motion: {error}") from error
        beyond = int(np.ceil(carried.fps / FPS))  # a frame more of 20 fps, so that the clock reaches past the end
        held = np.minimum(np.arange(carried.frames + beyond), carried.frames - 1)
        motion = Motion(MOTIFMIX, carried.rotations[held], carried.root[held], carried.fps).resampled(FPS)
        floor = floor_height(motion)
        return cls(motion.moved(np.array([0.0, -floor, 0.0])), floor)

    def placed(self, result: Motion) -> Motion:
        """Put a result that starts at the origin, facing +Z, where the content stood."""
        result = result.turned(float(heading(self.motion.joints)[0]))
        start = self.motion.root[0] - result.root[0]
        return result.moved(np.array([start[0], self.floor, start[2]]))


def _returned(result: Motion, source: Motion) -> Motion:
    """Carry a result to the skeleton of its source; fingers and what else we have no joint for move as they did."""
    canonical = canonical_rotations(source.skeleton, source)
    carried, _ = retarget(result, source.skeleton, target_canonical=canonical)
    rotations, roles = carried.rotations.copy(), set(find_joints(source.skeleton).values())
    for joint in reversed(range(len(source.skeleton))):
        if joint not in roles and not _below(source.skeleton.children, joint) & roles:
            rotations[:, joint] = source.rotations[:, joint]
    return replace(carried, rotations=rotations)


def _below(children: Sequence[Sequence[int]], joint: int) -> set[int]:
    return {deeper for child in children[joint] for deeper in (child, *_below(children, child))}
