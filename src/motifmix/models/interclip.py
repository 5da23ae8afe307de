"""InterCLIP, the evaluation model of two-person generation (InterGen, Liang et al., IJCV 2024; ``InterCLIP``).

Texts and motions of two people in one space: both towers are post-norm transformers, one token of each is read, and the
embeddings have the length ``scale`` (learned). Features go in *un-normalised* (InterHuman's 262 numbers in metres), the
text as CLIP's token ids, whose embeddings and positions are frozen.
"""

import torch
from torch import Tensor, nn

from motifmix.features.interhuman import BLOCKS
from motifmix.models.layers.sinusoids import add_positions
from motifmix.models.layers.transformer import EncoderLayer

CONTACTS = BLOCKS["foot_contacts"].stop - BLOCKS["foot_contacts"].start  # the last features, which are left out
PEOPLE = 2


class InterCLIP(nn.Module):
    """The defaults are the published size: 150,767,873 parameters, 37,945,344 of them CLIP's token embedding."""

    def __init__(
        self,
        features: int = 262,
        width: int = 1024,
        feed_forward: int = 2048,
        layers: int = 8,
        heads: int = 8,
        text_width: int = 768,
        text_feed_forward: int = 2048,
        text_layers: int = 8,
        text_heads: int = 8,
        embedding: int = 512,
        vocabulary: int = 49408,
        context_length: int = 77,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.features = features
        self.query = nn.Parameter(torch.randn(1, width))
        self.input = nn.Linear(PEOPLE * (features - CONTACTS), width)
        self.motion_layers = nn.ModuleList(EncoderLayer(width, heads, feed_forward, dropout) for _ in range(layers))
        self.motion_norm = nn.LayerNorm(width)
        self.motion_output = nn.Linear(width, embedding)
        self.token_embedding = nn.Embedding(vocabulary, text_width)
        self.token_positions = nn.Parameter(torch.randn(context_length, text_width) * 0.01)
        self.text_layers = nn.ModuleList(
            EncoderLayer(text_width, text_heads, text_feed_forward, dropout) for _ in range(text_layers)
        )
        self.text_norm = nn.LayerNorm(text_width)
        self.text_output = nn.Linear(text_width, embedding)
        self.scale = nn.Parameter(torch.ones(1))

    def embed_motions(self, first: Tensor, second: Tensor, valid_mask: Tensor) -> Tensor:
        """Two people's features [B, T, F] each, ``valid_mask`` [B, T], to embeddings [B, E]."""
        pair = torch.cat([first[..., :-CONTACTS], second[..., :-CONTACTS]], dim=-1)
        query = self.query.expand(len(pair), 1, -1)
        x = add_positions(torch.cat([query, self.input(pair)], dim=1))  # [B, 1 + T, D]
        valid = nn.functional.pad(valid_mask, (1, 0), value=True)
        for layer in self.motion_layers:
            x = layer(x, valid)
        return self._scaled(self.motion_output(self.motion_norm(x[:, 0])))

    def embed_texts(self, token_ids: Tensor) -> Tensor:
        """Token ids [B, L] to embeddings [B, E]; neither later tokens nor padding are hidden from a token."""
        x = self.token_embedding(token_ids) + self.token_positions[: token_ids.shape[1]]
        for layer in self.text_layers:
            x = layer(x)
        last = token_ids.argmax(dim=-1)  # the end of the text has the largest id
        return self._scaled(self.text_output(self.text_norm(x[torch.arange(len(x), device=x.device), last])))

    def forward(self, first: Tensor, second: Tensor, valid_mask: Tensor, token_ids: Tensor) -> tuple[Tensor, Tensor]:
        """Embed paired texts and motions: [B, E] of the texts, [B, E] of the motions."""
        return self.embed_texts(token_ids), self.embed_motions(first, second, valid_mask)

    def _scaled(self, x: Tensor) -> Tensor:
        return nn.functional.normalize(x, dim=-1) * self.scale
