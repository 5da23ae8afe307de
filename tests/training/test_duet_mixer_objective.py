import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load, save

from motifmix.errors import DataError, WeightsError
from motifmix.mix.ingredients import Scaling
from motifmix.models.in2in import In2INInteraction
from motifmix.pipelines.duet import Duet, DuetModel
from motifmix.pipelines.duet_mixer import load_duet_mixer
from motifmix.pipelines.loading import load_duet
from motifmix.pretrained.build import load_part
from motifmix.training.objectives.duets.asked import Asked
from motifmix.training.objectives.duets.finetuned import DuetFinetunedObjective, DuetFinetunedOptions
from motifmix.training.objectives.duets.mixer import CRITICS, DuetMixerObjective, DuetMixerOptions
from motifmix.training.objectives.duets.standardised import StandardisedLinear
from motifmix.training.objectives.duets.texts import TEXT_SCALE
from motifmix.training.objectives.published.mixermdm import MixerLosses
from motifmix.training.recipe import read_recipe
from motifmix.training.runs import train_recipe

TINY = {"width": 16, "feed_forward": 16, "blocks": 1, "heads": 2}
SETS = ["duets", "bandai"]
NOTHING = MixerLosses(torch.zeros(2), torch.zeros(()), torch.zeros(()))


@pytest.fixture(scope="module")
def place(duets_home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(duets_home))
        for name in ("interaction", "individual", "interaction_intergen", "individual_mdm"):
            changes = {"size": "tiny", "steps": 1} | ({"data": ["bandai"]} if name.startswith("individual") else {})
            train_recipe(Path.cwd() / f"recipes/duets/{name}.yaml", changes)
    return duets_home


@pytest.fixture(autouse=True)
def home(place, monkeypatch):
    monkeypatch.setenv("MOTIFMIX_HOME", str(place))


def objective(data=SETS, **options):
    made = DuetMixerObjective(data, {"batch": 2, "frames": 31, "mixer": TINY, "critic": TINY, **options}, 0)
    for parameter in made.modules.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    for network in (made.frozen["interaction"], made.frozen["individual"]):
        torch.nn.init.normal_(network.output.weight, std=0.1)
    return made


def losses(made, seed=0, **options):
    return made.losses(made.modules, torch.Generator().manual_seed(seed), np.random.default_rng(seed), **options)


def test_foreign_people_stand_on_the_pairs_paths_and_say_what_they_do():
    made = objective()
    pairs = made.clips.draw(np.random.default_rng(0), 6, 0.0)
    assert not pairs.foreign.any()
    foreign = made.clips.draw(np.random.default_rng(0), 6, 1.0)
    assert foreign.foreign.all() and (foreign.motion[~foreign.valid[:, None].expand(-1, 2, -1)] == 0).all()
    assert torch.equal(foreign.text, pairs.text) and not torch.equal(foreign.individual_text, pairs.individual_text)
    ground, of_pair = [0, 2], pairs.motion * foreign.valid[:, None, :, None]
    torch.testing.assert_close(foreign.motion[..., 0, ground], of_pair[..., 0, ground], atol=1e-4, rtol=0)
    assert (foreign.motion - of_pair).abs().max() > 0.1
    heights = foreign.motion[..., 1:66:3][foreign.valid[:, None].expand(-1, 2, -1)]
    assert heights.min() > -0.1


def test_a_step_teaches_mixer_and_critics_and_no_frozen_model():
    made = objective()
    loss, figures = losses(made)
    loss.backward()
    assert {"mixer", *CRITICS} < figures.keys() and np.isfinite(list(figures.values())).all()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in made.modules.parameters())
    assert all(not p.requires_grad and not made.frozen.training for p in made.frozen.parameters())


def test_a_mixer_that_is_told_what_pairs_say_learns_whose_sentence_it_reads():
    """The share follows where sentences are from."""
    assert "origin" in losses(objective(familiarity=True, origins=1.0))[1], "critics have it beside them"
    made = objective(learns_from="clips", familiarity=True, origins=20.0, text_dropout=0.0, restraint=0.0, batch=6)
    mixer = made.modules["mixer"]
    assert mixer.familiarity.known.norm(dim=-1).allclose(torch.ones(len(mixer.familiarity.known)))
    first = losses(made, 3)[1]
    optimiser = torch.optim.Adam(mixer.parameters(), 1e-2)
    for step in range(60):
        optimiser.zero_grad()
        losses(made, step)[0].backward()
        optimiser.step()
    last = losses(made, 3)[1]
    apart = last["individual_share_of_single_clips"] - last["individual_share_of_pairs"]
    assert last["origin"] < first["origin"] and apart > 0.1


def test_frozen_models_are_asked_once_for_all_mixers(place, monkeypatch):
    kept = objective(asked_once=5, text_dropout=0.0)
    asked = Asked.of(kept.inputs.draw(np.random.default_rng(0), 3))
    assert asked.batch.motion.shape == asked.anchor.shape and asked.batch.valid.shape == asked.anchor.shape[::2]
    # What was kept is what the models say of it: the same draws again, asked live.
    live = []
    for number in range(3):
        rng = np.random.default_rng([5, 43, number])
        live.append(kept._ask(torch.Generator().manual_seed(int(rng.integers(2**31))), rng, False))
    rows = Asked.of(kept.inputs.draw(np.random.default_rng(0), 5))
    for number, (batch, place_in) in enumerate(((0, 0), (0, 1), (1, 0), (1, 1), (2, 0))):
        one, frames = live[batch], int(live[batch].batch.valid[place_in].sum())
        assert rows.timesteps[number] == one.timesteps[place_in]
        for name in ("anchor", "other"):
            torch.testing.assert_close(
                getattr(rows, name)[number, :, :frames], getattr(one, name)[place_in, :, :frames], atol=5e-3, rtol=1e-3
            )
    monkeypatch.setattr("motifmix.training.objectives.duets.mixer.predictions", lambda *_: pytest.fail("asked again"))
    assert torch.isfinite(losses(objective(asked_once=5, text_dropout=0.0, granularity="global"))[0])
    with pytest.raises(pytest.fail.Exception):
        losses(objective(asked_once=6))


def test_the_halves_do_not_meet():
    made = objective(critic={**TINY, "dropout": 0.0})
    losses(made)[0].backward()
    together = {name: p.grad.clone() for name, p in made.modules.named_parameters()}
    # What the Mixer learns is what it would learn of critics that learn nothing, and the other way round.
    halves = []
    for module, total in (("mixer", "generator"), (CRITICS[0], "discriminator")):
        made.modules.zero_grad()
        with pytest.MonkeyPatch.context() as patch:
            other = "discriminator" if total == "generator" else "generator"
            patch.setattr(
                f"motifmix.training.objectives.published.mixermdm.MixerObjective.{other}", lambda *given: NOTHING
            )
            losses(made)[0].backward()
        halves.append({n: p.grad for n, p in made.modules.named_parameters() if n.startswith(module)})
    for name, gradient in {**halves[0], **halves[1]}.items():
        torch.testing.assert_close(gradient, together[name])


@pytest.mark.parametrize("right", ["interaction", "individual"])
def test_clean_clips_teach_the_mixer_to_believe_who_is_right(right, monkeypatch):
    made = objective(learns_from="clips", text_dropout=0.0)
    assert list(made.modules) == ["mixer"]
    truth = made.clips.draw(np.random.default_rng(0), 2, 0.5).motion
    wrong = truth + 0.3 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
    said = [truth, wrong] if right == "interaction" else [wrong, truth]
    monkeypatch.setattr("motifmix.training.objectives.duets.mixer.predictions", lambda *given: said)
    optimizer = torch.optim.Adam(made.modules.parameters(), 3e-3)
    for _ in range(15):
        optimizer.zero_grad()
        loss, figures = losses(made)
        loss.backward()
        optimizer.step()
    assert {"interaction_error", "individual_error"} < figures.keys()
    shares = [value for name, value in figures.items() if "share" in name]
    assert max(shares) < 0.4 if right == "interaction" else min(shares) > 0.6


@pytest.fixture(scope="module")
def guided(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTIFMIX_HOME", str(place))
        for kind, data in (("interaction", ["duets"]), ("individual", SETS)):
            tiny = read_recipe(Path.cwd() / f"recipes/duets/evaluator_{kind}.yaml", {"size": "tiny"}).options
            changes = {
                "data": data,
                "steps": 2,
                "save_every": 2,
                "preview_every": 2,
                "options.network": tiny["network"],
            }
            train_recipe(
                Path.cwd() / f"recipes/duets/evaluator_{kind}.yaml", {"size": "guide", "options.batch": 4, **changes}
            )
    return place


@pytest.mark.parametrize("learns_from", ["texts", "critics"])
def test_guides_teach_a_mixer_by_what_it_was_told(learns_from, guided):
    made = objective(learns_from=learns_from, likeness=1.0, text_dropout=0.0)
    loss, figures = losses(made)
    loss.backward()
    assert {"interaction_likeness", "individual_likeness", "individual_found"} < figures.keys()
    assert all(torch.isfinite(p.grad).all() and p.grad.abs().sum() > 0 for p in made.modules["mixer"].parameters())
    foreign = losses(objective(learns_from=learns_from, likeness=1.0, text_dropout=0.0, foreign=1.0))[1]
    assert foreign["interaction_likeness"] == 0.0 and foreign["individual_likeness"] > 0.0
    unheard = losses(objective(learns_from=learns_from, likeness=1.0, text_dropout=1.0))[1]
    assert unheard["interaction_likeness"] == unheard["individual_likeness"] == 0.0


def test_a_guide_tells_what_means_the_same_from_the_rest(guided):
    guides = objective(learns_from="texts", likeness=1.0).guides
    said = guides.person.sentences
    assert len(said) > 20
    texts = torch.randn(3, 384)
    people, valid = torch.randn(3, 1, 30, 262), torch.ones(3, 30, dtype=torch.bool)
    apart, _ = replace(guides.person, sentences=-guides.person.network.embed_texts(texts / TEXT_SCALE)).loss(
        people, valid, texts
    )
    same, found = replace(guides.person, sentences=said[:1], network=_Blind()).loss(people, valid, texts)
    assert (apart > 1e-3).all() and (same.abs() < 1e-4).all() and found.all()  # two log-sums differ by rounding


class _Blind(torch.nn.Module):
    """Takes every sentence and every motion for the same."""

    def embed_texts(self, sentences):
        return torch.nn.functional.one_hot(torch.zeros(len(sentences), dtype=torch.long), 8).float()

    def embed_motions(self, people, valid):
        return self.embed_texts(people)


def test_nothing_learns_from_an_evaluator_that_scores(guided):
    card = guided / "weights-duets-guide-interaction" / "evaluator.yaml"
    told = card.read_text()
    card.write_text(told.replace("role: guide", "role: score"))
    with pytest.raises(WeightsError, match="says role score"):
        objective(likeness=1.0)
    card.write_text(told)
    with pytest.raises(WeightsError, match=r"evaluator_interaction.yaml --set size=guide"):
        objective(likeness=1.0, guides=["weights-nowhere", "weights-nowhere"])
    with pytest.raises(ValueError, match="likeness above 0"):
        DuetMixerOptions(learns_from="texts")
    with pytest.raises(ValueError, match="at least the batch"):
        DuetMixerOptions(asked_once=3, batch=4)


def test_a_first_layer_that_standardises_is_a_plain_one_when_folded():
    scaling = Scaling(torch.linspace(-2, 2, 5), torch.linspace(0.1, 3, 5))
    layer = StandardisedLinear.of(torch.nn.Linear(10, 4), scaling)
    plain = torch.nn.Linear(10, 4)
    plain.load_state_dict(layer.folded())
    features = torch.randn(3, 10)
    torch.testing.assert_close(plain(features), layer(features), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("familiar", [False, True])
def test_the_recipe_leaves_a_mixer_that_a_duet_uses_with_its_own_models_and_with_others(familiar, place, tmp_path):
    changes = {"size": "tiny", "data": SETS, "options.frames": 31, "options.familiarity": familiar}
    out = train_recipe(tmp_path.cwd() / "recipes/duets/mixer.yaml", changes, run=tmp_path / "run")
    mixer = load_duet_mixer(out)
    assert mixer.led is None
    knows = mixer.weigh.mixer.familiarity
    assert (knows is not None) == familiar and (knows is None or len(knows.known) > 10)
    assert (mixer.granularity, mixer.interaction) == ("spatio_temporal", place / "weights-duets-interaction")
    curve = [json.loads(line) for line in (tmp_path / "run" / "curve.jsonl").read_text().splitlines()]
    assert len(curve) == 4 and (tmp_path / "run" / "curve.png").exists()
    for pair in (
        (mixer.interaction, mixer.individual),
        (place / "weights-duets-interaction-intergen", place / "weights-duets-individual-mdm"),
    ):
        duet = Duet(*(DuetModel.load(folder) for folder in pair), weigh=mixer.weigh)
        assert len(duet.generate("two people wave", ["a person waves", "a person runs"], seconds=1.0, steps=2)) == 2


def test_a_mixer_whose_file_is_not_what_its_card_says_is_refused(place, tmp_path):
    changes = {"size": "tiny", "data": SETS, "options.frames": 31, "options.familiarity": True}
    out = train_recipe(Path("recipes/duets/mixer.yaml"), changes, run=tmp_path / "run", out=tmp_path / "out")
    sound = yaml.safe_load((out / "mixer.yaml").read_text("utf-8"))
    tensors = load((out / "mixer.safetensors").read_bytes())
    known, broken = tensors["familiarity.known"], torch.full((384,), torch.nan)

    def refused(words, altered, dropped=(), **card):
        content = save({name: own for name, own in {**tensors, **altered}.items() if name not in dropped})
        (out / "mixer.safetensors").write_bytes(content)
        card = {**sound, **card, "sha256": hashlib.sha256(content).hexdigest()}
        (out / "mixer.yaml").write_text(yaml.safe_dump(card))
        with pytest.raises(WeightsError, match=words):
            load_duet_mixer(out)

    refused("disagree", {}, dropped=["familiarity.known"])
    sizes = {name: size for name, size in sound["sizes"].items() if name != "familiar"}
    refused("disagree", {}, sizes=sizes)
    for other in (torch.zeros(3, 5), torch.zeros(0, 384)):
        refused(r"not \[N, 384\]", {"familiarity.known": other})
    for other in (torch.cat([known, broken[None].to(known)]), known.int(), known.to(torch.complex64)):
        refused("numbers that are none", {"familiarity.known": other})
    for name, value in (("spread", 0.0), ("spread", -1.0), ("centre", torch.inf), ("spread", torch.nan)):
        refused("numbers that no Mixer has", {f"familiarity.{name}": torch.tensor(value)})
    refused("numbers that no Mixer has", {"weight_net.output.weight": tensors["weight_net.output.weight"] * torch.nan})
    refused("names no folder", {}, extra={**sound["extra"], "interaction": ".."})
    for step in ("half", True, float("nan"), [600], -5, 5000, 10**400):
        refused("'led' is no step", {}, extra={**sound["extra"], "led": step})


def test_other_pairs_of_models_are_mixed_in_training():
    made = objective(interaction="weights-duets-interaction-intergen", individual="weights-duets-individual-mdm")
    assert torch.isfinite(losses(made)[0])


@pytest.mark.parametrize(("begin", "frozen"), [("individual", True), ("interaction", False)])
def test_one_model_goes_on_where_it_was(begin, frozen, place, tmp_path):
    size = {"size": "tiny", "data": SETS, "options.frames": 31, "options.begin": begin, "options.foreign": 0.5}
    base = place / f"weights-duets-{begin}"
    changes = {**size, "options.base": base.name}
    out = train_recipe(Path("recipes/duets/finetuned.yaml"), changes, run=tmp_path / "run", out=tmp_path / "out")
    before, after = (load_part(folder, "denoiser")[1] for folder in (base, out))
    assert isinstance(after, In2INInteraction)
    moved = {name for name, value in after.state_dict().items() if not torch.equal(value, before.state_dict()[name])}
    assert "input.weight" in moved and any("cross_attention" in name for name in moved)
    assert any("self_attention" in name for name in moved) != frozen
    duet = Duet(DuetModel.load(out))
    assert len(duet.generate("two people wave", ["", ""], seconds=1.0, steps=2, using="interaction")) == 2
    with pytest.raises(WeightsError, match="begin asks for"):
        DuetFinetunedObjective(SETS, {"begin": begin, "base": "weights-duets-individual-mdm"}, 0)


def test_what_is_missing_is_one_sentence(monkeypatch, tmp_path, place):
    with pytest.raises(DataError, match="sets of single clips"):
        objective(data=["duets"])
    with pytest.raises(WeightsError, match="recipes/duets"):
        objective(individual="weights-nobody")
    with pytest.raises(WeightsError):
        load_duet_mixer(tmp_path)


def test_every_size_reads_and_writes_to_a_folder_of_its_own_and_rows_of_tables_have_equal_steps():
    recipes = [recipe for name in ("mixer", "finetuned") for recipe in _sizes(Path(f"recipes/duets/{name}.yaml"))]
    assert len({recipe.weights for recipe in recipes}) == len({recipe.name for recipe in recipes}) == len(recipes)
    tables = [recipe for recipe in recipes if not recipe.name.endswith(("longer", "long"))]
    assert len(tables) == 28 and len({recipe.steps for recipe in tables}) == 1
    for recipe in recipes:
        kind = DuetMixerOptions if recipe.objective == "duet_mixer" else DuetFinetunedOptions
        kind.model_validate(recipe.options)


def _sizes(path):
    sizes = yaml.safe_load(path.read_text("utf-8"))["sizes"]
    return [read_recipe(path, {"size": size}) for size in ["full", *sizes] if size != "tiny"]


def test_a_mixer_is_used_as_it_learned(place, tmp_path, monkeypatch):
    changes = {"size": "tiny", "data": SETS, "options.frames": 31, "options.led": 600.0}
    out = train_recipe(Path("recipes/duets/mixer.yaml"), changes, run=tmp_path / "run", out=tmp_path / "out")
    folders = {"mixer": out, **{role: place / f"weights-duets-{role}" for role in ("interaction", "individual")}}
    monkeypatch.setattr("motifmix.pipelines.loading._duet_folders", lambda weights: folders)
    assert load_duet_mixer(out).led == load_duet().led == 600.0
    assert objective(led=600.0)._mixed(objective(led=600.0).modules, torch.tensor([700])).led == 600.0
