"""The default model's parts, loaded and put together, and what they read: sentences, words of a style, files, motions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from motifmix.diffusion.schedule import SCHEDULES
from motifmix.errors import WeightsError
from motifmix.features.own import MotifmixSpace, rested_to_multiple
from motifmix.features.space import Normaliser
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.models.temporal_vae import STRIDE
from motifmix.motion import Motion
from motifmix.pipelines.sampling import IN_STYLES
from motifmix.pretrained.build import load_part
from motifmix.pretrained.cards import read_weights
from motifmix.style import adopted, references
from motifmix.style.aligned import Aligned, Reading, described, find_aligned
from motifmix.style.references import StyleLike, resolve
from motifmix.style.styled_denoiser import StyledDenoiser

FAR = 0.5  # cosine of sentence embeddings below which nothing known is near
NEAR = 0.65  # and above which a style's sentence is near: six in seven phrasings of known styles that no training saw
SAME = 0.99  # and above which two texts are one
OFFERED = 3  # nearest known names
MOST_SHOWN = 80  # letters of a text or a style that a sentence about it repeats
# docs/late_style.md has how many of the style set's wordings are outvoted.
VOTERS, MAJORITY = 8, 0.7


@dataclass(frozen=True)
class Known:
    """A style or a content that the model was trained on."""

    name: str
    clips: int
    synonyms: tuple[str, ...]
    styles: int | None = None  # of a content: in how many styles training showed it; None where weights do not say

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> "Known":
        """Return an entry of the bank's card. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for one that is none."""
        styles = entry.get("styles")
        return cls(
            str(entry["name"]), int(entry["clips"]), tuple(map(str, entry["synonyms"])), None if styles is None else int(styles)
        )  # fmt: skip


class DefaultParts:
    """Everything of the default model but the sampling.

    ``bank`` holds what is known by name (``content_texts``, ``style_texts``: sentence embeddings, ``..._owners``: whose they
    are, ``style_prototypes``); what the networks read is standardised by ``text_mean``, ``text_std``, ``latent_mean`` and
    ``latent_std``.
    """

    def __init__(self, weights: Path | str | None = None) -> None:
        folder = Path(weights) if weights is not None else PACKAGE_WEIGHTS / "default"
        try:
            self._put_together(folder)
        except KeyError as error:
            raise WeightsError(
                f"{folder}: these weights lack {error}; they belong to another version, install motifmix again"
            ) from error
        except (TypeError, ValueError, AttributeError) as error:
            raise WeightsError(
                f"{folder}: a card of these weights is damaged ({error}); install motifmix again"
            ) from error

    def _put_together(self, folder: Path) -> None:
        self.space = MotifmixSpace()
        _, self.vae, statistics = load_part(folder, "vae")
        self.normaliser = Normaliser(statistics["mean"].numpy(), statistics["std"].numpy())
        card, denoiser, own = load_part(folder, "denoiser")
        self.text_mean, self.text_std = own["text_mean"], own["text_std"]
        self.latent_mean, self.latent_std = own["latent_mean"], own["latent_std"]
        extra = card.extra
        self.denoiser = StyledDenoiser(
            denoiser, own["project_weight"].shape[1], extra["block"], extra["gamma"], extra["prediction_type"],
            extra.get("fusion", "cross_normalization"),
        )  # fmt: skip
        self.denoiser.project.load_state_dict({"weight": own["project_weight"], "bias": own["project_bias"]})
        self.denoiser.eval().requires_grad_(False)
        self.denoiser_checksum, self._adopted = card.sha256, dict[tuple[Path, int], int]()
        self.schedule = SCHEDULES[extra["schedule"]]()
        style_card, self.style_encoder, _ = load_part(folder, "style_encoder")
        self._style_encoder_checksum = style_card.sha256
        self.film_encoder = _film_encoder(folder, style_card.sha256)
        _, self.text_to_style, _ = load_part(folder, "text_to_style")
        _, self.length_predictor, _ = load_part(folder, "length")
        if (folder / "strength.yaml").exists():
            _, self.denoiser.strengths, _ = load_part(folder, "strength")
        bank, self.bank = read_weights(folder, "bank")
        self.styles = [Known.read(entry) for entry in bank.extra["styles"]]
        self.contents = [Known.read(entry) for entry in bank.extra["contents"]]
        self.credit = list(card.credit)
        self.licence = card.licence

    @cached_property
    def text_encoder(self) -> Any:
        """MiniLM, loaded when the first sentence comes."""
        from motifmix.encoders.text import MiniLM

        return MiniLM()

    @cached_property
    def aligned(self) -> Aligned:
        """What ``motifmix align`` made for this style encoder; put ``Aligned(FOLDER)`` here for another one.

        Raises ``RequestError`` where there is none.
        """
        return find_aligned(self._style_encoder_checksum)

    def terms(self, style: StyleLike) -> str:
        """Return the licence of what is made in a style: the weights', and that of the encoder that read a picture."""
        return f"{self.licence}; {self.aligned.licence}" if references.is_encoded(style) else self.licence

    def style_vector(self, motion: Motion) -> Tensor:
        """Return the style of a motion on the motifmix skeleton, ``[style]``; of one that was read off a film, as films are read."""
        encoder = self.style_encoder if self.film_encoder is None or "video" not in motion.labels else self.film_encoder
        with torch.no_grad():
            features, valid, _ = self.network_features(motion)
            return encoder(features, valid)[0]

    def describe(self, text: str, style: StyleLike | None = None) -> list[str]:
        """Return sentences on what is not known, naming what is nearest and how far it is, and on what a file gave.

        A text or a style is far below a likeness (cosine of sentence embeddings) of 0.5, and a style's sentence is not known
        below 0.65, as words such as "like a" alone make it alike; a single word that is no known style's name or synonym is
        said in any case. A motion is made all the same.
        """
        notes = references.notes(style) if style is not None else []
        if style is not None and not bool(self.shown_in_styles(self.text_vectors([text]))[0]):
            notes.append(
                f'"{_shown(text)}" was recorded in hardly any style: what is done goes before the style, which shows less'
            )
        near = self._nearest(text, "content_texts", "content_owners", [known.name for known in self.contents])
        if near[0][1] < FAR:
            notes.append(f'the text "{_shown(text)}" is far from anything trained on; nearest: {_distances(near)}')
        read: list[tuple[str, Reading]] = []
        for part in resolve(style) if style is not None else []:
            if part.content is not None:
                read.append((part.content.name, self._read(part.content)))
            if part.words is None or adopted.find(part.words) is not None:
                continue
            near = self._nearest(part.words, "style_texts", "style_owners", [known.name for known in self.styles])
            if near[0][1] < FAR:
                notes.append(
                    f'the style "{_shown(part.words)}" is far from anything trained on; nearest: {_distances(near)}'
                )
            elif " " in part.words and near[0][1] < NEAR:
                notes.append(
                    f'the style "{_shown(part.words)}" is near to nothing trained on; nearest: {_distances(near)}'
                )
            elif " " not in part.words and not self._is_known(part.words) and near[0][1] < SAME:
                notes.append(f'the style "{_shown(part.words)}" is not known by that name; nearest: {_distances(near)}')
        return [*notes, *(described(read, self.aligned.licence) if read else [])]

    def known_style(self, words: str) -> str | None:
        """Return the name of the known style that words are near to, if they are near to one and name no adopted style."""
        if adopted.find(words) is not None:
            return None
        (name, likeness), *_ = self._nearest(
            words, "style_texts", "style_owners", [known.name for known in self.styles]
        )
        return name if likeness >= NEAR or self._is_known(words) else None

    def _is_known(self, word: str) -> bool:
        return any(word.casefold() in (known.name.casefold(), *known.synonyms) for known in self.styles)

    def _nearest(self, words: str, texts: str, owners: str, names: list[str]) -> list[tuple[str, float]]:
        """Return the nearest names, nearest first, each with the likeness of what comes closest among its texts."""
        cosines = self.bank[texts] @ self.text_encoder.encode([words])[0]
        nearest: dict[str, float] = {}
        for place in cosines.argsort(descending=True).tolist():
            nearest.setdefault(names[int(self.bank[owners][place])], float(cosines[place]))
            if len(nearest) == min(OFFERED, len(names)):
                break
        return list(nearest.items())

    def shown_in_styles(self, text: Tensor) -> Tensor:
        """Return whether training showed in several styles what sentences say ``[n]``; true where the weights do not say.

        ``text`` ``[n, text]`` as :meth:`text_vectors` gives them. The nearest known sentences vote, the nearer the more; false needs
        a clear majority, as a style that joins late shows less.
        """
        shown = torch.tensor([known.styles is None or known.styles >= IN_STYLES for known in self.contents])
        sentences = normalize(text * self.text_std + self.text_mean, dim=-1)
        known = self.bank["content_texts"]
        likeness, nearest = (sentences @ known.T).topk(min(VOTERS, len(known)), dim=1)
        votes, plain = likeness.clamp(min=1e-3) ** 4, ~shown[self.bank["content_owners"].long()[nearest]]
        return (votes * plain).sum(dim=1) / votes.sum(dim=1) <= MAJORITY

    def text_vectors(self, texts: Sequence[str]) -> Tensor:
        """Return sentences ``[n, text]`` as the networks read them."""
        return (self.text_encoder.encode(list(texts)) - self.text_mean) / self.text_std

    def vectors(self, texts: Sequence[str], styles: Sequence[StyleLike | None]) -> tuple[Tensor, Tensor, Tensor]:
        """Encode sentences and style words in one batch; returns texts, styles and which styles there are."""
        # One reference given for many texts is read, retargeted and encoded once.
        resolved = {id(style): resolve(style) for style in {id(s): s for s in styles if s is not None}.values()}
        parts = [[] if style is None else resolved[id(style)] for style in styles]
        said = {part.words for own in parts for part in own if part.words is not None}
        adoptions = {word: number for word in said if (number := self._adoption(word)) is not None}
        words = sorted(said - set(adoptions))
        sentences = self.text_vectors([*texts, *words])
        spoken = dict(zip(words, self.text_to_style(sentences[len(texts) :]), strict=True)) if words else {}
        size = self.denoiser.project.in_features
        vectors = torch.zeros(len(styles), size + len(self.denoiser.adopted))
        present = torch.zeros(len(styles), dtype=torch.bool)
        seen: dict[int, Tensor] = {}
        for place, own in enumerate(parts):
            for part in own:
                if part.words in adoptions:
                    number = adoptions[part.words]
                    vector = self.denoiser.adopted[number].vector
                    vectors[place, size + number] += part.weight
                elif part.words is not None:
                    vector = spoken[part.words]
                elif part.motion is not None:
                    if id(part.motion) not in seen:
                        seen[id(part.motion)] = self.style_vector(part.motion)
                    vector = seen[id(part.motion)]
                elif part.content is not None:
                    vector = self._read(part.content).vector
                else:
                    continue
                vectors[place, :size] += part.weight * vector
                present[place] = True
        return sentences[: len(texts)], vectors, present

    def _read(self, content: references.Media) -> Reading:
        modality = references.modality_of(content.path)
        assert modality is not None  # what is no picture, sound or video was resolved to words or a motion
        return self.aligned.read(content.path, modality, content.content_by)

    @property
    def adopted_shape(self) -> tuple[int, int, int]:
        """The sizes that an adopted style must have here: its vector, the denoiser's width and blocks."""
        own = self.denoiser.denoiser
        return self.denoiser.project.in_features, own.width, len(own.blocks)

    def _adoption(self, words: str) -> int | None:
        """Return the number of the adopted style that words name, loaded when it is first asked for."""
        folder = adopted.find(words)
        if folder is None:
            return None
        key = (folder, adopted.changed(folder))
        if key not in self._adopted:
            _, network = adopted.load(folder, self.denoiser_checksum, self.adopted_shape)
            self._adopted[key] = len(self.denoiser.adopted)
            self.denoiser.adopted.append(network)
        return self._adopted[key]

    def style_of(self, clean: Tensor, valid: Tensor) -> Tensor:
        """Read the style vectors [B, style] of clean latents [B, L, D] as the denoiser has them; ``valid`` [B, L]."""
        features = self.vae.decode(clean * self.latent_std + self.latent_mean, valid)
        return self.style_encoder(features, valid.repeat_interleave(STRIDE, dim=1))

    def network_features(self, motion: Motion) -> tuple[Tensor, Tensor, int]:
        """Return normalised features ``[1, T, F]`` at 20 fps, resting at the end to whole tokens, which frames are real
        ``[1, T]``, and how many there were.
        """
        features = self.space.encode(motion)
        padded = rested_to_multiple(features, STRIDE)
        normalised = torch.from_numpy(self.normaliser.normalise(padded).astype(np.float32))
        return normalised[None], torch.ones(1, len(padded), dtype=torch.bool), len(features)

    def features_in_units(self, decoded: Tensor, frames: int) -> np.ndarray:
        """Return what the autoencoder decoded, ``[T, F]``, in the units of the space, without the rest at its end.

        Raises ``WeightsError`` where it holds what is no number, which no motion can be made of.
        """
        features = self.normaliser.restore(decoded[:frames].double().numpy())
        if not np.isfinite(features).all():
            raise WeightsError(
                "what was made holds no numbers: the weights or the style are damaged; leave the style out to see which"
            )
        return features


def _film_encoder(folder: Path, style_encoder: str) -> Any:
    """Return the style encoder for people read off films, None where the weights have none.

    Raises ``WeightsError`` for one that went on from another style encoder.
    """
    if not (folder / "film_encoder.yaml").exists():
        return None
    card, encoder, _ = load_part(folder, "film_encoder")
    if card.extra.get("style_encoder") != style_encoder:
        raise WeightsError(
            f"{folder}: film_encoder goes with another style encoder; train recipes/default/films.yaml again, or delete it"
        )
    return encoder


def _shown(words: str) -> str:
    """Return words as a sentence about them quotes them: a page of them would hide what is said."""
    return words if len(words) <= MOST_SHOWN else words[: MOST_SHOWN - 3] + "..."


def _distances(near: list[tuple[str, float]]) -> str:
    named = ", ".join(f"{name} ({1 - likeness:.2f} away)" for name, likeness in near)
    return f"{named}; 0 is the same, 1 has nothing in common"
