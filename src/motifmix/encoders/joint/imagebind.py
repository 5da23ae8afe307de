"""Texts, pictures, films and sounds as unit vectors of one space, by ImageBind (non-commercial weights)."""

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from motifmix.encoders.clip_tokenizer import ClipTokenizer
from motifmix.encoders.image import prepared_image, read_image
from motifmix.encoders.joint import JointEncoder, Offer, Table
from motifmix.encoders.sound import CLIP_MEANS_ADD_UP, check_heard, prepared_sound, read_sound
from motifmix.encoders.video import prepared_video, read_video
from motifmix.errors import FileError, WeightsError
from motifmix.models.imagebind import TOWERS, ImageBind

TEXTS_AT_ONCE = 32

# What the README of facebookresearch/ImageBind prints for its own examples: softmax over the second.
EXAMPLES = ("dog", "car", "bird")
EXAMPLE_TEXTS = ("A dog.", "A car", "A bird")
IMAGES_TO_TEXTS = (
    (9.9761e-01, 2.3694e-03, 1.8612e-05),
    (3.3836e-05, 9.9994e-01, 2.4118e-05),
    (4.7997e-05, 1.3496e-02, 9.8646e-01),
)
SOUNDS_TO_TEXTS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
IMAGES_TO_SOUNDS = ((0.8070, 0.1088, 0.0842), (0.1036, 0.7884, 0.1079), (0.0018, 0.0022, 0.9960))


class ImageBindEncoder:
    """The network with its ways in, as published; every result is normalised, so that products are cosines.

    ``network`` is one with all towers, or gives one that has the tower asked for.
    """

    def __init__(self, network: ImageBind | Callable[[str], ImageBind], tokenizer: ClipTokenizer | None = None) -> None:
        self._given = network
        self._loaded: dict[str, ImageBind] = {}
        self.tokenizer = tokenizer or ClipTokenizer()

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors ``[N, 1024]``."""
        return functional.normalize(self.scaled_texts(texts), dim=-1)

    def image(self, picture: Path | str | np.ndarray) -> Tensor:
        """Return the unit vector ``[1024]`` of a picture file, or of bytes ``[height, width, 3]``."""
        pixels = picture if isinstance(picture, np.ndarray) else read_image(picture)
        network = self._network("vision")
        return self._unit("vision", prepared_image(pixels, network.image_size)[None])[0]

    def video(self, path: Path | str) -> Tensor:
        """Return the unit vector ``[1024]`` of a film, its sound left aside."""
        frames, total, fps = read_video(path)
        network = self._network("vision")
        return self._unit("vision", prepared_video(frames, total, fps, size=network.image_size)[None])[0]

    def sound(self, path: Path | str) -> Tensor:
        """Return the unit vector ``[1024]`` of a sound file, or of a film's sound."""
        return functional.normalize(self.scaled_sound(path), dim=-1)

    def scaled_texts(self, texts: Sequence[str]) -> Tensor:
        """Return embeddings ``[N, 1024]`` with the learned scale that the published network gives them."""
        network = self._network("text")
        ids = self.tokenizer.encode(texts, network.text.positions.shape[1])
        parts = [
            # Nothing sees what stands behind the longest text of a part.
            self._embedded("text", part[:, : int(self.tokenizer.lengths(part).max())])
            for part in ids.split(TEXTS_AT_ONCE)
        ]
        return torch.cat(parts)

    def scaled_sound(self, path: Path | str) -> Tensor:
        """Return the embedding ``[1024]`` with the scale of 20 that the published network gives sounds."""
        waveform, rate = read_sound(path)
        check_heard(path, waveform, rate)
        mel_bins, frames = self._network("audio").spectrogram_size
        clips = prepared_sound(waveform, rate, mel_bins=mel_bins, frames=frames, quirks=[CLIP_MEANS_ADD_UP])
        return self._embedded("audio", clips[None])[0]

    def _network(self, tower: str) -> ImageBind:
        if tower not in self._loaded:
            network = self._given if isinstance(self._given, ImageBind) else self._given(tower)
            self._loaded[tower] = network.eval().requires_grad_(False)
        return self._loaded[tower]

    def _unit(self, modality: str, x: Tensor) -> Tensor:
        return functional.normalize(self._embedded(modality, x), dim=-1)

    @torch.no_grad()
    def _embedded(self, modality: str, x: Tensor) -> Tensor:
        network = self._network(modality)
        return network(modality, x.to(next(network.parameters()).device)).cpu()


def imagebind_encoder(weights: Path | str) -> ImageBindEncoder:
    """Open ImageBind from its published file, or from a folder that ``motifmix models convert`` wrote.

    Towers are loaded when they are needed. Raises ``WeightsError``.
    """
    weights = Path(weights)
    if weights.is_dir():
        _converted_card(weights)
        return ImageBindEncoder(partial(_of_folder, weights))
    if not weights.is_file():
        raise WeightsError(
            f"{weights} does not exist; name imagebind_huge.pth, or a folder of 'motifmix models convert'"
        )
    return ImageBindEncoder(partial(_of_file, weights))


def _converted_card(folder: Path) -> None:
    from motifmix.pretrained.converted import read_model_card

    card = read_model_card(folder)
    if card.published != "imagebind":
        raise WeightsError(f"{folder} holds {card.published}, not ImageBind")


def _of_folder(folder: Path, tower: str) -> ImageBind:
    from motifmix.pretrained.converted import load_model

    network = load_model(folder).parts.get("network")
    if not isinstance(network, ImageBind) or not hasattr(network, tower):
        raise WeightsError(f"{folder} holds no {tower} tower of ImageBind")
    for other in TOWERS:
        if other != tower and hasattr(network, other):
            delattr(network, other)
    return _placed(network)


def _of_file(path: Path, tower: str) -> ImageBind:
    """Build one tower from a published file of all; the others are passed over by name."""
    from motifmix.pretrained.maps.imagebind import STATIONS, imagebind_map, read_sizes
    from motifmix.pretrained.maps.key_map import fit
    from motifmix.pretrained.safe_reading import read_safely, state_dict

    try:
        everything, _ = state_dict(read_safely(path))
    except FileError as error:
        raise WeightsError(f"{error}; what is needed is {OFFER.fetch}") from error
    published = {name: t.float() for name, t in everything.items() if re.match(rf"{STATIONS}\.{tower}\.", name)}
    del everything
    try:
        sizes = read_sizes(published, [tower])
        with torch.device("meta"):  # nothing is allocated before every shape fits
            network = ImageBind([tower], **sizes)
        found = fit(network, published, imagebind_map([tower]))
    except (KeyError, IndexError, ValueError, TypeError, RuntimeError, ZeroDivisionError) as error:
        raise WeightsError(
            f"{path} does not hold ImageBind's {tower} tower as it is published; what is needed is {OFFER.fetch}"
        ) from error
    if found.complaints:
        raise WeightsError(f"{path}: {found}; what is needed is {OFFER.fetch}")
    tables = {name: torch.tensor(20.0).log() for name in found.computed}  # the fixed scale, where a file leaves it out
    network.load_state_dict({**tables, **found.tensors}, assign=True)
    return _placed(network)


def _placed(network: ImageBind) -> ImageBind:
    return network.to("cuda") if torch.cuda.is_available() else network


def check_examples(encoder: JointEncoder, folder: Path) -> list[Table]:
    """Compute the tables that the authors' README prints, of its files in ``folder``. Raises ``FileError``."""
    if not isinstance(encoder, ImageBindEncoder):
        raise TypeError("these are ImageBind's examples")
    found = _examples(folder, OFFER.examples)
    texts = encoder.scaled_texts(EXAMPLE_TEXTS)
    images = torch.stack([encoder.image(found[f"{name}_image.jpg"]) for name in EXAMPLES])
    sounds = torch.stack([encoder.scaled_sound(found[f"{name}_audio.wav"]) for name in EXAMPLES])

    def table(title: str, one: Tensor, other: Tensor, columns: Sequence[str], published: tuple) -> Table:
        ours = torch.softmax(one @ other.T, dim=-1).tolist()
        return Table(title, EXAMPLES, tuple(columns), published, tuple(map(tuple, ours)))

    return [
        table("pictures x texts", images, texts, EXAMPLE_TEXTS, IMAGES_TO_TEXTS),
        table("sounds x texts", sounds, texts, EXAMPLE_TEXTS, SOUNDS_TO_TEXTS),
        table("pictures x sounds", images, sounds, EXAMPLES, IMAGES_TO_SOUNDS),
    ]


def _examples(folder: Path, names: Collection[str]) -> dict[str, Path]:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise FileError(
            f"{folder} lacks {', '.join(missing)}; put the six examples of {OFFER.examples_from} into one folder"
        )
    return {name: folder / name for name in names}


OFFER = Offer(
    title="ImageBind",
    files=("imagebind_huge.pth", "imagebind_huge.safetensors"),
    fetch=(
        "imagebind_huge.pth (4.8 GB) from https://dl.fbaipublicfiles.com/imagebind/imagebind_huge.pth, under "
        "CC BY-NC-SA 4.0: not for commercial use"
    ),
    licence="CC BY-NC-SA 4.0 (ImageBind): not for commercial use, and shared under the same terms",
    open=imagebind_encoder,
    examples=tuple(f"{name}_{kind}" for kind in ("image.jpg", "audio.wav") for name in EXAMPLES),
    examples_from="github.com/facebookresearch/ImageBind (folder .assets)",
    check=check_examples,
)
