"""Converted folders that generate: small networks with random numbers under the published names, whole way through."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from tests.pretrained.published_files import files_of
from tests.pretrained.test_combinations import SIZES as SMOODI
from tests.pretrained.test_mixermdm_file import TINY as MIXED

import motifmix
from motifmix.apps.cli.main import main
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Difference, Guided, sample_along
from motifmix.diffusion.discrete import DiscreteSchedule, cosine_betas
from motifmix.diffusion.solvers import ancestral_step
from motifmix.encoders.clip_text import ClipText
from motifmix.errors import RequestError, WeightsError
from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.space import Normaliser
from motifmix.mix.mixed import PUBLISHED_MIXTURE
from motifmix.mix.schedules import published_schedule
from motifmix.models.clip_text import ClipTextTower
from motifmix.models.in2in import SECOND_PERSON_NOT_CARRIED, multi_condition_guidance
from motifmix.motion import Motion, Scene
from motifmix.pipelines.mld import MLD
from motifmix.pipelines.published import at_work, composed, generator
from motifmix.pretrained.conversion import convert
from motifmix.pretrained.converted import ModelCard, PublishedNetworks
from motifmix.pretrained.published import published

TEXT = 12
CLIP = {"width": 8, "layers": 1, "heads": 1}
NET = {"width": 8, "feed_forward": 8, "heads": 2, "blocks": 1, "text": 8}
HEAD = {"width": 8, "layers": 1, "heads": 2, "feed_forward": 8}
LATENT = {"width": 8, "feed_forward": 12, "layers": 3, "heads": 2, "positions": 400}
PAIR = {"denoiser": NET, "text_head": HEAD, "clip": CLIP}
SIZES: dict[str, dict[str, dict[str, Any]]] = {
    "mld": {"vae": LATENT, "denoiser": {**LATENT, "text_dim": TEXT}},
    "smoodi": {
        "vae": LATENT,
        "denoiser": {**SMOODI["denoiser"], **LATENT, "text_dim": TEXT},
        "style_network": {**SMOODI["style_network"], **LATENT},
    },
    "mdm": {"denoiser": {"width": 8, "feed_forward": 8, "layers": 1, "heads": 2, "text": TEXT}},
    "motionlcm": {
        "vae": LATENT,
        "denoiser": {
            **LATENT, "latent_dim": 8, "text_dim": TEXT, "time_dim": 8, "guidance_dim": 8,
        },
    },
    "intergen": PAIR,
    "in2in": PAIR,
    "in2in-individual": PAIR,
    "dualmdm": {
        "individual": NET, "interaction": NET, "individual_text_head": HEAD, "interaction_text_head": HEAD, "clip": CLIP,
    },
    "mixermdm": {**MIXED, "individual_clip": CLIP, "clip": CLIP},
}  # fmt: skip
PEOPLE = {"intergen": 2, "in2in": 2, "dualmdm": 2, "mixermdm": 2}


def folder_of(name: str, place: Path) -> Path:
    """A converted folder of a small model."""
    model, paths = published(name), []
    for short, content in files_of(model, SIZES[name]).items():
        paths.append(place / f"{short}.pt")
        torch.save(content, paths[-1])
    for statistics in model.statistics.values():
        np.save(place / statistics.mean[0], np.linspace(-0.1, 0.1, statistics.dim, dtype=np.float32))
        np.save(place / statistics.std[0], np.full(statistics.dim, 0.5, np.float32))
    return convert(model, paths, place / name, stats=place, sizes=SIZES[name])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = folder_of(name, tmp_path_factory.mktemp(name))
        return made[name]

    return folder


@pytest.fixture(autouse=True)
def encoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small random tower in place of each of CLIP's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ClipText(ClipTextTower(**CLIP, projection_dim=TEXT), "embedding")
    monkeypatch.setattr(generator, "text_encoder", lambda name: encoder)


def loaded(folder: Path) -> Any:
    """The folder's model; what it is depends on what lies there."""
    return motifmix.load(folder)


def few(name: str) -> dict[str, int]:
    return {"steps": 1 if name == "motionlcm" else 4}


@pytest.mark.parametrize("name", SIZES)
def test_a_seed_is_a_motion_of_the_length_asked_for_alone_or_among_others(folders, name):
    model = loaded(folders(name))
    people, fps = PEOPLE.get(name, 1), model.space.fps
    seen: list[tuple[int, int]] = []
    made = model.generate(
        ["two people shake hands", "they bow", "they bow"], seconds=[1.0, 1.5, 1.5], seeds=[4, 5, 6],
        progress=lambda done, of: seen.append((done, of)), **few(name),
    )  # fmt: skip
    assert seen[-1][0] == seen[-1][1] and [done for done, _ in seen] == list(range(1, len(seen) + 1))
    one: Any
    for one, seconds, seed in zip(made, (1.0, 1.5, 1.5), (4, 5, 6), strict=True):
        assert isinstance(one, Scene if people == 2 else Motion)
        motions: list[Motion] = list(one) if isinstance(one, Scene) else [one]
        assert len(motions) == people
        for motion in motions:
            assert motion.joints.shape == (round(seconds * fps), 22, 3) and np.isfinite(motion.joints).all()
            assert motion.fps == fps and motion.labels["seed"] == seed and motion.labels["licence"] == model.licence
    again = model.generate(["they bow"], seconds=1.5, seeds=5, **few(name))[0]
    first = joints(made[1])
    np.testing.assert_allclose(joints(again), first, atol=1e-4)
    assert np.abs(joints(made[2]) - first).max() > 1e-3


def joints(made: Motion | Scene) -> np.ndarray:
    return np.stack([motion.joints for motion in (made if isinstance(made, Scene) else [made])])


def normalised_text(model: Any, texts: list[str]) -> torch.Tensor:
    return model.text_encoder.encode(texts).values


def test_mld_is_the_sampler_that_is_measured_against_its_authors(folders):
    model = loaded(folders("mld"))
    made = model.generate(["they bow"], seconds=1.0, seeds=3)[0]
    motion = model.statistics["motion"]
    pipeline = MLD(
        model.parts["vae"], model.parts["denoiser"], normalised_text(model, [""]),
        torch.from_numpy(motion.mean), torch.from_numpy(motion.std),
    )  # fmt: skip
    noise = torch.randn(1, 8, generator=torch.Generator().manual_seed(3))[None]
    steps = list(pipeline.sample(normalised_text(model, ["they bow"]), noise))  # its defaults are the published setting
    assert len(steps) == 50
    features = pipeline.decode(steps[-1].noisy, torch.ones(1, 20, dtype=torch.bool))[0].numpy()
    expected = HumanML3DSpace().decode(motion.restore(features))
    np.testing.assert_allclose(made.joints, expected.joints, atol=1e-5)


def test_intergen_takes_the_published_steps_and_scale(folders):
    model = loaded(folders("intergen"))
    scene = model.generate(["they bow"], seconds=1.0, seeds=3)[0]
    found = ClipText(model.parts["clip"], "tokens").encode(["they bow"])
    text = model.parts["text_head"](found.values, found.ids)
    noise = torch.randn(299, 524, generator=torch.Generator().manual_seed(3))[None, :30]
    present = torch.ones(1, dtype=torch.bool)
    levels = DiscreteSchedule.of(cosine_betas(1000), "ddim50").levels()
    assert [levels[0].step, levels[-2].step] == [980, 0]
    guided = Guided(model.parts["denoiser"].denoise, [("text", 3.5)])
    condition = Condition({"text": Part(text, present)})
    *_, last = sample_along(guided, levels, noise, condition, torch.ones(1, 30, dtype=torch.bool))
    for person, features in zip(scene, last.clean[0].chunk(2, dim=-1), strict=True):
        expected = InterHumanSpace().decode(model.statistics["motion"].restore(features.numpy()))
        np.testing.assert_allclose(person.joints, expected.joints, atol=1e-4)


@pytest.mark.parametrize("name", ["in2in", "dualmdm", "mixermdm"])
def test_people_may_have_texts_of_their_own(folders, name):
    model = loaded(folders(name))
    asked: dict[str, Any] = {"texts": ["they bow"], "seconds": 1.0, "seeds": [1], "steps": 4}
    shared = model.generate(**asked)
    told = model.generate(**asked, individual_texts=[("they bow", "they bow")])
    other = model.generate(**asked, individual_texts=[("they bow", "someone runs away")])
    np.testing.assert_allclose(joints(told[0]), joints(shared[0]), atol=1e-5)
    assert np.abs(joints(other[0]) - joints(shared[0])).max() > 1e-6
    with pytest.raises(RequestError, match="makes 2 people; give a text for each"):
        model.generate(**asked, individual_texts=[("they bow",)])


def test_smoodi_takes_its_style_from_a_motion(folders, tmp_path):
    model = loaded(folders("smoodi"))
    assert [quirk.name for quirk in model.pipeline.quirks] == list(published("smoodi").quirks)
    style = loaded(folders("mdm")).generate(["a wild dance"], seconds=1.0, seeds=[7], steps=2)[0]
    motifmix.write(tmp_path / "dance.npz", style)
    asked: dict[str, Any] = {"texts": ["they bow"], "seconds": 1.0, "seeds": [1], "steps": 5}
    plain, styled = model.generate(**asked)[0], model.generate(**asked, styles=[style])[0]
    assert np.abs(styled.joints - plain.joints).max() > 1e-4 and np.isfinite(styled.joints).all()
    # The reference is shuffled by the item's own seed, so the same file gives the same motion.
    again = model.generate(**asked, styles=[tmp_path / "dance.npz"])[0]
    np.testing.assert_allclose(again.joints, styled.joints, atol=1e-3)
    none = [model.generate(**asked, styles=[one], strength=0.0)[0] for one in (style, style.mirrored())]
    np.testing.assert_allclose(none[0].joints, none[1].joints, atol=1e-5)
    with pytest.raises(RequestError, match=r"smoodi takes the style of one motion; give a \.bvh or \.npz"):
        model.generate(**asked, styles=["old"])


@pytest.mark.parametrize(
    ("name", "asked", "complaint"),
    [
        ("mld", {"seconds": 9.9}, "mld makes 1 to 9.8 seconds"),
        ("intergen", {"seconds": 0.5}, "intergen makes 1 to 9.9 seconds"),
        ("mld", {"styles": ["old"]}, "mld takes no style"),
        ("mld", {"strength": 0.5}, "it has no strength"),
        ("mld", {"individual_texts": [("a", "b")]}, "mld reads one text only"),
        ("mld", {"steps": 0}, "0 denoising steps are out of range"),
        ("intergen", {"steps": 999}, "999 denoising steps do not fit this model"),
        ("motionlcm", {"steps": 3}, "motionlcm takes 1, 2, 4 denoising steps, not 3"),
        ("mld", {"texts": [" "]}, "the text is empty"),
        ("mld", {"texts": "they bow"}, "texts is a list"),
        ("mld", {"seeds": [1, 2]}, "2 seeds were given for 1 texts"),
    ],
)
def test_what_cannot_be_met_is_said(folders, name, asked, complaint):
    with pytest.raises(RequestError, match=complaint):
        loaded(folders(name)).generate(**{"texts": ["they bow"], **asked})


@pytest.mark.parametrize("name", ["mld", "dualmdm"])
def test_the_command_writes_files_that_carry_the_models_licence(folders, name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["generate", "they bow", "--weights", str(folders(name)), "--seconds", "1", "--out", "bow.bvh"]) == 0
    said = capsys.readouterr()
    assert said.out == "bow.bvh\n" and f"{published(name).title}: {published(name).licence.consequence}" in said.err
    assert said.err.splitlines()[-1].endswith(f"{published(name).title}; {published(name).licence.consequence}")
    scene = motifmix.read("bow.bvh")
    assert len(scene) == PEOPLE.get(name, 1) and scene.fps == pytest.approx(30)


def test_an_absent_text_encoder_says_which_file_goes_where(folders, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path))
    monkeypatch.setattr("motifmix.encoders.encoder_files.hub_answers", lambda: False)
    with pytest.raises(WeightsError, match=r"clip-vit-large-patch14 needs model\.safetensors .*put it into"):
        loaded(folders("mld")).generate(["they bow"])
    assert loaded(folders("intergen")).generate(["they bow"], seconds=1.0, steps=2)  # its file holds a tower


def test_a_model_without_motions_says_so(tmp_path):
    model = published("interclip")
    card = ModelCard(
        published=model.name, title=model.title, converted_by="", files={}, licence=model.licence,
        citation=model.citation, parts=[],
    )  # fmt: skip
    with pytest.raises(RequestError, match="interclip makes no motions from texts"):
        cast(Any, at_work(PublishedNetworks(card, {}, {}))).generate(["they bow"])


def what_is_sampled(monkeypatch: pytest.MonkeyPatch, module: Any, sampler: str, model: Any) -> list[Any]:
    """What the model hands to a sampler of the library for one request."""
    handed: list[Any] = []

    def spy(*given: Any, **options: Any) -> Any:
        handed.append(given)
        return original(*given, **options)

    original = getattr(module, sampler)
    monkeypatch.setattr(module, sampler, spy)
    model.generate(["they bow"], seconds=1.0, seeds=3, individual_texts=[("one bows", "one waves")])
    (given,) = handed
    return list(given)


def read_by(model: Any, clip: str, head: str, *texts: str) -> torch.Tensor:
    found = ClipText(model.parts[clip], "tokens").encode(texts)
    return model.parts[head](found.values, found.ids)


def test_mixermdm_hands_on_what_the_oracle_measures(folders, monkeypatch):
    model = loaded(folders("mixermdm"))
    guided, chains, levels, states, condition, _ = what_is_sampled(monkeypatch, composed, "sample_chains", model)
    (term,) = guided.terms
    assert term.scale == 3.5 and set(term.told) == set(condition.parts) and not term.against
    assert [chain.name for chain in chains] == ["interaction", "individual"]
    assert set(guided.denoiser.quirks) == set(chains[1].quirks) == set(PUBLISHED_MIXTURE)
    assert len(levels) == 51 and torch.equal(states[0], states[1]) and states[0].shape == (1, 2, 30, 262)
    told = {name: part.value[0] for name, part in condition.parts.items()}
    people = ("one bows", "one waves")
    for name, expected in {
        "interaction.text": read_by(model, "clip", "interaction_text_head", "they bow")[0],
        "interaction.individual_text": read_by(model, "clip", "interaction_text_head", *people),
        "individual.individual_text": read_by(model, "individual_clip", "individual_text_head", *people),
        "mixer.text": read_by(model, "clip", "text_head", "they bow")[0],
        "mixer.individual_text": read_by(model, "clip", "text_head", *people),
    }.items():
        torch.testing.assert_close(told[name], expected)


def test_dualmdm_hands_on_what_the_oracle_measures(folders, monkeypatch):
    model = loaded(folders("dualmdm"))
    dual, levels, _, condition, _ = what_is_sampled(monkeypatch, generator, "sample_along", model)
    assert dual.share == published_schedule("exp", 0.0085) and len(levels) == 51
    (together,), (alone,) = dual.interaction.denoiser.terms, dual.individual.denoiser.terms
    assert together == Difference(3.5, ("text", "individual_text")) and alone == Difference(2.5, ("individual_text",))
    assert dual.individual.denoiser.denoiser.keywords == {"quirks": [SECOND_PERSON_NOT_CARRIED]}
    own = read_by(model, "clip", "individual_text_head", "one bows", "one waves")
    torch.testing.assert_close(condition.parts["individual.individual_text"].value[0], own)


def test_in2in_and_mdm_take_the_cards_guidance_and_solver(folders, monkeypatch):
    guided, levels, *_ = what_is_sampled(monkeypatch, generator, "sample_along", loaded(folders("in2in")))
    assert guided.terms == multi_condition_guidance() and len(levels) == 51
    seen: dict[str, Any] = {}

    def spy(denoiser: Any, levels: Any, *given: Any, solver: Any, **options: Any) -> Any:
        seen.update(terms=denoiser.terms, steps=len(levels) - 1, solver=solver)
        return sample_along(denoiser, levels[-3:], *given, solver=solver, **options)

    monkeypatch.setattr(generator, "sample_along", spy)
    loaded(folders("mdm")).generate(["they bow"], seconds=1.0)
    assert seen == {"terms": [("text", 2.5)], "steps": 1000, "solver": ancestral_step}


@pytest.mark.parametrize("name", ["smoodi", "mdm", "in2in", "mixermdm"])
def test_folders_of_recipes_that_were_tried_out_generate_too(folders, name):
    whole = loaded(folders(name))
    parts = {part: network for part, network in whole.parts.items() if not part.endswith("clip")}
    tried = PublishedNetworks(whole.card.model_copy(update={"text_encoder": "tiny"}), parts, whole.statistics)
    assert cast(Any, at_work(tried)).generate(["they bow"], seconds=1.0, **few(name))


def test_weights_that_make_no_motion_are_told(folders):
    whole = loaded(folders("mdm"))
    model = replace(whole, statistics={"motion": Normaliser(np.zeros(263), np.full(263, 1e30))})
    with pytest.raises(WeightsError, match=r"mdm makes numbers that are no motion .* run 'motifmix models verify'"):
        model.generate(["a person walks"], seconds=1.0, steps=2)
    model = replace(whole, statistics={"motion": Normaliser(np.full(263, np.nan), np.ones(263))})
    with pytest.raises(WeightsError, match="not finite"):
        model.generate(["a person walks"], seconds=1.0, steps=2)


def test_a_model_of_a_space_that_has_no_way_back_says_what_can_be_done(tmp_path, monkeypatch):
    monkeypatch.setitem(SIZES, "mdm", {"denoiser": {**SIZES["mdm"]["denoiser"], "features": 251}})
    content = published("mdm").model_copy()
    paths = [tmp_path / "mdm.pt"]
    torch.save(files_of(content, SIZES["mdm"])["mdm"], paths[0])
    np.save(tmp_path / "Mean.npy", np.zeros(251, np.float32))
    np.save(tmp_path / "Std.npy", np.ones(251, np.float32))
    model = loaded(convert(content, paths, tmp_path / "kit", stats=tmp_path, sizes=SIZES["mdm"]))
    with pytest.raises(WeightsError, match=r"'kit_251' of this model, only from humanml3d_263 and .* from Python"):
        model.generate(["a person walks"], seconds=1.0, steps=2)
    assert model.parts["denoiser"].features == 251
