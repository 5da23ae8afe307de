"""MDM in both of its forms, converted: texts in, motions of one person out."""

from collections.abc import Iterator, Sequence

from torch import Tensor

from motifmix.diffusion.denoiser import Guided, Step
from motifmix.encoders.tiny import Kind
from motifmix.models.mdm import MDM
from motifmix.pipelines.published.generator import Asked, PublishedGenerator, told


class MDMGenerator(PublishedGenerator):
    """One text, one person."""

    @property
    def denoiser(self) -> MDM:
        """The network."""
        denoiser = self.parts["denoiser"]
        assert isinstance(denoiser, MDM)
        return denoiser

    @property
    def text_form(self) -> tuple[Kind, int]:
        """One vector a text."""
        return "embedding", self.denoiser.text.in_features

    def walk(self, asked: Sequence[Asked], steps: int | None, strength: float) -> Iterator[Step]:
        """Denoise frames with classifier-free guidance."""
        denoiser = self.denoiser
        texts = self.text_encoder.encode([one.text for one in asked]).values[:, 0]
        guided = Guided(denoiser.denoise, [("text", self.options["guidance_scale"])])
        return self.along(guided, steps, asked, denoiser.features, told(text=texts))

    def features(self, last: Step, frames: int) -> Tensor:
        """Restore what the last step gave."""
        return self.restored(last.noisy if self.schedule.sampler == "ancestral" else last.clean)[:, None]
