"""The projection pi of StyleMotif: from an encoder's texts to the style vectors of motions, by contrast.

L = -1/2 mean over pairs (i, j) of one style of [log softmax_k(t_i . s_k / tau)_j + log softmax_k(t_k . s_j / tau)_i], with
t and s of unit length: the paper's loss with both directions inside the bracket (printed, the minus sign and the half
stand before the first alone). Ours besides: noise on the texts' embeddings, because other senses' lie beside them, and
an agreement term, which brings pi's result to the motions where the contrast alone only turns it to them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import normalize

from motifmix.style.aligned import BANK, PROJECTION, nearest, projected
from motifmix.style.stylemotif import StyleProjection
from motifmix.training.contrast import both_ways
from motifmix.training.motion_styles import MotionStyles


class JointAlignOptions(BaseModel):
    """``noise`` is the length of what is added to a text's unit vector; ``agreement`` the weight of that term."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 256
    noise: float = 0.5
    temperature: float = 0.07
    agreement: float = 1.0


class JointAlignObjective:
    """Pairs of (style phrase, style motion), the encoder and the style encoder frozen: only pi learns."""

    def __init__(
        self,
        motions: MotionStyles,
        spoken: Mapping[str, Tensor],
        held_out: Mapping[str, Mapping[str, Tensor]],
        about: Mapping[str, Any],
        options: Mapping[str, Any],
        seed: int,
    ) -> None:
        """``spoken``: training phrases' unit vectors ``[n, width]`` by style; ``held_out``: others', kind -> style.

        ``about``: fields of the card that this objective does not know.
        """
        self.options = JointAlignOptions.model_validate(dict(options))
        self.motions, self.held_out, self.about = motions, held_out, dict(about)
        self.spoken = [spoken[style] for style in motions.styles]
        self.rows = [torch.nonzero(motions.owners == number)[:, 0] for number in range(len(motions.styles))]
        torch.manual_seed(seed)
        projection = StyleProjection(self.spoken[0].shape[1], motions.vectors.shape[1])
        self.modules = nn.ModuleDict({"projection": projection})

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch, every style equally often."""
        o = self.options
        drawn = rng.integers(len(self.spoken), size=o.batch)
        text = torch.stack([self.spoken[n][int(rng.integers(len(self.spoken[n])))] for n in drawn])
        motion = self.motions.vectors[[int(self.rows[n][int(rng.integers(len(self.rows[n])))]) for n in drawn]]
        text = text + o.noise * torch.randn(text.shape, generator=generator) / text.shape[1] ** 0.5
        device = next(self.modules.parameters()).device
        spoken = projected(self.modules["projection"], text.to(device))
        t, s = normalize(spoken, dim=-1), normalize(motion.to(device), dim=-1)
        logits = t @ s.T / o.temperature
        label = torch.from_numpy(drawn).to(device)
        contrast = both_ways(logits, label)
        agreement = (1.0 - (t * s).sum(dim=-1)).mean()
        return contrast + o.agreement * agreement, {
            "contrast": float(contrast.detach()),
            "agreement": float(agreement.detach()),
        }

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Write how often a trained phrase is retrieved as its own style."""
        found = self.figures(modules, {style: own for style, own in zip(self.motions.styles, self.spoken, strict=True)})
        (folder / "trained_phrases.txt").write_text(f"{found['retrieval']:.3f} of trained phrases retrieved\n", "utf-8")

    @torch.no_grad()
    def figures(self, modules: nn.ModuleDict, phrases: Mapping[str, Tensor]) -> dict[str, float]:
        """Return, for both ways of use, how often phrases get a style vector of their own style, and how like it is.

        ``retrieval``: the style of the nearest motion is the phrase's. ``projection``: the projected vector is nearest to
        that style's mean. ``likeness_*``: cosine between the vector that is used and that mean.
        """
        owners = torch.cat([torch.full((len(phrases[s]),), n) for n, s in enumerate(self.motions.styles)])
        made = projected(modules["projection"].cpu(), torch.cat([phrases[style] for style in self.motions.styles]))
        prototypes = self.motions.prototypes
        row, _ = nearest(made, self.motions.vectors)
        own, _ = nearest(made, prototypes)
        used, means = normalize(self.motions.vectors[row], dim=-1), normalize(prototypes, dim=-1)[owners]
        return {
            "phrases": len(owners),
            "retrieval": float((self.motions.owners[row] == owners).float().mean()),
            "projection": float((own == owners).float().mean()),
            "likeness_retrieval": float((used * means).sum(dim=-1).mean()),
            "likeness_projection": float((normalize(made, dim=-1) * means).sum(dim=-1).mean()),
        }

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the bank, then the projection, by which a folder is known to be whole."""
        from motifmix.pretrained.cards import write_weights

        numbers = {kind: self.figures(modules, phrases) for kind, phrases in self.held_out.items()}
        state = modules["projection"].state_dict()
        width, inputs = state["weight"].shape
        common = {
            "role": "generate", "space": self.motions.card.space, "credit": list(self.motions.card.credit),
            "data": list(self.motions.data), "recipe": facts["recipe"], "commit": facts["commit"],
        }  # fmt: skip
        rows = {"vectors": self.motions.vectors, "owners": self.motions.owners.to(torch.int32)}
        bank = write_weights(
            folder, BANK, rows, name=BANK, architecture="StyleBank", sizes={}, licence=self.motions.card.licence,
            extra={"styles": list(self.motions.styles)}, **common,
        )  # fmt: skip
        about = {
            **self.about["extra"],
            "style_encoder": self.motions.card.sha256,
            "bank": bank.sha256,
        }
        write_weights(
            folder, PROJECTION, state, name=PROJECTION, architecture="StyleProjection",
            sizes={"inputs": inputs, "width": width}, numbers=numbers, extra=about,
            licence=f"{self.motions.card.licence}; {self.about['licence']}", **common,
        )  # fmt: skip
