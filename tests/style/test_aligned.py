"""A folder of ``motifmix align`` at work: both ways to a style vector, and what is said where something is amiss."""

from pathlib import Path

import pytest
import torch
from tests.joint_files import write_imagebind, write_picture
from torch.nn.functional import layer_norm

from motifmix.errors import FileError, RequestError, WeightsError
from motifmix.pretrained.cards import read_card, write_weights
from motifmix.style.aligned import Aligned, Reading, aligned_folders, described, find_aligned
from motifmix.training import alignment
from motifmix.training.alignment import align


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(alignment, "PHRASES_A_STYLE", 5)
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path, home) -> Path:
    return align("imagebind", write_imagebind(tmp_path), steps=3).folder


def test_retrieval_gives_a_motions_vector_and_projection_its_own(folder):
    found = Aligned(folder)
    embedding = torch.nn.functional.normalize(torch.randn(24, generator=torch.Generator().manual_seed(3)), dim=0)
    near, own = found.reading(embedding), found.reading(embedding, "projection")
    projected = layer_norm(found.projection(embedding), (found.vectors.shape[1],))
    torch.testing.assert_close(own.vector, projected)
    cosines = torch.nn.functional.cosine_similarity(projected[None], found.vectors)
    assert torch.equal(near.vector, found.vectors[cosines.argmax()])
    assert near.style == own.style == found.styles[int(found.owners[cosines.argmax()])]
    assert near.likeness == pytest.approx(float(cosines.max()), abs=1e-5)


def test_a_file_is_encoded_once_until_it_changes(tmp_path, folder, monkeypatch):
    found, read = Aligned(folder), []
    image = found.encoder.image
    monkeypatch.setattr(found.encoder, "image", lambda path: read.append(path) or image(path))
    path = write_picture(tmp_path / "p.png")
    first = found.read(path, "image")
    assert torch.equal(found.read(path, "image", "projection").vector, found.read(path, "image", "projection").vector)
    assert len(read) == 1
    path.unlink()
    with pytest.raises(FileError, match=r"p\.png"):
        found.read(path, "image")
    write_picture(path, seed=1, size=(50, 70))
    assert found.read(path, "image").likeness != first.likeness and len(read) == 2


def test_the_latest_alignment_that_fits_the_style_encoder_is_found(folder, home):
    own = Aligned(folder).style_encoder
    assert find_aligned(own).folder == folder
    with pytest.raises(RequestError, match=r"aligned to other weights.*--model FOLDER"):
        find_aligned("0" * 64)
    broken = home / "aligned" / "newer"
    broken.mkdir()
    (broken / "projection.yaml").write_text("x: 1")
    assert find_aligned(own).folder == folder
    with pytest.raises(WeightsError, match="newer"):
        find_aligned("0" * 64)


def test_weights_that_are_gone_or_others_are_said(tmp_path, folder):
    path = write_picture(tmp_path / "p.png")
    write_imagebind(tmp_path, change=0.01)
    with pytest.raises(WeightsError, match=r"holds other weights.*motifmix align"):
        Aligned(folder).read(path, "image")
    (tmp_path / "imagebind_huge.pth").unlink()
    with pytest.raises(WeightsError, match=r"imagebind_huge\.pth.* is gone; put it back"):
        Aligned(folder).read(path, "image")


def test_halves_of_two_runs_and_strangers_files_are_refused(folder):
    card = read_card(folder / "bank.yaml")
    facts = card.model_dump(exclude={"sha256"})
    write_weights(folder, "bank", {"vectors": torch.randn(3, 128), "owners": torch.zeros(3)}, **facts)
    with pytest.raises(WeightsError, match="not of one run"):
        Aligned(folder)
    facts = read_card(folder / "projection.yaml").model_dump(exclude={"sha256"})
    write_weights(folder, "projection", {"weight": torch.ones(128)}, **facts)
    with pytest.raises(WeightsError, match=r"no folder of 'motifmix align'"):
        Aligned(folder)
    (folder / "projection.yaml").unlink()
    assert aligned_folders() == []


def test_what_was_read_is_said_with_what_nobody_measured_and_the_terms():
    near, own = (Reading(torch.zeros(2), "elderly", 0.514, by) for by in ("retrieval", "projection"))
    said = described([("photo.jpg", near)] * 7, "CC BY-NC-SA 4.0")
    assert said[0] == "photo.jpg: read as the nearest motion's style, 'elderly' (cosine 0.51)"
    assert len(said) == 7 and said[5] == "and 2 more files were read in the same way"
    assert "has not been measured" in said[6] and said[6].endswith("CC BY-NC-SA 4.0")
    assert described([("a.wav", own)], "x")[0].startswith("a.wav: projected; nearest to it is 'elderly'")
    assert described([], "x") == []
