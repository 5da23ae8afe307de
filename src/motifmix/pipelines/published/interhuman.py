"""InterGen and in2IN, converted: texts in, motions of two people, or of one by in2IN's individual model, out."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from motifmix.diffusion.denoiser import Difference, GuidanceTerm, Guided, Step
from motifmix.encoders.clip_text import ClipText
from motifmix.encoders.text_features import TextEncoder
from motifmix.encoders.tiny import Kind
from motifmix.errors import WeightsError
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.in2in import In2INIndividual, In2INInteraction, multi_condition_guidance
from motifmix.models.intergen import PEOPLE, InterGenDenoiser, TextHead
from motifmix.pipelines.published.generator import Asked, PublishedGenerator, told


class InterHumanGenerator(PublishedGenerator):
    """What models with InterGen's networks share: their checkpoints hold CLIP's tower, and heads that read its tokens."""

    @property
    def text_form(self) -> tuple[Kind, int]:
        """One vector a token."""
        return "tokens", self.head("text_head").norm.weight.numel()

    def head(self, part: str) -> TextHead:
        """Return a text head. Raises ``WeightsError`` where there is none."""
        head = self.parts.get(part)
        if not isinstance(head, TextHead):
            raise WeightsError(f"{self.card.published} holds no text head {part!r}; convert the model again")
        return head

    def encoder(self, part: str = "clip") -> TextEncoder:
        """Return the encoder made of a part of the checkpoint, or the one that the card names where there is none."""
        tower = self.parts.get(part, self.parts.get("clip"))
        return ClipText(tower, "tokens") if isinstance(tower, ClipTextTower) else self.text_encoder

    def read(self, texts: Sequence[str], head: str = "text_head", clip: str = "clip") -> Tensor:
        """Return what a head reads from texts, [B, text]."""
        found = self.encoder(clip).encode(texts)
        if found.ids is None:
            raise WeightsError(f"{self.card.published} reads tokens, which {self.card.text_encoder} does not give")
        return self.head(head)(found.values, found.ids)

    def read_people(self, asked: Sequence[Asked], head: str = "text_head", clip: str = "clip") -> Tensor:
        """Return what a head reads from each person's text, [B, people, text]."""
        flat = [text for one in asked for text in one.individual_texts]
        return self.read(flat, head, clip).unflatten(0, (len(asked), -1))

    def network(self) -> nn.Module:
        """Return the denoiser."""
        return self.parts["denoiser"]

    def features(self, last: Any, frames: int) -> Tensor:
        """Restore the last clean prediction, as the published loops hand it out."""
        return self.restored(last.clean.unflatten(-1, (self.people, -1)).transpose(1, 2))


class InterGenGenerator(InterHumanGenerator):
    """One text, two people."""

    people = PEOPLE

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise both people's frames with classifier-free guidance."""
        denoiser = self.network()
        assert isinstance(denoiser, InterGenDenoiser)
        guided = Guided(denoiser.denoise, [("text", self.options["guidance_scale"])])
        texts = self.read([one.text for one in asked])
        return self.along(guided, steps, asked, PEOPLE * denoiser.features, told(text=texts))


class In2INGenerator(InterHumanGenerator):
    """A text for the interaction and one a person, two people."""

    people = PEOPLE
    tells_people = True

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise both people's frames with multi-condition guidance."""
        denoiser, options = self.network(), self.options
        assert isinstance(denoiser, In2INInteraction)
        terms: list[GuidanceTerm] = list(
            multi_condition_guidance(
                options["guidance_scale"], options["guidance_scale_interaction"], options["guidance_scale_individual"]
            )
        )
        condition = told(text=self.read([one.text for one in asked]), individual_text=self.read_people(asked))
        return self.along(Guided(denoiser.denoise, terms), steps, asked, PEOPLE * denoiser.features, condition)


class IndividualGenerator(InterHumanGenerator):
    """in2IN's individual model: one text, one person."""

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise one person's frames with classifier-free guidance."""
        denoiser = self.network()
        assert isinstance(denoiser, In2INIndividual)
        guided = Guided(denoiser.denoise, [Difference(self.options["guidance_scale"], ("text",))])
        texts = self.read([one.text for one in asked])
        return self.along(guided, steps, asked, denoiser.features, told(text=texts))
