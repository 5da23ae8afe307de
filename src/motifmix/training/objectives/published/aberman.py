"""Losses of "Unpaired Motion Style Transfer from Video to Animation" (Aberman et al., SIGGRAPH 2020).

One iteration is a discriminator step and then a generator step on a batch that gives the content and one that gives the
style, drawn independently. The content is decoded with three styles: *translated* with the other batch's, *own* with
its own, and *same* with that of another clip of its own label. Even iterations read 3D styles, odd ones 2D styles; what
is judged and reconstructed is always 3D. The recipe: RMSprop, learning rate, weight decay and eps 1e-4 each.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from math import radians

import torch
from torch import Tensor, nn

from motifmix.models.aberman import AbermanDiscriminator, AbermanGenerator, discriminator_input
from motifmix.quirks import Quirk

TRIPLET_PER_CHANNEL = Quirk(
    "triplet_per_channel",
    "Aberman et al.: the triplet distance runs over an axis of length 1, so that the margin acts on every channel of a "
    "style code by itself; its published weights were trained so",
)
GLOBAL_CHANNELS = 4  # root x, y, z and heading, last in content and 3D style arrays
_TRIPLET_EPSILON = 1e-6


@dataclass(frozen=True)
class AbermanWeights:
    """How much each loss counts; the defaults are the published values."""

    adversarial: float = 1.0
    reconstruction: float = 1.0
    rotation_reconstruction: float = 1.0
    feature_matching: float = 0.5
    quaternion_unit: float = 0.1
    joint_embedding: float = 0.3
    triplet: float = 0.3
    twist: float = 1.0


@dataclass(frozen=True)
class AbermanSettings:
    """Numbers of the objective, published values by default.

    ``twist_limit`` in degrees; ``translation_share`` is what the translated motions count beside the reconstructed ones.
    """

    weights: AbermanWeights = field(default_factory=AbermanWeights)
    use_rotation_reconstruction: bool = True
    twist_limit: float = 100.0
    translation_share: float = 0.5
    triplet_margin: float = 5.0
    gradient_penalty: float = 10.0
    quirks: Collection[Quirk] = ()


@dataclass(frozen=True)
class StyleClips:
    """A batch of clips as styles: ``style3d`` [B, 3 (kept - 1) + 4, T] and ``style2d`` [B, 2 kept, T], normalised."""

    style3d: Tensor
    style2d: Tensor

    def __getitem__(self, dimensions: int) -> Tensor:
        return self.style3d if dimensions == 3 else self.style2d


@dataclass(frozen=True)
class StyleBatch:
    """Clips that give the style: their ``clips``, raw 3D channels (not normalised) and ``label`` [B] (int64)."""

    clips: StyleClips
    raw3d: Tensor
    label: Tensor


@dataclass(frozen=True)
class ContentBatch(StyleBatch):
    """Clips that give the content, [B, 4 J + 4, T] normalised and raw, with a clip of the same and of another label."""

    content: Tensor
    content_raw: Tensor
    same: StyleClips
    other: StyleClips


@dataclass(frozen=True)
class Decoded:
    """A generated motion: quaternions [B, 4 J, T] and positions with the content's root and heading [B, C, T]."""

    rotations: Tensor
    motion: Tensor


class AbermanObjective:
    """Both steps of one iteration. Nothing is updated here; call ``backward`` on a step's ``total``."""

    def __init__(
        self, generator: AbermanGenerator, discriminator: AbermanDiscriminator, settings: AbermanSettings | None = None
    ) -> None:
        self.generator = generator
        self.discriminator = discriminator
        self.settings = settings or AbermanSettings()

    def discriminator_step(self, content: ContentBatch, style: StyleBatch, iteration: int) -> dict[str, Tensor]:
        """Return ``total``, its parts and accuracies; the penalty is named without its weight."""
        dimensions = 3 if iteration % 2 == 0 else 2
        with torch.no_grad():
            code = self.generator.content_encoder(content.content)
            translated, own = (
                self._decoded(code, self._style_code(clips, dimensions), content)
                for clips in (style.clips, content.clips)
            )
        shown = discriminator_input(style.raw3d).requires_grad_()
        real, _ = self.discriminator(shown, style.label)
        (slope,) = torch.autograd.grad(real.mean(), shown, create_graph=True)
        penalty = slope.square().sum() / len(shown)
        fakes = [self._judged(own.motion, content.label)[0], self._judged(translated.motion, style.label)[0]]
        of_real = (1.0 - real).relu().mean()
        of_fakes = _mean([(1.0 + fake).relu().mean() for fake in fakes])
        adversarial = of_fakes + of_real
        accuracy_real = (real >= 0).float().mean()
        accuracy_fake = _mean([(fake < 0).float().mean() for fake in fakes])
        settings = self.settings
        return {
            "total": settings.weights.adversarial * adversarial + settings.gradient_penalty * penalty,
            "adversarial": adversarial,
            "adversarial_real": of_real,
            "adversarial_fake": of_fakes,
            "gradient_penalty": penalty,
            "accuracy": (accuracy_real + accuracy_fake) / 2,
            "accuracy_real": accuracy_real,
            "accuracy_fake": accuracy_fake,
        }

    def generator_step(self, content: ContentBatch, style: StyleBatch, iteration: int) -> dict[str, Tensor]:
        """Return ``total``, its parts and accuracies."""
        weights = self.settings.weights
        dimensions, elsewhere = (3, 2) if iteration % 2 == 0 else (2, 3)
        own_code = self._style_code(content.clips, dimensions)
        same_code = self._style_code(content.same, dimensions)
        code = self.generator.content_encoder(content.content)
        translated = self._decoded(code, self._style_code(style.clips, dimensions), content)
        own, same = (self._decoded(code, style_code, content) for style_code in (own_code, same_code))
        losses = self._reconstruction(own, same, content) | self._judgement(translated, own, same, content, style)
        losses |= {
            "quaternion_unit": self._mixed(*(_off_unit(made.rotations) for made in (translated, own, same))),
            "twist": self._mixed(*(self._twist(made.rotations) for made in (translated, own, same))),
            "triplet": self._triplet(own_code, same_code, self._style_code(content.other, dimensions)),
            "joint_embedding": (self._style_code(content.clips, elsewhere) - own_code).square().mean(),
        }
        counted = [getattr(weights, term.name) * losses[term.name] for term in fields(weights) if term.name in losses]
        return {"total": torch.stack(counted).sum(), **losses}

    def _reconstruction(self, own: Decoded, same: Decoded, content: ContentBatch) -> dict[str, Tensor]:
        """Positions and, where wanted, quaternions against the content clip's, in raw units."""
        wanted = content.raw3d[:, :-GLOBAL_CHANNELS]
        of_own, of_same = (_l1(made.motion[:, :-GLOBAL_CHANNELS], wanted) for made in (own, same))
        losses = {
            "reconstruction": (of_own + of_same) / 2,
            "reconstruction_own_style": of_own,
            "reconstruction_same_label_style": of_same,
        }
        if self.settings.use_rotation_reconstruction:
            turned = content.content_raw[:, :-GLOBAL_CHANNELS]
            losses["rotation_reconstruction"] = _mean([_l1(made.rotations, turned) for made in (own, same)])
        return losses

    def _judgement(
        self, translated: Decoded, own: Decoded, same: Decoded, content: ContentBatch, style: StyleBatch
    ) -> dict[str, Tensor]:
        """What the discriminator says of the generated motions, and how its features fit the real ones."""
        response, features = zip(
            self._judged(translated.motion, style.label),
            self._judged(own.motion, content.label),
            self._judged(same.motion, content.label),
            strict=True,
        )
        with torch.no_grad():
            of_style = self._judged(style.raw3d, style.label)[1].mean(dim=-1)
            of_content = self._judged(content.raw3d, content.label)[1].mean(dim=-1)
        matched = [
            _l1(found.mean(dim=-1), real)
            for found, real in zip(features, (of_style, of_content, of_content), strict=True)
        ]
        accuracy = [(one >= 0).float().mean() for one in response]
        return {
            "adversarial": self._mixed(*(-one.mean() for one in response)),
            "feature_matching": self._mixed(*matched),
            "feature_matching_translated": matched[0],
            "feature_matching_own_style": matched[1],
            "feature_matching_same_label_style": matched[2],
            "accuracy": self._mixed(*accuracy),
            "accuracy_translated": accuracy[0],
            "accuracy_reconstructed": (accuracy[1] + accuracy[2]) / 2,
        }

    def _triplet(self, anchor: Tensor, same: Tensor, other: Tensor) -> Tensor:
        near, far = (anchor - same + _TRIPLET_EPSILON, anchor - other + _TRIPLET_EPSILON)  # [B, S]
        if TRIPLET_PER_CHANNEL in self.settings.quirks:
            near, far = near.abs(), far.abs()
        else:
            near, far = near.norm(dim=-1), far.norm(dim=-1)
        return (near - far + self.settings.triplet_margin).relu().mean()

    def _twist(self, rotations: Tensor) -> Tensor:
        """Squared excess of every joint's turn about its own bone over the limit; the root is left out."""
        quaternions = rotations.unflatten(1, (-1, 4))[:, 1:]  # [B, J - 1, 4, T]
        w, x, y, z = nn.functional.normalize(quaternions, dim=2, eps=1e-10).unbind(dim=2)
        angle = torch.atan2(2.0 * (y * w - x * z), x.square() - y.square() - z.square() + w.square())
        return (angle.abs() - radians(self.settings.twist_limit)).relu().square().mean()

    def _mixed(self, translated: Tensor, own: Tensor, same: Tensor) -> Tensor:
        share = self.settings.translation_share
        return share * translated + (1.0 - share) * (own + same) / 2

    def _style_code(self, clips: StyleClips, dimensions: int) -> Tensor:
        encoder = self.generator.style_encoder_3d if dimensions == 3 else self.generator.style_encoder_2d
        return encoder(clips[dimensions])

    def _decoded(self, code: Tensor, style_code: Tensor, content: ContentBatch) -> Decoded:
        rotations = self.generator.decode(code, style_code)
        globals_ = content.raw3d[:, -GLOBAL_CHANNELS:]
        return Decoded(rotations, torch.cat([self.generator.positions(rotations), globals_], dim=1))

    def _judged(self, motion: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        return self.discriminator(discriminator_input(motion), label)


def _off_unit(rotations: Tensor) -> Tensor:
    return (rotations.unflatten(1, (-1, 4)).norm(dim=2) - 1.0).square().mean()


def _l1(found: Tensor, wanted: Tensor) -> Tensor:
    return (found - wanted).abs().mean()


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()
