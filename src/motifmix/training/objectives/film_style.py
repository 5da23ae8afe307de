"""A style encoder for people who were read off films: it should say of the film what the model's own says of the recording.

What the pose models read shakes, stands too straight and has its path guessed from the feet; a style encoder that saw
recordings alone takes much of that for style. So a copy of it goes on with films of training clips (``training/films.py``).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, cross_entropy, normalize

from motifmix.data.labels import style_names
from motifmix.drawing.strips import strip
from motifmix.encoders.video_pose import motion_from_landmarks
from motifmix.features.own import MotifmixSpace
from motifmix.features.space import Normaliser
from motifmix.models.style_encoder import StyleEncoder
from motifmix.motion import Motion
from motifmix.pretrained.build import load_part
from motifmix.training.films import films_in
from motifmix.training.pool import in_one_batch, open_sets, weights_folder
from motifmix.training.publishing import facts_of

PART = "film_encoder"
UNNAMED = -1
LOOKED_AT = 60  # films of a preview
SHORTEST = 32  # frames of a window, at 20 fps


class FilmStyleOptions(BaseModel):
    """Options of ``film_style`` recipes."""

    model_config = ConfigDict(extra="forbid")

    batch: int = 48
    films: str = "films"
    """A folder beside the prepared set."""
    recordings: float = 0.1
    """Share of a batch that are recordings, not films: a person who is read well should be read as before."""
    noise: float = 0.1
    contents: float = 0.25
    """Share of a batch that are of the content set, which has no styles to be named."""
    likeness: float = 1.0
    temperature: float = 0.1
    weights: str | None = None


class FilmStyleObjective:
    """Windows of films against the style vectors of the same windows of the recordings, and against the styles' means."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = o = FilmStyleOptions.model_validate(options)
        self.caches = open_sets(data)
        self.weights = weights_folder(o.weights)
        card, self.teacher, _ = load_part(self.weights, "style_encoder")
        self.goes_on_from = card.sha256
        _, _, rest = load_part(self.weights, "vae")
        self.normaliser = Normaliser(rest["mean"].numpy(), rest["std"].numpy())
        self.space = MotifmixSpace()
        sets = [cache.prepared for cache in self.caches]
        self.shown: tuple[Motion, ...] = ()
        self.seen: list[np.ndarray] = []
        self.true: list[np.ndarray] = []
        styles: list[str | None] = []
        for film in films_in(sets[0].folder.parent / o.films, sets):
            try:
                read = motion_from_landmarks(film.seen)
            except ValueError:
                continue  # nobody is followed for a second
            self.shown = self.shown or (read, film.truth)
            for one, other in ((read, film.truth), (read.mirrored(), film.truth.mirrored())):
                self.seen.append(self.space.encode(one))
                self.true.append(self.space.encode(other))
                styles.append(film.clip.style)
        self.styles = style_names(styles)
        self.labels = np.array([UNNAMED if style is None else self.styles.index(style) for style in styles])
        self.weight = self._weights()
        vectors = [normalize(self._told(own), dim=-1) for own in self.true]
        means = [
            torch.cat([own for own, known in zip(vectors, self.labels, strict=True) if known == label]).mean(dim=0)
            for label in range(len(self.styles))
        ]
        self.means = normalize(torch.stack(means), dim=-1)
        torch.manual_seed(seed)
        student = StyleEncoder(MotifmixSpace.dim, **_sizes(self.teacher))
        student.load_state_dict(self.teacher.state_dict())
        self.modules = nn.ModuleDict({PART: student})

    def _weights(self) -> np.ndarray:
        """Every style alike, what has none as often as ``contents`` says."""
        named = self.labels != UNNAMED
        counts = np.bincount(self.labels[named])
        weight = np.zeros(len(self.labels))
        share = self.options.contents if not named.all() else 0.0
        weight[named] = (1.0 - share) / counts[self.labels[named]] / len(counts)
        weight[~named] = share / max(1, int((~named).sum()))
        return weight

    @torch.no_grad()
    def _told(self, features: np.ndarray, encoder: nn.Module | None = None) -> Tensor:
        return (encoder or self.teacher)(*in_one_batch([features], self.normaliser))

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """One batch."""
        o = self.options
        numbers = rng.choice(len(self.labels), size=o.batch, p=self.weight)
        read, real = [], []
        for number in numbers.tolist():
            seen, true = self.seen[number], self.true[number]
            frames = min(len(seen), len(true))
            length = min(frames, int(rng.integers(SHORTEST, max(frames, SHORTEST) + 1)))
            first = int(rng.integers(frames - length + 1))
            real.append(true[first : first + length])
            read.append(real[-1] if rng.random() < o.recordings else seen[first : first + length])
        with torch.no_grad():
            wanted = normalize(self.teacher(*in_one_batch(real, self.normaliser)), dim=-1)
        features, valid = in_one_batch(read, self.normaliser)
        features = features + o.noise * torch.randn(features.shape, generator=generator)
        told = normalize(self.modules[PART](features * valid[..., None], valid), dim=-1)
        apart = (1.0 - (told * wanted).sum(dim=-1)).mean()
        labels = torch.from_numpy(self.labels[numbers])
        known = labels != UNNAMED
        logits = told[known] @ self.means.T / o.temperature
        named = cross_entropy(logits, labels[known]) if bool(known.any()) else told.new_zeros(())
        right = (logits.argmax(dim=-1) == labels[known]).float().mean()
        figures = {"apart": apart, "named": named, "right": right}
        return o.likeness * apart + named, {name: float(value.detach()) for name, value in figures.items()}

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Draw a person as read and as recorded, and write how alike the vectors of the first films are."""
        for name, motion in zip(("read", "recorded"), self.shown, strict=True):
            strip(motion, folder / f"{name}.png")
        numbers = range(0, min(len(self.seen), 2 * LOOKED_AT), 2)  # every second is a mirrored twin
        encoder = modules[PART]
        assert isinstance(encoder, StyleEncoder)
        told = [cosine_similarity(self._told(self.seen[n], encoder), self._told(self.true[n])) for n in numbers]
        with (folder / "alike.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, "cosine": round(float(torch.cat(told).mean()), 4)}) + "\n")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write the encoder beside the model that it serves."""
        from motifmix.pretrained.cards import write_weights

        sizes = {"features": MotifmixSpace.dim, **_sizes(self.teacher)}
        extra = {"films": len(self.seen) // 2, "style_encoder": self.goes_on_from}
        known = facts_of("StyleEncoder", sizes, self.caches, {**facts, "extra": extra}, name=PART)
        write_weights(folder, PART, modules[PART].state_dict(), **known)


def _sizes(encoder: nn.Module) -> dict[str, int]:
    """Return the sizes of a style encoder but its features."""
    assert isinstance(encoder, StyleEncoder)
    last = encoder.head[-1]
    assert isinstance(last, nn.Linear)
    return {"width": last.in_features, "style": last.out_features}
