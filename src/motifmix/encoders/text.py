"""Sentences as vectors: MiniLM (all-MiniLM-L6-v2), a BERT of 6 layers whose 8-bit weights travel in the package.

Post-norm transformer, hidden 384, 12 heads of 32, feed-forward 1536, exact GELU, LayerNorm epsilon 1e-12, learned
positions. A sentence is the mean of its tokens' last hidden states, L2-normalised; at most 256 tokens are read.

Matrices are stored as int8 with one scale for every 96 numbers of a row: one scale a row let the empty sentence fall to
a cosine of 0.996 with the original, this keeps all above 0.999. ``scripts/build_minilm.py`` makes the file and measures
it (``weights/minilm/card.yaml``). The word table stays int8 in memory, the rest is float32 once loaded.
Only tokenizers, safetensors and torch are needed; nothing is downloaded.
"""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
import yaml
from safetensors.torch import load
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from motifmix.errors import WeightsError

WIDTH = 384
LAYERS = 6
HEADS = 12
EPSILON = 1e-12
MAX_TOKENS = 256

FOLDER = Path(__file__).parents[1] / "weights" / "minilm"
GROUP = 96  # neighbours in a row that share a scale
SCALE = ".scale"  # suffix of the name of a matrix's scales [rows, columns / GROUP]


class MiniLM:
    """The text encoder; nothing is read from disk before the first text.

    Raises:
        WeightsError: a file is missing or is not the one that the card describes.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    def encode(self, texts: Sequence[str], batch_size: int = 64) -> Tensor:
        """Return one unit vector a text, float32 ``[N, 384]``, in the order given.

        Equal texts are computed once and texts of like length together, so thousands of captions are fast.
        """
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return torch.zeros(0, WIDTH)
        order = sorted(range(len(distinct)), key=lambda i: len(distinct[i]))
        vectors = torch.empty(len(distinct), WIDTH)
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            states, valid_mask = self.tokens([distinct[i] for i in batch])
            weight = valid_mask.unsqueeze(-1).float()  # [N, L, 1]
            vectors[batch] = functional.normalize((states * weight).sum(1) / weight.sum(1), dim=-1)
        row = {text: i for i, text in enumerate(distinct)}
        return vectors[[row[text] for text in texts]]

    @torch.no_grad()
    def tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Return the last hidden states ``[N, L, 384]`` and ``valid_mask`` ``[N, L]``; L is the longest text's tokens.

        States of padding are zero.
        """
        if not texts:
            return torch.zeros(0, 0, WIDTH), torch.zeros(0, 0, dtype=torch.bool)
        rows = [encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        valid_mask = torch.arange(longest) < torch.tensor([[len(row)] for row in rows])
        return hidden_states(self._weights, ids, valid_mask), valid_mask

    @cached_property
    def _card(self) -> dict[str, dict[str, str]]:
        return yaml.safe_load(_read(self.folder / "card.yaml"))

    @cached_property
    def _weights(self) -> dict[str, Tensor]:
        return unpacked(load(self._checked("minilm.safetensors")))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer.from_buffer(self._checked("tokenizer.json"))
        tokenizer.no_padding()  # the published file pads every text to 128
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer

    def _checked(self, name: str) -> bytes:
        content = _read(self.folder / name)
        if hashlib.sha256(content).hexdigest() != self._card["sha256"][name]:
            raise WeightsError(
                f"{self.folder / name} is not the file that card.yaml beside it describes (its SHA-256 differs); "
                "install motifmix again, or make the file with scripts/build_minilm.py."
            )
        return content


def hidden_states(weights: dict[str, Tensor], ids: Tensor, valid_mask: Tensor) -> Tensor:
    """Run the transformer over token ids ``[N, L]``; return ``[N, L, 384]``, zero where ``valid_mask`` is false."""

    def linear(x: Tensor, name: str) -> Tensor:
        return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"], EPSILON)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)  # [N, heads, L, 32]

    words = "embeddings.word_embeddings.weight"
    x = weights[words][ids]  # [N, L, 384]
    if words + SCALE in weights:
        x = _rescaled(x, weights[words + SCALE][ids])
    x = x + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    attended = valid_mask[:, None, None, :]  # [N, 1, 1, L]
    for layer in (f"encoder.layer.{i}" for i in range(LAYERS)):
        query, key, value = (heads(linear(x, f"{layer}.attention.self.{part}")) for part in ("query", "key", "value"))
        mixed = (
            functional.scaled_dot_product_attention(query, key, value, attended).transpose(1, 2).flatten(2)
        )  # [N, L, 384]
        x = norm(x + linear(mixed, f"{layer}.attention.output.dense"), f"{layer}.attention.output.LayerNorm")
        widened = functional.gelu(linear(x, f"{layer}.intermediate.dense"))  # [N, L, 1536]
        x = norm(x + linear(widened, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x * valid_mask.unsqueeze(-1)


def packed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Store matrices as int8 and scales (a group's largest magnitude becomes 127); vectors stay float32."""
    stored: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if tensor.ndim != 2:
            stored[name] = tensor.float().contiguous()
            continue
        groups = tensor.float().unflatten(-1, (-1, GROUP))
        scale = groups.abs().amax(-1).clamp_min(torch.finfo(torch.float32).tiny) / 127
        stored[name] = (groups / scale.unsqueeze(-1)).round().to(torch.int8).flatten(-2)
        stored[name + SCALE] = scale
    return stored


def unpacked(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    """Undo ``packed`` but for the word table, whose rows are scaled when they are looked up."""
    weights: dict[str, Tensor] = {}
    for name, tensor in stored.items():
        if "word_embeddings" in name or (tensor.dtype != torch.int8 and not name.endswith(SCALE)):
            weights[name] = tensor
        elif tensor.dtype == torch.int8:
            weights[name] = _rescaled(tensor, stored[name + SCALE])
    return weights


def _rescaled(integers: Tensor, scale: Tensor) -> Tensor:
    return (integers.float().unflatten(-1, (-1, GROUP)) * scale.unsqueeze(-1)).flatten(-2)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}); install motifmix again, "
            "or make the file with scripts/build_minilm.py."
        ) from error
