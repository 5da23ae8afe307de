import numpy as np
import pytest
import torch

from motifmix.encoders.clip_tokenizer import ClipTokenizer
from motifmix.encoders.joint.imagebind import ImageBindEncoder, imagebind_encoder
from motifmix.errors import WeightsError
from motifmix.models.imagebind import ImageBind


@pytest.fixture(scope="module")
def encoder() -> ImageBindEncoder:
    torch.manual_seed(0)
    network = ImageBind(
        output_dim=10, image_size=28, vision_width=16, vision_layers=1, vision_heads=2, text_width=12, text_layers=1,
        text_heads=3, vocabulary=514, audio_width=20, audio_layers=1, audio_heads=4, mel_bins=26, audio_frames=36,
    )  # fmt: skip
    return ImageBindEncoder(network, ClipTokenizer(merges=[]))


def test_everything_becomes_a_unit_vector(encoder: ImageBindEncoder, monkeypatch):
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    noise = np.random.default_rng(1).standard_normal((2, 8000))
    monkeypatch.setattr("motifmix.encoders.joint.imagebind.read_video", lambda path: (np.stack([picture] * 9), 9, 3.0))
    monkeypatch.setattr("motifmix.encoders.joint.imagebind.read_sound", lambda path: (0.1 * noise, 8000))
    image = encoder.image(picture)
    for vector in (image, encoder.video("film"), encoder.sound("sound")):
        torch.testing.assert_close(vector.norm(), torch.tensor(1.0))
        assert vector.shape == (10,)
    texts = encoder.texts(["old", "a proud walk", ""])
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(encoder.texts(["old"]), texts[:1])


def test_without_a_converted_folder_it_says_how_to_make_one(tmp_path):
    with pytest.raises(WeightsError, match="models convert"):
        imagebind_encoder(tmp_path)
