"""InterGen (Liang et al., IJCV 2024; published symbols ``InterDenoiser``, ``InterGen.text_process``).

Two people, one set of weights: each person's frames attend to themselves and to the other person's frames, told the
diffusion step and the text. The network predicts the clean features of both. Features are InterHuman's 262 numbers a
person, normalised; people stand side by side on the last axis at the border, and in the batch inside.

The text is read by :class:`TextHead` from the token features of a frozen CLIP tower (``clip_text.py``).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from motifmix.diffusion.condition import Condition
from motifmix.diffusion.schedule import NoiseLevel
from motifmix.models.layers.adaptive_block import InteractionBlock
from motifmix.models.layers.masks import hiding
from motifmix.models.layers.patches import from_root, in_the_world, patched, unpatched
from motifmix.models.layers.sinusoids import add_positions, sinusoids
from motifmix.models.layers.timestep_embedding import TimestepNet
from motifmix.models.layers.token_conv import TokenConv, with_neighbours
from motifmix.models.layers.transformer import EncoderLayer

Hook = Callable[[int, Tensor], Tensor]
PEOPLE = 2


class InterGenNetwork(nn.Module):
    """Layers that InterGen and in2IN share; the defaults are the published size of all (171,352,326 parameters).

    Three settings are ours, for sizes that a laptop trains: a token stands for ``patch`` frames (four take a quarter of the
    time); ``convolved`` lets it see its neighbours before each block, which steps and gaits need; and ``rooted`` networks say
    where the root is and, ten times finer, where joints are from there, because features of joints in the world are
    normalised by some metres, beside which a body is nothing.
    """

    def __init__(
        self,
        features: int = 262,
        width: int = 1024,
        feed_forward: int = 2048,
        blocks: int = 8,
        heads: int = 8,
        text: int = 768,
        dropout: float = 0.1,
        patch: int = 1,
        convolved: bool = False,
        rooted: bool = False,
    ) -> None:
        super().__init__()
        self.features, self.width, self.patch = features, width, patch
        self.from_root: Tensor | None
        self.input = nn.Linear(patch * features, width)
        self.time = TimestepNet(width, width)
        self.text = nn.Linear(text, width)
        self.blocks = nn.ModuleList(InteractionBlock(width, heads, feed_forward, dropout) for _ in range(blocks))
        self.neighbours = nn.ModuleList(TokenConv(width) for _ in range(blocks)) if convolved else None
        self.register_buffer("from_root", from_root() if rooted else None, persistent=False)
        self.output = nn.Linear(width, patch * features)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def tokens(self, noisy: Tensor, valid_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """People's frames [N, T, F] and which are real [N, T] to tokens [N, L, D] and which of them hold a real frame."""
        patches, valid_mask = patched(noisy, valid_mask, self.patch)
        return add_positions(self.input(patches)), hiding(valid_mask)

    def frames(self, tokens: Tensor, count: int) -> Tensor:
        """Tokens [N, L, D] to the features of ``count`` frames [N, T, F]."""
        return in_the_world(unpatched(self.output(tokens), self.patch, count), self.from_root)

    def seeing_neighbours(self, number: int, tokens: Tensor, valid_mask: Tensor | None) -> Tensor:
        """What block ``number`` (from 1) is given: tokens [N, L, D] that know their neighbours, where the size has it."""
        return with_neighbours(self.neighbours, number, tokens, valid_mask)

    def embedding(self, timesteps: Tensor, text: Tensor) -> Tensor:
        """``timesteps`` [B] and ``text`` [B, ..., text] to vectors [B, ..., D]: the step's plus the text's."""
        told = self.text(text)
        step = self.time(sinusoids(timesteps, self.width).to(told.dtype))
        return told + step.view(len(step), *[1] * (told.dim() - 2), self.width)

    def denoise_pair(
        self,
        noisy: Tensor,
        condition: Tensor,
        memory_condition: Tensor,
        valid_mask: Tensor | None,
        hook: Hook | None,
    ) -> Tensor:
        """Run all blocks over ``noisy`` [B, T, 2 F] with conditions [B 2, D] that are ready, person by person."""
        everyone = None if valid_mask is None else valid_mask.repeat_interleave(PEOPLE, dim=0)
        x, valid = self.tokens(people_in_batch(noisy), everyone)  # [B 2, L, D]
        for number, block in enumerate(self.blocks, start=1):
            x = self.seeing_neighbours(number, x, valid)
            pairs = x.unflatten(0, (-1, PEOPLE))
            # Both see the other as he was before this block.
            x = block(x, condition, pairs.flip(1).flatten(0, 1), memory_condition, valid)
            if hook is not None:
                x = hook(number, x.unflatten(0, (-1, PEOPLE))).flatten(0, 1)
        return people_side_by_side(self.frames(x, noisy.shape[1]))


class InterGenDenoiser(InterGenNetwork):
    """Predicts the clean features of two people who share one text."""

    def forward(
        self,
        noisy: Tensor,
        timesteps: Tensor,
        text: Tensor,
        valid_mask: Tensor | None = None,
        hook: Hook | None = None,
    ) -> Tensor:
        """``noisy`` [B, T, 2 F], ``timesteps`` [B], ``text`` [B, text], ``valid_mask`` [B, T]; returns [B, T, 2 F].

        ``hook(number, tokens)`` may change what block ``number`` (from 1) hands on, [B, 2, T, D].
        """
        condition = self.embedding(timesteps, text).repeat_interleave(PEOPLE, dim=0)  # [B 2, D]
        return self.denoise_pair(noisy, condition, condition, valid_mask, hook)

    def denoise(self, noisy: Tensor, level: NoiseLevel, condition: Condition, valid: Tensor) -> Tensor:
        """Speak the protocol of denoisers: the part ``text`` [B, text]; absent, it is a vector of zeros.

        Raises ``ValueError`` for a level without a step.
        """
        return self.denoise_at(steps_of(level, noisy), noisy, condition, valid)

    def denoise_at(self, timesteps: Tensor, noisy: Tensor, condition: Condition, valid: Tensor) -> Tensor:
        """Do the same at each item's own step [B], as in training."""
        return self(noisy, timesteps, zeroed_part(condition, "text"), valid)


class TextHead(nn.Module):
    """Reads a sentence from CLIP's token features; the defaults are the published size (11,029,504 parameters).

    Post-norm layers, a layer norm, and of all tokens the end of the text. Padding tokens are not hidden: the published
    weights were trained with their features among the others.
    """

    def __init__(
        self, width: int = 768, layers: int = 2, heads: int = 8, feed_forward: int = 2048, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(width, heads, feed_forward, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(self, token_features: Tensor, token_ids: Tensor) -> Tensor:
        """``token_features`` [B, L, D] after CLIP's last norm and ``token_ids`` [B, L] to [B, D]."""
        tokens = self.read(token_features)
        return tokens[torch.arange(len(tokens), device=tokens.device), token_ids.argmax(dim=-1)]

    def read(self, token_features: Tensor) -> Tensor:
        """Return all tokens, [B, L, D]."""
        for layer in self.layers:
            token_features = layer(token_features)
        return self.norm(token_features)


def people_in_batch(features: Tensor) -> Tensor:
    """[B, T, 2 F] to [B 2, T, F], the two people of a pair one after the other."""
    return features.unflatten(-1, (PEOPLE, -1)).transpose(1, 2).flatten(0, 1)


def people_side_by_side(features: Tensor) -> Tensor:
    """[B 2, T, F] to [B, T, 2 F]."""
    return features.unflatten(0, (-1, PEOPLE)).transpose(1, 2).flatten(2)


def steps_of(level: NoiseLevel, noisy: Tensor) -> Tensor:
    """Return the level's original step for each item, [B]. Raises ``ValueError`` where it has none."""
    if level.step is None:
        raise ValueError("a network of a discrete process needs levels with their step")
    return torch.full((len(noisy),), level.step, device=noisy.device)


def zeroed_part(condition: Condition, name: str) -> Tensor:
    """Return a part's value [B, ...], zeros where it is absent. Raises ``ValueError`` where nobody has it."""
    part = condition.get(name)
    if part is None:
        raise ValueError(f"the condition has no part {name!r}; give zeros and mark it absent where there is no text")
    return part.value * part.present.view(-1, *[1] * (part.value.dim() - 1))
