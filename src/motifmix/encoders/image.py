"""Pictures, read and prepared as CLIP and ImageBind were trained on them."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.errors import FileError

# Of CLIP's training pictures, red, green and blue in 0 to 1.
PIXEL_MEAN = (0.48145466, 0.4578275, 0.40821073)
PIXEL_STD = (0.26862954, 0.26130258, 0.27577711)
Colour = tuple[float, float, float]
FORMATS = ("PNG", "JPEG", "WEBP")  # no others are opened: one of Pillow's starts programs
MOST_POINTS = 64_000_000  # of a picture: what 200 MB of bytes hold
LARGEST_RATIO = 20  # of its sides: the shorter one becomes 224, so a thread of a picture would grow without bound


def read_image(path: Path | str) -> np.ndarray:
    """Return a picture file as bytes ``[height, width, 3]``, upright as its camera noted.

    Its size is looked at before a point of it is unpacked. Raises ``FileError`` for what is no picture, too large or a
    thread.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's own bound is higher than ours
            with Image.open(path, formats=FORMATS) as picture:
                check_size(path, *picture.size)
                return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    except FileError:
        raise
    except Image.DecompressionBombError as error:
        raise FileError(f"{path}: this picture is too large to be read ({error})") from error
    except Exception as error:  # decoders of strangers' files raise what they like
        raise FileError(f"{path}: this picture cannot be read ({error})") from error


def check_size(path: Path | str, width: int, height: int, most: int = MOST_POINTS) -> None:
    """Raise ``FileError`` for a picture that is too large to unpack or too thin to be brought to a square."""
    if width * height > most:
        raise FileError(
            f"{path}: a picture of {width} x {height} points is too large; make it smaller than {most:,} points"
        )
    if min(width, height) < 1 or max(width, height) > LARGEST_RATIO * min(width, height):
        raise FileError(
            f"{path}: a picture of {width} x {height} points is a thread; cut it to at most {LARGEST_RATIO} times as "
            "long as wide"
        )


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
