"""The style encoder for people read off films: which films, kept how, what it learns, and whom it serves."""

import json
import shutil

import numpy as np
import pytest
import torch
from tests.data.duet_clips import prepared_people
from tests.encoders.test_video_pose import seen, walker
from tests.pipelines.conftest import write_model

from motifmix.data.prepared import Prepared
from motifmix.errors import DataError, WeightsError
from motifmix.evaluation.filmed import FPS, VIEWS, Filming
from motifmix.pipelines.text_to_motion import TextToMotion
from motifmix.training.films import COUNT, films_in, prepare_films, shots
from motifmix.training.objectives.film_style import FilmStyleObjective
from motifmix.training.recipe import Recipe
from motifmix.training.runs import build_objective

FILMS = 8


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Prepared:
    return prepared_people(tmp_path_factory.mktemp("home") / "data" / "bandai")


@pytest.fixture
def filmed(monkeypatch):
    """In place of the painter and the pose models: somebody who walks as fast as the camera stands beside them."""
    asked = []

    def read(self, motion, view):
        asked.append(view)
        return seen(walker(motion.frames, FPS, 0.5 + abs(view) / 180)[0], FPS)

    monkeypatch.setattr(Filming, "_read", read)
    return asked


def test_training_clips_are_filmed_from_all_sides_and_every_style_alike(people):
    chosen = list(shots(people, COUNT))
    assert {clip.split for clip, _, _ in chosen} == {"train"}
    degrees = np.array([degree for _, degree, _ in chosen])
    beside = [np.abs((degrees - side + 180) % 360 - 180) <= 25.0 for side in VIEWS.values()]
    assert np.array(beside).any(axis=0).all() and all(own.mean() > 0.08 for own in beside)
    styles = [clip.style for clip, _, _ in chosen[:40]]
    assert abs(styles.count("normal") - styles.count("elderly")) <= 1
    assert list(shots(people, 5)) == chosen[:5]


def test_films_are_read_once_and_counted_when_all_are_there(people, filmed, tmp_path):
    calls = []
    with pytest.raises(DataError, match="holds no films; run 'motifmix data prepare films"):
        list(films_in(tmp_path, [people]))

    def killed(done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare_films([people], tmp_path, [FILMS], killed)
    with pytest.raises(DataError, match="holds no films"):
        list(films_in(tmp_path, [people]))
    said = prepare_films([people], tmp_path, [FILMS], lambda done, of: calls.append((done, of)))
    assert calls[-1] == (FILMS, FILMS) and f"{FILMS} films" in said
    assert len(filmed) == len({(clip.id, degrees, first) for clip, degrees, first in shots(people, FILMS)})
    films = list(films_in(tmp_path, [people]))
    assert [(film.clip, film.view) for film in films] == [shot[:2] for shot in shots(people, FILMS)]
    next(tmp_path.glob("*.npz")).unlink()
    with pytest.raises(DataError, match="made of other clips"):
        list(films_in(tmp_path, [people]))


def test_a_film_begins_where_enough_of_the_clip_is_left(people, filmed, tmp_path):
    clip = people.select(split="train")[0]
    film = Filming(people, tmp_path).film(clip, 10.0, 10**6)
    assert film.truth.frames == pytest.approx(3.2 * 20, abs=1)
    last = people.motion(clip).resampled(20.0)
    wanted = last.rotations[-film.truth.frames :]
    assert min(np.abs(film.truth.rotations - own).max() for own in (wanted, -wanted)) < 0.2


def test_who_is_read_off_a_film_has_an_encoder_of_their_own(people, filmed, tmp_path, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(people.folder.parents[1]))
    weights = people.folder.parents[1] / "weights"
    shutil.rmtree(weights, ignore_errors=True)
    write_model(weights)
    prepare_films([people], people.folder.parent / "films", [FILMS])
    recipe = Recipe(
        name="films", objective="film_style", data=["bandai"], steps=30, learning_rate=1e-3, options={"batch": 8}
    )
    objective = build_objective(recipe)
    assert isinstance(objective, FilmStyleObjective)
    optimiser = torch.optim.AdamW(objective.modules.parameters(), lr=1e-3)

    def loss():
        value, figures = objective.loss(torch.Generator().manual_seed(0), np.random.default_rng(0))
        assert set(figures) == {"apart", "named", "right"}
        return value

    first = float(loss().detach())
    for _ in range(20):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.95 * first
    objective.preview(objective.modules, tmp_path, 20)
    assert {"read.png", "recorded.png", "alike.jsonl"} <= {path.name for path in tmp_path.iterdir()}
    assert 0.0 < json.loads((tmp_path / "alike.jsonl").read_text())["cosine"] <= 1.0
    before = TextToMotion(weights)
    person = people.motion(people.select(split="test")[0]).resampled(20.0)
    film = person.with_labels(video="clip.mp4")
    assert torch.equal(before.style_vector(person), before.style_vector(film))
    objective.save(objective.modules, weights, {"recipe": "films.yaml", "commit": "none"})
    after = TextToMotion(weights)
    assert torch.equal(after.style_vector(person), before.style_vector(person))
    assert not torch.allclose(after.style_vector(film), after.style_vector(person), atol=1e-3)
    trained = tmp_path / "trained"
    shutil.copytree(weights, trained)
    _change(trained)
    with pytest.raises(
        WeightsError, match=r"film_encoder goes with another style encoder; train recipes/default/films\.yaml"
    ):
        TextToMotion(trained)


def _change(folder) -> None:
    """Write a style encoder with other numbers."""
    from motifmix.pretrained.cards import read_weights, write_weights

    card, tensors = read_weights(folder, "style_encoder")
    write_weights(
        folder,
        "style_encoder",
        {name: value + 1 for name, value in tensors.items()},
        **card.model_dump(exclude={"sha256"}),
    )
