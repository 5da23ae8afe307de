"""MDM (HumanML3D form) as a reader of the paper would write it."""

import torch
from torch import Tensor, nn

from .transformers import Sinusoids, TimestepEmbedder

SIZES = {"width": 512, "feed_forward": 1024, "layers": 8, "heads": 4}


class InputProcess(nn.Module):
    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.poseEmbedding = nn.Linear(features, width)


class OutputProcess(nn.Module):
    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.poseFinal = nn.Linear(width, features)


class MDM(nn.Module):
    """Predicts clean features [B, T, F]."""

    def __init__(
        self, width: int, feed_forward: int, layers: int, heads: int, features: int = 263, text: int = 512
    ) -> None:
        super().__init__()
        self.sequence_pos_encoder = Sinusoids(width)
        self.embed_timestep = TimestepEmbedder(width, self.sequence_pos_encoder)
        self.embed_text = nn.Linear(text, width)
        self.input_process, self.output_process = InputProcess(features, width), OutputProcess(features, width)
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, 0.1, "gelu", batch_first=True)
        self.seqTransEncoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, x: Tensor, timesteps: Tensor, text: Tensor) -> Tensor:
        told = self.embed_timestep(timesteps) + self.embed_text(text)
        x = torch.cat([told[:, None], self.input_process.poseEmbedding(x)], dim=1)
        x = self.seqTransEncoder(self.sequence_pos_encoder(x))
        return self.output_process.poseFinal(x[:, 1:])

    def guided(self, x: Tensor, timesteps: Tensor, text: Tensor, scale: float = 2.5) -> Tensor:
        without = self(x, timesteps, torch.zeros_like(text))
        return without + scale * (self(x, timesteps, text) - without)
