"""Learning a style from a few clips of one's own, in a minute or two: a vector and a small change of the denoiser.

Everything of the model is frozen. On batches of latents, the denoiser should make the clips' own latents out of noise when
it is told the style. For other things that people do, what it says should stay near what it said before it was taught
(``keep``), and have the style that its own encoder read off the clips (``pull``). Part of what is read as a style is what was
done: with nothing to keep it, whoever adopts a limping walk gets people who walk when they should wave. The weights were
chosen by the judge that selects, on models that never saw two styles (``benchmarks/adopt.py --judge select --set keep=...``):
much more of ``keep`` left nothing of them, and ``pull``, which trusts the encoder on a style that it never met, is off. By
choice the judge with the role *guide* looks after the content as well (``content``); in trials that cost more style than it
kept content. The judge that scores has no part in this.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.predictions import to_clean
from motifmix.errors import RequestError
from motifmix.models.adopted_style import AdoptedStyle
from motifmix.models.layers.feature_joints import feature_joints
from motifmix.models.temporal_vae import STRIDE
from motifmix.motion import Motion
from motifmix.pipelines.sampling import Sampling
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.pretrained.judges import appoint, load_judge
from motifmix.style import adopted
from motifmix.training.loop import commit
from motifmix.training.noising import NoisyBatch, mean_over

LONGEST_TOKENS, SHORTEST_TOKENS = 50, 5


@dataclass(frozen=True)
class AdoptOptions:
    """How it is learned; ``keep``, ``pull`` and ``content`` weigh what is asked of other contents (see the module's text)."""

    steps: int = 300
    batch: int = 8
    rank: int = 8
    learning_rate: float = 5e-3
    keep: float = 0.5
    pull: float = 0.0
    content: float = 0.0
    others: int = 48
    seed: int = 0


class _Taught:
    """The model while one more style is taught; the style's number is the last column of style vectors."""

    def __init__(
        self, model: TextToMotion, options: AdoptOptions, clips: Sequence[Motion], texts: Sequence[str | None]
    ):
        self.model, self.options = model, options
        self.random = torch.Generator().manual_seed(options.seed)
        with torch.no_grad():
            self.own = [self._latents(clip) for clip in clips]
            told = [text or "" for text in texts]
            self.texts = model.text_vectors(told)
            self.says = torch.tensor([bool(text) for text in told])
            self.start = torch.stack([model.style_vector(clip) for clip in clips]).mean(dim=0)
        denoiser = model.denoiser
        torch.manual_seed(options.seed)
        self.style = AdoptedStyle(len(self.start), denoiser.denoiser.width, len(denoiser.denoiser.blocks), options.rank)
        self.style.vector.data.copy_(self.start)
        self.number = len(denoiser.adopted)
        denoiser.adopted.append(self.style)
        judge = load_judge("guide")
        appoint(guide=judge)
        self.judge, self.judged = judge.model.requires_grad_(False), judge.card.contents
        self.other_texts, self.others, self.wanted = self._other_contents()

    def _latents(self, clip: Motion) -> Tensor:
        features, valid, _ = self.model.network_features(clip)
        mean, _ = self.model.vae.encode(features, valid)
        return (mean[0] - self.model.latent_mean) / self.model.latent_std

    def told(self, vector: Tensor, count: int, share: float = 1.0) -> Tensor:
        """Return style vectors [count, style + adopted] that say ``vector`` and take ``share`` of the change."""
        shares = torch.zeros(count, len(self.model.denoiser.adopted))
        shares[:, self.number] = share
        return torch.cat([vector.expand(count, -1), shares], dim=1)

    @torch.no_grad()
    def _other_contents(self) -> tuple[Tensor, list[Tensor], Tensor]:
        """What the model makes of other texts in the style that its encoder reads: texts, latents, the judge's class or -1."""
        model, count = self.model, self.options.others
        spoken, owners = model.bank["content_texts"], model.bank["content_owners"]
        firsts = [int((owners == owner).nonzero()[0, 0]) for owner in owners.unique()]
        names = [known.name for known in model.contents]
        firsts.sort(key=lambda first: names[int(owners[first])] not in self.judged)
        firsts = firsts[: max(24, sum(names[int(owners[first])] in self.judged for first in firsts))]
        chosen = [firsts[place % len(firsts)] for place in range(count)]
        found = [names[int(owners[first])] for first in chosen]
        wanted = torch.tensor([self.judged.index(name) if name in self.judged else -1 for name in found])
        texts = (spoken[chosen] - model.text_mean) / model.text_std
        tokens = torch.randint(10, 26, (count,), generator=self.random).sort().values.tolist()
        latents: list[Tensor] = []
        for first in range(0, count, 16):
            part = slice(first, first + 16)
            here = torch.ones(len(tokens[part]), dtype=torch.bool)
            made = model.sample(
                texts[part], self.told(self.start, len(here), 0.0), here, tokens[part],
                [self.options.seed + place for place in range(first, first + len(here))], 1.0, Sampling(),
            )  # fmt: skip
            made = (made - model.latent_mean) / model.latent_std
            latents += [own[:length] for own, length in zip(made, tokens[part], strict=True)]
        return texts, latents, wanted

    def loss(self) -> Tensor:
        """One batch of both kinds."""
        o = self.options
        clean, text, says = self._own_batch()
        loss = self._denoising(clean, text, says)
        if o.keep > 0 or o.pull > 0 or o.content > 0:
            chosen = torch.randint(len(self.others), (o.batch,), generator=self.random).tolist()
            clean = [self.others[place] for place in chosen]
            loss = loss + self._kept(clean, self.other_texts[chosen], self.wanted[chosen])
        return loss

    def _own_batch(self) -> tuple[list[Tensor], Tensor, Tensor]:
        lengths = torch.tensor([float(len(own)) for own in self.own])
        chosen = torch.multinomial(lengths, self.options.batch, replacement=True, generator=self.random).tolist()
        windows = []
        for place in chosen:
            own = self.own[place]
            longest = min(len(own), LONGEST_TOKENS)
            shortest = min(longest, 2 * SHORTEST_TOKENS)
            length = int(torch.randint(shortest, longest + 1, (1,), generator=self.random))
            first = int(torch.randint(len(own) - length + 1, (1,), generator=self.random))
            windows.append(own[first : first + length])
        says = self.says[chosen] & (torch.rand(len(chosen), generator=self.random) < 0.9)
        return windows, self.texts[chosen], says

    def _noised(self, clean: list[Tensor]) -> NoisyBatch:
        valid = torch.arange(max(map(len, clean)))[None] < torch.tensor([len(own) for own in clean])[:, None]
        padded = torch.nn.utils.rnn.pad_sequence(clean, batch_first=True)
        return NoisyBatch.drawn(padded, valid, self.model.schedule, self.random)

    def _predict(self, batch: NoisyBatch, text: Tensor, says: Tensor, style: Tensor) -> Tensor:
        here = torch.ones(len(batch.noisy), dtype=torch.bool)
        told = Condition({"text": Part(text, says), "style": Part(style, here)})
        return self.model.denoiser.predict(batch.noisy, batch.time, told, batch.valid)

    def _denoising(self, clean: list[Tensor], text: Tensor, says: Tensor) -> Tensor:
        batch = self._noised(clean)
        predicted = self._predict(batch, text, says, self.told(self.style.vector, len(clean)))
        return mean_over(batch.squared_error(predicted, self.model.denoiser.prediction_type), batch.valid)

    def _kept(self, clean: list[Tensor], text: Tensor, wanted: Tensor) -> Tensor:
        """What the untaught model said of other contents, and the style and the content of what is said now."""
        batch = self._noised(clean)
        here = torch.ones(len(clean), dtype=torch.bool)
        with torch.no_grad():
            before = self._predict(batch, text, here, self.told(self.start, len(clean), 0.0))
        now = self._predict(batch, text, here, self.told(self.style.vector, len(clean)))
        loss = self.options.keep * mean_over((now - before) ** 2, batch.valid)
        if self.options.pull == 0 and self.options.content == 0:
            return loss
        model, clear = self.model, 1.0 - batch.time  # little can be read of noise
        estimate = to_clean(now, batch.noisy, batch.alpha, batch.sigma, model.denoiser.prediction_type)
        features = model.vae.decode(estimate * model.latent_std + model.latent_mean, batch.valid)
        frames = batch.valid.repeat_interleave(STRIDE, dim=1)
        distance = 1.0 - cosine_similarity(model.style_encoder(features, frames), self.start[None], dim=-1)
        loss = loss + self.options.pull * (distance * clear).mean()
        if self.options.content == 0:
            return loss
        mean, std = (torch.from_numpy(own) for own in (model.normaliser.mean, model.normaliser.std))
        seen = self.judge(feature_joints(features * std + mean), frames).content
        error = cross_entropy(seen, wanted, ignore_index=-1, reduction="none")
        return loss + self.options.content * (error * clear).mean()


def adopt(
    model: TextToMotion,
    clips: Sequence[Motion],
    texts: Sequence[str | None] | None = None,
    options: AdoptOptions = AdoptOptions(),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> AdoptedStyle:
    """Learn a style from motions on the motifmix skeleton; ``texts`` say what happens in each, where that is known.

    The model is left as it was: ``style.adopted.save`` keeps what is returned, and ``--style NAME`` finds it. Raises
    ``RequestError`` for no clips, other numbers of texts than clips, and options out of range.
    """
    told = [None] * len(clips) if texts is None else list(texts)
    if not clips or len(told) != len(clips):
        raise RequestError(
            f"{len(clips)} clips were given with {len(told)} texts; give one clip or more, and a text each"
        )
    if not 1 <= options.steps <= 10_000 or not 1 <= options.rank <= 64:
        raise RequestError("a style is learned in 1 to 10000 steps with a rank of 1 to 64")
    taught = _Taught(model, options, clips, told)
    try:
        vector = [taught.style.vector]
        change = [taught.style.down, taught.style.up]
        optimizer = torch.optim.AdamW(
            [{"params": vector, "weight_decay": 0.0}, {"params": change, "weight_decay": 0.05}],
            lr=options.learning_rate, betas=(0.9, 0.98),
        )  # fmt: skip
        falling = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, options.learning_rate, total_steps=options.steps + 1, pct_start=0.1
        )
        for step in range(options.steps):
            with torch.enable_grad():
                loss = taught.loss()
                optimizer.zero_grad()
                loss.backward()
            torch.nn.utils.clip_grad_norm_([*vector, *change], 1.0)
            optimizer.step()
            falling.step()
            if step % 10 == 9 or step + 1 == options.steps:
                progress(step + 1, options.steps)
    finally:
        model.denoiser.adopted.pop()
    return taught.style.requires_grad_(False).eval()


def keep(
    place: Path,
    model: TextToMotion,
    style: AdoptedStyle,
    clips: Sequence[Motion],
    texts: Sequence[str | None],
    *,
    force: bool = False,
) -> None:
    """Write a learned style to the folder ``place`` with a card that says what it was learned from."""
    sizes = {"style": len(style.vector), "width": style.width, "blocks": len(style.up), "rank": style.up.shape[1]}
    credits = [str(clip.labels["credit"]) for clip in clips if clip.labels.get("credit")]
    adopted.save(
        place, style, force=force, role="generate", architecture="adopted_style:AdoptedStyle", sizes=sizes,
        space=model.space.name, licence=f"that of the clips and of the weights ({model.licence})",
        credit=list(dict.fromkeys([*credits, *model.credit])), data=[], recipe="adopt", commit=commit(),
        extra={
            "denoiser": model.denoiser_checksum, "clips": len(clips), "seconds": round(sum(clip.seconds for clip in clips), 2),
            "texts": [text or "" for text in texts],
        },
    )  # fmt: skip
