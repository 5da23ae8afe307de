"""How MLD, SMooDi and StyleMotif are measured on HumanML3D, with the evaluators of Guo et al. (CVPR 2022).

Every test clip's caption and length are given to the model; SMooDi and StyleMotif also get a random test clip of 100STYLE
as the style. FID and diversity over all, R-precision and MM-Dist in shuffled pools of 32. With a style: the share of motions
whose style a classifier recognises, and skating feet. The VAE is asked to reconstruct the clips instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from motifmix.data.registry import open_dataset
from motifmix.data.sample import Caption, Sample
from motifmix.encoders.glove import GloVe
from motifmix.encoders.published import text_encoder
from motifmix.errors import DataError, RequestError, WeightsError
from motifmix.evaluation import metrics
from motifmix.evaluation.paper_tables import (
    Figures,
    PaperResults,
    Plan,
    array,
    batches,
    device,
    encode_with,
    pool_size,
    repeated,
)
from motifmix.features.space import Normaliser
from motifmix.models.layers.humanml3d_joints import joint_positions
from motifmix.models.mld_denoiser import MLDDenoiser
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.models.smoodi import SMooDiDenoiser
from motifmix.models.style_network import StyleNetwork
from motifmix.models.t2m_evaluator import TextMotionEvaluator
from motifmix.pipelines.mld import MLD
from motifmix.pipelines.smoodi import SMooDi
from motifmix.pipelines.stylemotif import StyleMotif
from motifmix.pretrained.cards import read_card
from motifmix.pretrained.converted import PublishedNetworks, load_model
from motifmix.style.classifier_guidance import StyleGuidance
from motifmix.style.stylemotif import StyleMotifDenoiser

Protocol = Literal["mld_vae", "mld", "smoodi", "stylemotif"]
STYLED = ("smoodi", "stylemotif")
UNIT, LONGEST = 4, 196
POOL, BATCH = 32, 32
PAIRS, STYLED_PAIRS = 300, 20
_FILTER_CLASSES = 47


@dataclass(frozen=True)
class Asked:
    """What a model is asked for: one test clip's features [T, F] (not normalised), its caption, and a style clip."""

    features: np.ndarray
    caption: Caption
    style: Sample | None = None


@dataclass(frozen=True)
class Judges:
    """The evaluators with their own normalisation, their words, and the network that names styles."""

    evaluator: TextMotionEvaluator
    normaliser: Normaliser
    words: GloVe
    classifier: StyleNetwork | None = None

    @classmethod
    def load(cls, evaluator: Path, classifier: Path | None, glove: Path | None = None) -> "Judges":
        """Load a converted ``t2m-evaluator`` and a folder with a style network. Raises ``WeightsError``."""
        judge = load_model(evaluator)
        words = text_encoder("glove", glove)
        network = _part(load_model(classifier), "style_network", StyleNetwork, classifier) if classifier else None
        assert isinstance(words, GloVe)
        return cls(
            _part(judge, "evaluator", TextMotionEvaluator, evaluator).to(device()),
            judge.statistics["motion"],
            words,
            None if network is None else network.to(device()),
        )

    @torch.no_grad()
    def embed_motions(self, motions: Sequence[np.ndarray], size: int) -> np.ndarray:
        """Embed clips [T, F], not normalised, to [N, 512]."""
        rows = []
        for part in batches(len(motions), size):
            own = motions[part]
            features, valid = _padded([self.normaliser.normalise(motion) for motion in own])
            rows.append(array(self.evaluator.embed_motions(features, valid.sum(dim=1))))
        return np.concatenate(rows)

    @torch.no_grad()
    def embed_texts(self, captions: Sequence[Caption], size: int) -> np.ndarray:
        """Embed tagged captions to [N, 512]."""
        rows = []
        for part in batches(len(captions), size):
            words, tags, lengths = self.words.words([" ".join(caption.tokens) for caption in captions[part]])
            rows.append(array(self.evaluator.embed_texts(words.to(device()), tags.to(device()), lengths)))
        return np.concatenate(rows)


class TextToMotion:
    """One model on one dataset folder."""

    def __init__(
        self, protocol: Protocol, weights: Path, data: Path, judges: Judges, plan: Plan, text_folder: str | None = None
    ) -> None:
        self.protocol: Protocol = protocol
        self.weights, self.plan, self.judges, self.text_folder = weights, plan, judges, text_folder
        self.model = load_model(weights)
        styled = protocol in STYLED
        if styled:
            if judges.classifier is None:
                raise RequestError(f"{protocol} needs --classifier: the folder of a style network that names styles")
            lists = "filter" if judges.classifier.head.out_features == _FILTER_CLASSES else "full"
            self.styles = list(open_dataset("100style-humanml3d", data, lists=lists).samples("test"))
            self.reader = open_dataset("100style-humanml3d", data).contents()
        else:
            self.styles = []
            self.reader = open_dataset("humanml3d", data)
        self.normaliser: Normaliser = self.model.statistics["motion"]
        self.samples = [s for s in islice(self.reader.samples("test"), plan.limit) if s.captions]
        if not self.samples:
            raise DataError(f"{data}: its test list has no clip with a caption")
        self.batch = plan.batch or (1 if styled else BATCH)
        self.pool = pool_size(len(self.samples), plan.pool or POOL)
        self.pairs = plan.pairs or (STYLED_PAIRS if styled else PAIRS)

    def run(self, progress: Callable[[int, int], None] = lambda done, of: None) -> PaperResults:
        """Generate and measure as often as planned."""
        done, of = 0, self.plan.repeats * len(self.samples)

        def once(repeat: int) -> dict[str, Figures]:
            rng = np.random.default_rng([self.plan.seed, repeat])
            generator = torch.Generator().manual_seed(self.plan.seed + 7919 * repeat)
            asked = [self._asked(self.samples[int(i)], rng) for i in rng.permutation(len(self.samples))]
            made: list[np.ndarray] = []
            for part in batches(len(asked), self.batch):
                made += self._made(asked[part], generator)
                nonlocal done
                done += len(asked[part])
                progress(done, of)
            return self._measured(asked, made, generator, rng)

        rows = repeated(self.plan, once)
        figures = getattr(_registered(self.model), "figures", {})
        return PaperResults(self.protocol, rows, figures)

    def _measured(
        self, asked: list[Asked], made: list[np.ndarray], generator: torch.Generator, rng: np.random.Generator
    ) -> dict[str, Figures]:
        judges, size = self.judges, self.batch
        texts = judges.embed_texts([one.caption for one in asked], size)
        real = judges.embed_motions([one.features for one in asked], size)
        generated = judges.embed_motions(made, size)
        rows = {"real": self._scores(texts, real, real, rng), "model": self._scores(texts, generated, real, rng)}
        if self.protocol == "mld_vae":
            rows["model"] |= self._joint_errors(asked, made)
        if self.protocol in STYLED:
            rows["model"] |= self._style_figures(asked, made)
        if self.plan.prompts:
            rows["model"]["multimodality"] = self._multimodality(asked, generator, rng)
        return rows

    def _scores(self, texts: np.ndarray, motions: np.ndarray, real: np.ndarray, rng: np.random.Generator) -> Figures:
        pools = metrics.consecutive_pools(len(texts), self.pool)
        found = metrics.r_precision(texts, motions, pools)
        draws = metrics.random_pairs(len(motions), self.pairs, rng)
        return {
            "FID": metrics.frechet_distance(real, motions),
            **{f"R-precision {k}": float(value) for k, value in enumerate(found, 1)},
            "MM-Dist": metrics.multimodal_distance(texts, motions, pools),
            "diversity": metrics.diversity(motions, *draws),
        }

    def _joint_errors(self, asked: list[Asked], made: list[np.ndarray]) -> Figures:
        errors = [
            1000 * np.linalg.norm(a - b, axis=-1).mean()
            for a, b in ((_rooted(one.features), _rooted(motion)) for one, motion in zip(asked, made, strict=True))
        ]
        return {"MPJPE mm": float(np.mean(errors))}

    @torch.no_grad()
    def _style_figures(self, asked: list[Asked], made: list[np.ndarray]) -> Figures:
        classifier = self.judges.classifier
        assert classifier is not None
        logits = [
            array(classifier(torch.from_numpy(self.normaliser.normalise(motion)).float()[None].to(device())))[0]
            for motion in made
        ]
        labels = np.array([one.style.style_number for one in asked if one.style is not None])
        skating = [metrics.published_skating_ratio(_joints(motion))[0] for motion in made]
        return {
            "SRA %": 100 * float(metrics.top_k_accuracy(np.array(logits), labels)[0]),
            "foot skating": float(np.mean(skating)),
        }

    def _multimodality(self, asked: list[Asked], generator: torch.Generator, rng: np.random.Generator) -> float:
        chosen = [asked[int(i)] for i in rng.choice(len(asked), min(self.plan.prompts, len(asked)), replace=False)]
        takes = [
            [motion for part in batches(self.plan.takes, self.batch)
             for motion in self._made([one] * len(range(*part.indices(self.plan.takes))), generator)]
            for one in chosen
        ]  # fmt: skip
        embedded = np.stack([self.judges.embed_motions(own, self.batch) for own in takes])
        draws = metrics.random_pairs(self.plan.takes, 10, rng)
        return metrics.multimodality(embedded, *draws)

    def _asked(self, sample: Sample, rng: np.random.Generator) -> Asked:
        length = min(sample.frames // UNIT * UNIT, LONGEST)
        first = int(rng.integers(sample.frames - length + 1))
        caption = sample.captions[int(rng.integers(len(sample.captions)))]
        style = self.styles[int(rng.integers(len(self.styles)))] if self.styles else None
        return Asked(sample.features[first : first + length], caption, style)

    def _made(self, asked: list[Asked], generator: torch.Generator) -> list[np.ndarray]:
        """Return what the model makes of each, [T, F] not normalised."""
        given, valid = _padded([self.normaliser.normalise(one.features) for one in asked])
        with torch.no_grad():
            features = self._maker(asked, given, valid, generator)
        lengths = [len(one.features) for one in asked]
        rows = array(features.float())
        return [
            self.normaliser.restore(row[:frames]).astype(np.float32) for row, frames in zip(rows, lengths, strict=True)
        ]

    def _maker(self, asked: list[Asked], given: Tensor, valid: Tensor, generator: torch.Generator) -> Tensor:
        vae = self._network("vae", MotionVAE)
        if self.protocol == "mld_vae":
            return vae.decode(vae.encode(given, valid).mean, valid)
        shape = (len(asked), vae.latent_tokens, getattr(vae.to_latent, "out_features", vae.width))
        noise = torch.randn(shape, generator=generator).to(device())
        text = self._encode([one.caption.text for one in asked])
        if self.protocol == "mld":
            denoiser = self._network("denoiser", MLDDenoiser)
            mean, std = (torch.from_numpy(v).to(device()) for v in (self.normaliser.mean, self.normaliser.std))
            pipeline = MLD(vae, denoiser, self._null_text, mean, std)
            return pipeline.decode(_last(pipeline.sample(text, noise)), valid)
        styles = [self.normaliser.normalise(one.style.features[:LONGEST]) for one in asked if one.style is not None]
        reference, reference_valid = _padded(styles)
        if self.protocol == "smoodi":
            network = self._network("style_network", StyleNetwork)
            smoodi = SMooDi(vae, self._network("denoiser", SMooDiDenoiser), self._null_text, network)
            return smoodi.decode(_last(smoodi.sample(text, reference, valid, noise)), valid)
        encoder = self._network("style_encoder", MotionStyleEncoder)
        fused = StyleMotifDenoiser(self._network("denoiser", MLDDenoiser), **self._fusion)
        pipeline = StyleMotif(vae, fused, encoder, self._null_text)
        assert self.judges.classifier is not None
        pull = StyleGuidance(vae, self.judges.classifier, reference, valid, reference_valid)
        style = pipeline.style_of(reference, reference_valid)
        return pipeline.decode(_last(pipeline.sample(text, style, noise, correction=pull)), valid)

    @cached_property
    def _fusion(self) -> dict[str, Any]:
        extra = read_card(self.weights / "style_encoder.yaml").extra
        return {name: extra[name] for name in ("block", "gamma", "fused_tokens") if name in extra}

    @cached_property
    def _encoder(self) -> Any:
        denoiser = self.model.parts["denoiser"]
        base = denoiser.base if isinstance(denoiser, SMooDiDenoiser) else denoiser
        assert isinstance(base, MLDDenoiser)
        return encode_with(self.model.card.text_encoder, "embedding", base.text_dim, self.text_folder)

    def _encode(self, texts: list[str]) -> Tensor:
        return self._encoder(texts).values.to(device())

    @cached_property
    def _null_text(self) -> Tensor:
        return self._encode([""])

    def _network(self, part: str, kind: Any) -> Any:
        return _part(self.model, part, kind, self.weights).to(device())


def _part(model: PublishedNetworks, part: str, kind: Any, where: Path) -> Any:
    if not isinstance(model.parts.get(part), kind):
        raise WeightsError(f"{where}: holds no {part} of the kind {kind.__name__}; name the folder of the right model")
    return model.parts[part]


def _registered(model: PublishedNetworks) -> Any:
    from motifmix.pretrained.published import published, published_names

    name = model.card.published
    return published(name) if name in published_names() else None


def _padded(arrays: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    longest = max(len(one) for one in arrays)
    features = torch.zeros(len(arrays), longest, arrays[0].shape[1])
    valid = torch.zeros(len(arrays), longest, dtype=torch.bool)
    for row, one in enumerate(arrays):
        features[row, : len(one)] = torch.from_numpy(np.asarray(one, np.float32))
        valid[row, : len(one)] = True
    return features.to(device()), valid.to(device())


def _last(steps: Any) -> Tensor:
    """The state after the last of a sampler's steps."""
    last = None
    for last in steps:  # noqa: B007
        pass
    assert last is not None
    return last.noisy


def _joints(features: np.ndarray) -> np.ndarray:
    return array(joint_positions(torch.from_numpy(features).float()[None]))[0]


def _rooted(features: np.ndarray) -> np.ndarray:
    joints = _joints(features)
    return joints - joints[:, :1]
