"""CLIP's text tower (Radford et al. 2021), as the models of motion use it: MLD and SMooDi take the projected pooled
feature of ViT-L/14, MDM that of ViT-B/32, InterGen and in2IN all token features of ViT-L/14@336px.

Token and position embeddings, causal pre-norm blocks with quick GELU, one layer norm over all tokens. Padding is not
masked: it stands after the end token, which sees nothing behind itself. The image tower is not here; nothing uses it.

ViT-L/14 and ViT-L/14@336px: width 768, 12 heads (the defaults; 123,650,305 parameters). ViT-B/32: 512, 8 heads, 512
(63,428,097). InterGen, in2IN and MixerMDM store the tower without its projection (``projection_dim`` None; 123,060,480).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from motifmix.models.layers.prenorm_block import PreNormBlock, quick_gelu


@dataclass(frozen=True)
class ClipTextFeatures:
    """What a text becomes.

    ``tokens`` ``[B, L, width]``: after the final norm, all positions, without projection (InterGen's features; MLD's
    "hidden"). ``pooled`` ``[B, width]``: the end token's. ``embedding`` ``[B, projection_dim]``: ``pooled``, projected.
    """

    tokens: Tensor
    pooled: Tensor
    embedding: Tensor


class ClipTextTower(nn.Module):
    """Token ids to features.

    ``end_token``: where to pool. None takes the first largest id (the authors' package, and every published
    configuration of the transformers library, whose ``eos_token_id`` is 2); an id takes its first occurrence (later
    configurations of that library). Both agree on tokenised text.
    """

    def __init__(
        self,
        vocabulary: int = 49408,
        context_length: int = 77,
        width: int = 768,
        layers: int = 12,
        heads: int = 12,
        projection_dim: int | None = 768,
        feed_forward: int | None = None,
        end_token: int | None = None,
        epsilon: float = 1e-5,
    ) -> None:
        super().__init__()
        self.width = width
        self.projection_dim = projection_dim
        self.end_token = end_token
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(torch.randn(context_length, width) * 0.01)
        self.blocks = nn.ModuleList(
            PreNormBlock(width, heads, feed_forward or 4 * width, epsilon, quick_gelu, causal=True)
            for _ in range(layers)
        )
        self.final_norm = nn.LayerNorm(width, eps=epsilon)
        self.projection = nn.Identity()
        if projection_dim is not None:
            self.projection = nn.Linear(width, projection_dim, bias=False)
            # Scales the comparison with images. No text feature depends on it; kept so that a file is read whole.
            self.logit_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    @property
    def context_length(self) -> int:
        """The largest number of tokens."""
        return len(self.positions)

    def hidden_states(self, ids: Tensor) -> list[Tensor]:
        """Return the embeddings of token ids ``[B, L]`` and what each block makes of them, ``[B, L, width]`` each."""
        states = [self.token_embedding(ids) + self.positions[: ids.shape[1]]]
        for block in self.blocks:
            states.append(block(states[-1]))
        return states

    def pooled_positions(self, ids: Tensor) -> Tensor:
        """Return where the end token stands, ``[B]``."""
        return ids.argmax(-1) if self.end_token is None else (ids == self.end_token).int().argmax(-1)

    def forward(self, ids: Tensor) -> ClipTextFeatures:
        """Encode token ids ``[B, L]``, L up to the context length (shorter is faster and pools to the same)."""
        if ids.shape[1] > self.context_length:
            raise ValueError(f"{ids.shape[1]} tokens do not fit a context of {self.context_length}")
        x = self.token_embedding(ids) + self.positions[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        tokens = self.final_norm(x)  # [B, L, width]
        pooled = tokens[torch.arange(len(ids), device=ids.device), self.pooled_positions(ids)]  # [B, width]
        return ClipTextFeatures(tokens, pooled, self.projection(pooled))
