"""Pictures, read and prepared as CLIP and ImageBind were trained on them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.errors import FileError

# Of CLIP's training pictures, red, green and blue in 0 to 1.
PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
Colour = tuple[float, float, float]


def read_image(path: Path | str) -> np.ndarray:
    """Return a picture file as bytes ``[height, width, 3]``, upright as its camera noted. Raises ``FileError``."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except (OSError, UnidentifiedImageError, SyntaxError, Image.DecompressionBombError) as error:
        raise FileError(f"{path}: this picture cannot be read ({error})") from error


def prepared_image(image: np.ndarray, size: int = 224, mean: Colour = PIXEL_MEAN, std: Colour = PIXEL_STD) -> Tensor:
    """Return a picture ``[height, width, 3]`` of bytes as the normalised square ``[3, size, size]`` in its middle.

    The shorter side becomes ``size`` by Pillow's bicubic filter on bytes, as published.
    """
    from PIL import Image

    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"a picture is [height, width, 3] of bytes, not {image.shape} of {image.dtype}")
    height, width = image.shape[:2]
    if width <= height:
        target = (size, int(size * height / width))
    else:
        target = (int(size * width / height), size)
    picture = Image.fromarray(image).resize(target, Image.Resampling.BICUBIC)
    left, top = (round((side - size) / 2) for side in target)
    pixels = np.asarray(picture)[top : top + size, left : left + size].astype(np.float32) / 255
    normalised = (pixels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))
