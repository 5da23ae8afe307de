"""The encoders of one space: where their weights are looked for, what is said where they are not, and how they are read."""

from pathlib import Path

import pytest
import torch
from tests.joint_files import write_film, write_imagebind, write_picture, write_sound
from tests.models.test_imagebind import published_names

from motifmix.encoders import encoder_files, joint
from motifmix.encoders.joint.imagebind import imagebind_encoder
from motifmix.encoders.tiny import tiny_imagebind
from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.maps.imagebind import read_sizes
from motifmix.pretrained.published import published


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_file_of_the_published_layout_gives_what_the_network_gives(tmp_path):
    encoder = imagebind_encoder(write_imagebind(tmp_path))
    network = tiny_imagebind()
    ids = encoder.tokenizer.encode(["old", "a proud person"], 77)
    with torch.no_grad():
        torch.testing.assert_close(encoder.scaled_texts(["old", "a proud person"]), network("text", ids))
    picture = encoder.image(write_picture(tmp_path / "p.png"))
    film, sound = encoder.video(write_film(tmp_path / "f.mp4")), encoder.sound(write_sound(tmp_path / "s.wav"))
    for vector in (picture, film, sound):
        assert vector.shape == (24,)
        torch.testing.assert_close(vector.norm(), torch.tensor(1.0))
    assert not torch.allclose(picture, film, atol=1e-2)


def test_the_sizes_are_read_from_the_tensors():
    sizes = read_sizes(published_names(tiny_imagebind()))
    assert sizes == {
        "output_dim": 24, "text_layers": 1, "text_width": 32, "vision_layers": 1, "vision_width": 32,
        "audio_layers": 1, "audio_width": 24, "vocabulary": 49408, "context_length": 77, "vision_patch": (2, 14, 14),
        "image_size": 28,
    }  # fmt: skip


def test_a_converted_folder_gives_the_same(tmp_path):
    sizes = {"output_dim": 24, "image_size": 28, "vision_width": 32, "vision_layers": 1, "text_width": 32}
    sizes |= {"text_layers": 1, "audio_width": 24, "audio_layers": 1}
    file = write_imagebind(tmp_path)
    folder = convert(published("imagebind"), [file], tmp_path / "converted", sizes={"network": sizes})
    picture = write_picture(tmp_path / "p.png")
    assert joint.find_weights("imagebind", folder) == folder
    torch.testing.assert_close(imagebind_encoder(folder).image(picture), imagebind_encoder(file).image(picture))
    assert joint.identity(folder) != joint.identity(file)


def test_weights_are_found_in_the_home_in_a_folder_and_by_name(tmp_path, home):
    file = write_imagebind(tmp_path)
    assert joint.find_weights("imagebind", file) == joint.find_weights("imagebind", tmp_path) == file
    joint.weights_folder("imagebind").mkdir(parents=True)
    file.rename(joint.weights_folder("imagebind") / file.name)
    assert joint.find_weights("imagebind") == home / "encoders" / "imagebind" / "imagebind_huge.pth"


@pytest.mark.parametrize("given", [None, "nowhere.pth", "folder"])
def test_without_weights_one_sentence_says_what_to_fetch(tmp_path, given):
    (tmp_path / "folder").mkdir()
    with pytest.raises(WeightsError) as error:
        joint.find_weights("imagebind", None if given is None else tmp_path / given)
    for fact in ("imagebind_huge.pth", "4.8 GB", "https://dl.fbaipublicfiles.com/imagebind/", "CC BY-NC-SA 4.0"):
        assert fact in str(error.value)
    assert "\n" not in str(error.value)


def test_a_repository_of_the_hub_is_asked_for_and_named_where_it_does_not_answer(tmp_path, monkeypatch):
    file, asked = write_imagebind(tmp_path), []

    def from_hub(self, names, *, download):
        asked.append((self.repository, names[0], download))
        return file if download else None

    monkeypatch.setattr(encoder_files.EncoderFiles, "_from_hub", from_hub)
    monkeypatch.setattr(encoder_files, "hub_answers", lambda: True)
    assert joint.find_weights("imagebind", "someone/imagebind") == file
    assert asked[0] == ("someone/imagebind", "imagebind_huge.pth", False)
    with pytest.raises(WeightsError, match=r"someone/imagebind is no file or folder here.*fetch imagebind_huge"):
        joint.find_weights("imagebind", "someone/imagebind", offline=True)


def test_what_is_not_the_file_is_said_with_what_is(tmp_path):
    picture = write_picture(tmp_path / "p.png")
    (tmp_path / "page.pth").write_bytes(b"<html>not found</html>")
    torch.save({"weight": torch.ones(3)}, tmp_path / "other.pth")
    tensors = published_names(tiny_imagebind())
    torch.save({n: t for n, t in tensors.items() if "vision.blocks.0.mlp" not in n}, tmp_path / "part.pth")
    torch.save({n: t * float("nan") for n, t in tensors.items()}, tmp_path / "nan.pth")
    for name, words in (("page", "web page"), ("other", "vision tower"), ("part", "missing"), ("nan", "not finite")):
        with pytest.raises(WeightsError, match=rf"{name}\.pth.*{words}.*imagebind_huge\.pth"):
            imagebind_encoder(tmp_path / f"{name}.pth").image(picture)


def test_a_file_is_read_before_any_weights_are_loaded(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"x")
    encoder = imagebind_encoder(write_imagebind(tmp_path))
    with pytest.raises(FileError, match=r"broken\.jpg"):
        encoder.image(tmp_path / "broken.jpg")
    assert encoder._loaded == {}


def test_other_weights_have_another_identity(tmp_path):
    file = write_imagebind(tmp_path)
    before = joint.identity(file)
    assert joint.identity(file) == before
    write_imagebind(tmp_path, change=0.1)
    assert joint.identity(file) != before
    with pytest.raises(WeightsError, match="cannot be read"):
        joint.identity(tmp_path / "gone.pth")


def test_an_unknown_encoder_is_offered_the_known_ones():
    assert joint.encoder_names() == ["imagebind"]
    with pytest.raises(RequestError, match="did you mean imagebind"):
        joint.offer("image-bind")
    with pytest.raises(RequestError, match="known are imagebind"):
        joint.offer("xyz")
