"""Files for tests of styles from anything: ImageBind's published layout with next to nothing in it, and media."""

from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image
from tests.models.test_imagebind import published_names

from motifmix.encoders.tiny import tiny_imagebind


def write_imagebind(folder: Path, change: float = 0.0) -> Path:
    """Write ``imagebind_huge.pth`` as it is published, but tiny and random."""
    tensors = published_names(tiny_imagebind())
    others = {"modality_trunks.depth.blocks.0.norm_1.weight": torch.ones(3)}  # of a tower that is not built
    path = folder / "imagebind_huge.pth"
    torch.save({name: tensor + change for name, tensor in {**tensors, **others}.items()}, path)
    return path


def write_picture(path: Path, seed: int = 0, size: tuple[int, int] = (60, 40)) -> Path:
    """Write noise as a picture of ``size`` (width, height)."""
    points = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(points).save(path)
    return path


def write_sound(path: Path, samples: np.ndarray | None = None, rate: int = 16000) -> Path:
    """Write one channel of samples in -1 to 1 as the suffix says; two seconds of a tone by default."""
    if samples is None:
        samples = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)
    codec, kind = {".wav": ("pcm_s16le", "s16"), ".flac": ("flac", "s16"), ".mp3": ("libmp3lame", "s16p")}[path.suffix]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        numbers = (samples * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(numbers, format=kind, layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_film(path: Path, frames: int = 40) -> Path:
    """Write a film that grows brighter, nobody in it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=20)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            picture = np.full((48, 64, 3), 4 * number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
