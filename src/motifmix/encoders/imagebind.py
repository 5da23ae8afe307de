"""Texts, pictures, films and sounds as unit vectors of one space, by ImageBind (non-commercial weights)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from motifmix.encoders.clip_tokenizer import ClipTokenizer
from motifmix.encoders.image import prepared_image, read_image
from motifmix.encoders.sound import CLIP_MEANS_ADD_UP, prepared_sound, read_sound
from motifmix.encoders.video import prepared_video, read_video
from motifmix.errors import WeightsError
from motifmix.models.imagebind import ImageBind


class ImageBindEncoder:
    """The network with its ways in, as published; every result is normalised, so that products are cosines."""

    def __init__(self, network: ImageBind, tokenizer: ClipTokenizer | None = None) -> None:
        self.network = network
        network.eval().requires_grad_(False)
        self.tokenizer = tokenizer or ClipTokenizer()

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return unit vectors ``[N, 1024]``."""
        ids = self.tokenizer.encode(texts, self.network.text.positions.shape[1])
        return self._unit("text", ids[:, : int(self.tokenizer.lengths(ids).max())])  # nothing sees what stands behind

    def image(self, picture: Path | str | np.ndarray) -> Tensor:
        """Return the unit vector ``[1024]`` of a picture file, or of bytes ``[height, width, 3]``."""
        pixels = picture if isinstance(picture, np.ndarray) else read_image(picture)
        return self._unit("vision", prepared_image(pixels, self.network.image_size)[None])[0]

    def video(self, path: Path | str) -> Tensor:
        """Return the unit vector ``[1024]`` of a film, its sound left aside."""
        return self._unit("vision", prepared_video(*read_video(path), size=self.network.image_size)[None])[0]

    def sound(self, path: Path | str) -> Tensor:
        """Return the unit vector ``[1024]`` of a sound file, or of a film's sound."""
        mel_bins, frames = self.network.spectrogram_size
        clips = prepared_sound(*read_sound(path), mel_bins=mel_bins, frames=frames, quirks=[CLIP_MEANS_ADD_UP])
        return self._unit("audio", clips[None])[0]

    @torch.no_grad()
    def _unit(self, modality: str, x: Tensor) -> Tensor:
        device = next(self.network.parameters()).device
        return functional.normalize(self.network(modality, x.to(device)), dim=-1)


def imagebind_encoder(folder: Path | str) -> ImageBindEncoder:
    """Load ImageBind from a folder that ``motifmix models convert`` wrote. Raises ``WeightsError``."""
    from motifmix.pretrained.converted import load_model

    model = load_model(Path(folder))
    network = model.parts.get("network")
    if not isinstance(network, ImageBind):
        raise WeightsError(f"{folder} holds {model.card.published}, not ImageBind")
    return ImageBindEncoder(network)
