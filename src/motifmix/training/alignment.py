"""``motifmix align``: from an encoder's weights and style data to a folder by which pictures and sounds are styles."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from motifmix.atomic import replacing
from motifmix.data.captions import hard_style_phrases, held_out_style_phrases
from motifmix.encoders.joint import find_weights, identity, offer
from motifmix.errors import FileError
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.style.aligned import PROJECTION, aligned_home
from motifmix.training.loop import Log, train
from motifmix.training.motion_styles import MotionStyles, motion_styles, styled_sets
from motifmix.training.objectives.joint_align import JointAlignObjective
from motifmix.training.recipe import Recipe
from motifmix.training.texts import style_texts

STEPS = 1500
PHRASES_A_STYLE = 80
TEXTS_AT_ONCE = 32  # kept together, so that an interrupted run has little to encode again

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Texts(Protocol):
    """What aligning needs of an encoder."""

    def texts(self, texts: Sequence[str], /) -> Tensor:
        """Return unit vectors ``[N, width]``."""
        ...


@dataclass(frozen=True)
class Report:
    """Where the alignment is, what it was made of, and the figures for phrases that no training saw, by kind."""

    folder: Path
    motions: int
    styles: tuple[str, ...]
    sets: tuple[str, ...]
    figures: Mapping[str, Mapping[str, float]]


def align(
    encoder: str,
    weights: Path | str | None = None,
    *,
    model: Path | None = None,
    sets: Sequence[str] | None = None,
    out: Path | None = None,
    steps: int = STEPS,
    force: bool = False,
    progress: Progress = lambda what, done, total: None,
    log: Log | None = None,
) -> Report:
    """Train pi for an encoder and write it with the bank; run it again to go on after an interruption.

    ``model``: the folder of the motion model, by default the package's. ``sets``: prepared sets with styles; by default
    those that the model was trained on, and where none is prepared the means of the styles that ship with the weights.
    ``out``: by default a folder below ``MOTIFMIX_HOME`` where generating finds it. Raises ``MotifmixError``s.
    """
    model = model or PACKAGE_WEIGHTS / "default"
    wanted, found = offer(encoder), find_weights(encoder, weights)
    opened = wanted.open(found)
    chosen = list(sets) if sets is not None else styled_sets(model)
    if out is not None and not force and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise FileError(f"{out} exists and is kept; choose another folder, or --force to write into it")
    own = identity(found)
    key = f"{encoder}-{own}"
    if not _kept(key).exists():
        # The network is loaded with its first text: a file that is none is said before thousands of motions are read. An
        # interrupted run that kept texts of these weights has read them, and goes on at once.
        opened.texts(["a word"])
    motions = motion_styles(model, chosen, lambda done, total: progress("style vectors of motions", done, total))
    folder = out or aligned_home() / f"{encoder}-{motions.card.sha256[:12]}"
    phrases = style_phrases_by_kind(motions.styles)
    vectors = unit_vectors(opened, key, phrases, progress)
    about = {
        "licence": wanted.licence,
        "extra": {
            "encoder": encoder,
            "encoder_weights": str(found.absolute()),
            "encoder_identity": own,
            "encoder_licence": wanted.licence,
        },
    }
    spoken = vectors.pop("trained")
    recipe = recipe_of(encoder, motions, own, steps)
    objective = JointAlignObjective(motions, spoken, vectors, about, recipe.options, recipe.seed)
    data = {**motions.data, encoder: own, "style_encoder": motions.card.sha256}
    train(recipe, objective, home() / "runs" / recipe.name, folder, log, data)
    return _report(folder, motions)


def recipe_of(encoder: str, motions: MotionStyles, own: str, steps: int) -> Recipe:
    """Return the recipe; what makes a run another one is in its name, so that only the same one goes on."""
    key = hashlib.sha256(f"{own} {motions.card.sha256} {sorted(motions.data.items())} {steps}".encode()).hexdigest()
    return Recipe(
        name=f"align-{encoder.replace('.', '-')}-{key[:12]}", objective="joint_align", data=list(motions.data) or ["bank"],
        steps=steps, learning_rate=1e-3, final_learning_rate=1e-5, weight_decay=0.01, warm_up=min(100, steps),
        ema=0.99, save_every=250, preview_every=10**9,
    )  # fmt: skip


def style_phrases_by_kind(styles: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """Return phrases by kind and style; those of ``trained`` alone are learned from."""
    return {
        "trained": {style: balanced(style_texts(style), PHRASES_A_STYLE) for style in styles},
        "everyday": {style: held_out_style_phrases(style) for style in styles},
        "hard": {style: hard_style_phrases(style) for style in styles},
    }


def balanced(phrases: Sequence[str], most: int) -> list[str]:
    """Return at most ``most`` phrases, evenly from all."""
    if len(phrases) <= most:
        return list(phrases)
    return [phrases[number * len(phrases) // most] for number in range(most)]


def unit_vectors(
    encoder: Texts,
    key: str,
    phrases: Mapping[str, Mapping[str, list[str]]],
    progress: Progress = lambda what, done, total: None,
) -> dict[str, dict[str, Tensor]]:
    """Return unit vectors ``[n, width]`` by kind and style; what was encoded before, also by an interrupted run, is read.

    ``key`` tells the encoder and its weights from others.
    """
    texts = sorted(
        {text for kind in phrases.values() for own in kind.values() for text in own}, key=lambda t: (len(t), t)
    )
    rows = {text: number for number, text in enumerate(texts)}
    parts = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = texts[start : start + TEXTS_AT_ONCE]
        name = hashlib.sha256("\n".join(part).encode()).hexdigest()[:20]
        path = _kept(key) / f"{name}.npy"
        if not path.exists():
            made = encoder.texts(part).numpy()
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, force=True) as beside:
                np.save(beside, made)
        parts.append(torch.from_numpy(np.load(path)))
        progress("encoding texts", start + len(part), len(texts))
    table = torch.cat(parts)
    return {
        kind: {style: table[[rows[text] for text in own]] for style, own in by_style.items()}
        for kind, by_style in phrases.items()
    }


def _kept(key: str) -> Path:
    return home() / "cache" / f"joint-{key}"


def _report(folder: Path, motions: MotionStyles) -> Report:
    from motifmix.pretrained.cards import read_card

    figures: dict[str, Any] = read_card(folder / f"{PROJECTION}.yaml").numbers
    return Report(folder, len(motions.vectors), motions.styles, tuple(motions.data), figures)
