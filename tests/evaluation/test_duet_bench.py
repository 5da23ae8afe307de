"""The tables of compositions on made-up pairs and tiny random networks: what is asked, kept, counted and left out."""

import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.data.duet_clips import prepared_people

from motifmix.data.duets.foreign import foreign_interactions, foreign_pools
from motifmix.data.duets.interactions import BY_NAME
from motifmix.data.duets.preparing import Counts, prepare_duets
from motifmix.errors import DataError, FileError, MotifmixError, RequestError, WeightsError
from motifmix.evaluation import duet_bench, duet_grid, duet_studies, styled_tables
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.evaluation.duet_bench import DuetBench, Tuned, read_guidance, write_guidance
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_questions import Question, questions
from motifmix.evaluation.duet_store import ScoreStore
from motifmix.features.interhuman import BLOCKS, InterHumanSpace, place
from motifmix.mix.placement import center_scene
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.models.in2in import In2INIndividual, In2INInteraction
from motifmix.models.mixer import Mixer
from motifmix.pipelines.baselines import compositions
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, Composer, Wanted, grid, mixers
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.converted import STATISTICS
from motifmix.pretrained.duet_evaluators import load_evaluator
from motifmix.pretrained.judges import Role

NET: dict[str, Any] = {"width": 16, "feed_forward": 16, "heads": 2, "text": 384, "blocks": 1}
JUDGE: dict[str, Any] = {"width": 16, "embedding": 8, "text_width": 16, "dilations": [[1]]}
VARIANTS = ("wave-back.raise-up-both-hands.wave", "greet-in-passing.raise-up-both-hands.walk")


def _written(folder: Path, part: str, network: torch.nn.Module, architecture: str, sizes: dict, role: str, **extra):
    write_weights(
        folder, part, network.state_dict(), name=part, role=role, architecture=architecture, sizes=sizes,
        space=InterHumanSpace.name, licence="none", credit=[], data=[], recipe="none", commit="none", extra=extra,
    )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("home")
    torch.manual_seed(0)
    sets = [prepared_people(home / "data" / "bandai").folder]
    shown = [BY_NAME[name] for name in ("wave-back", "greet-in-passing")]
    prepare_duets(home / "data" / "duets", sets=sets, counts=Counts(1, 1, 1), interactions=shown)
    variants = [one for one in foreign_interactions() if one.name in VARIANTS]
    pools = {name: pool for name, pool in foreign_pools().items() if name in ("wave", "walk", "raise-up-both-hands")}
    prepare_duets(
        home / "data" / "duets-foreign", sets=sets, counts=Counts(1, 1, 1), interactions=variants, pools=pools
    )
    for what, kind in (("interaction", In2INInteraction), ("individual", In2INIndividual)):
        network = kind(**NET)
        for values in network.parameters():
            torch.nn.init.normal_(values, std=0.1)
        folder = home / f"weights-duets-{what}"
        _written(folder, "denoiser", network, f"in2in:{kind.__name__}", NET, "generate", steps=1000, text_scale=19.6)
        statistics = {"motion.mean": torch.zeros(262), "motion.std": torch.ones(262)}
        write_weights(
            folder, STATISTICS, statistics, exact=True, name=STATISTICS, architecture="none", sizes={}, space="none",
            role="generate", licence="none", credit=[], data=[], recipe="none", commit="none",
        )  # fmt: skip
        for role, behind in (("score", ""), ("select", "-select")):
            sizes = {**JUDGE, "people": 2 if what == "interaction" else 1}
            folder = home / f"weights-duets-evaluator-{what}{behind}"
            _written(folder, "evaluator", DuetEvaluator(**sizes), "duet_evaluator:DuetEvaluator", sizes, role)
    for seed in (0, 1):
        models = {name: f"weights-duets-{name}" for name in ("interaction", "individual")}
        _written(
            home / f"weights-duets-mixer-st-{seed}", "mixer", Mixer(**NET, granularity="spatio_temporal"),
            "mixer:Mixer", {**NET, "granularity": "spatio_temporal"}, "generate", granularity="spatio_temporal", **models,
        )  # fmt: skip
    return home


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    monkeypatch.setattr(duet_bench, "overlap_volume", partial(overlap_volume, stride=40, column=0.1))


def _bench(home: Path, role: Role = "score", split: str = "test", **options) -> DuetBench:
    return DuetBench(home, questions(home / "data", split, 4), DuetJudges(role, home), steps=2, **options)


def test_half_of_the_questions_are_foreign_and_no_limit_changes_that(home):
    asked = questions(home / "data", "test", 8)
    assert len({one.id for one in asked}) == 4 and sum(any(one.foreign) for one in asked) == 2
    few = questions(home / "data", "test", 2)
    assert {one.interaction for one in few} == {"wave-back", "greet-in-passing"} and sum(
        map(any, (o.foreign for o in few))
    ) == 1
    foreign = next(one for one in asked if any(one.foreign))
    assert foreign.contents[foreign.foreign.index(True)] == "raise-up-both-hands"
    assert foreign.real.shape == (2, foreign.wanted.frames, 262)
    with pytest.raises(DataError, match="duets"):
        questions(home, "test", 2)


@pytest.mark.parametrize(
    "key", ["interaction", "individual", "dual-exp", "paths", "average", "placed-blending", "placed-average"]
)
def test_every_composition_gives_the_same_alone_and_in_a_batch(home, key):
    composer = Composer(COMPOSITIONS[key], home)
    wanted = [Wanted("two greet", ("a person bows", "a person waves"), frames) for frames in (50, 90)]
    both = composer.make(wanted, [3, 4], steps=2)
    alone = composer.make(wanted[:1], [3], steps=2)
    assert [one.people.shape for one in both] == [(2, 50, 262), (2, 90, 262)]
    rotations = BLOCKS["joint_rotations"]
    places, others = (np.delete(made[0].people, np.r_[rotations], axis=-1) for made in (both, alone))
    np.testing.assert_allclose(places, others, atol=1e-4)
    # Processors round matrix products of another size in their own way, and an untrained network's six numbers of a rotation
    # may nearly vanish, which magnifies that; what leaked in from a neighbour in the batch would be of order 1.
    np.testing.assert_allclose(both[0].people[..., rotations], alone[0].people[..., rotations], atol=2e-3)
    assert (both[0].weights is not None) == (COMPOSITIONS[key].way == "mixed")


@pytest.mark.parametrize("key", ["interaction", "blending", "placed-blending", "placed-average"])
def test_of_drafts_the_one_is_kept_that_is_liked_best(home, key):
    composer = Composer(COMPOSITIONS[key], home)
    wanted, read = Wanted("two greet", ("a person bows", "a person waves"), 50), []

    def first_of_them(clean: torch.Tensor) -> torch.Tensor:
        read.append(len(clean))
        return -torch.arange(len(clean), dtype=torch.float32)

    kept = composer.drafted(wanted, [3, 4, 5, 6], first_of_them, steps=6)
    (alone,) = composer.make([wanted], [3], steps=6)
    places = BLOCKS["joint_positions"]
    # Untrained networks put people tens of metres away: other drafts differ by metres.
    np.testing.assert_allclose(kept.people[..., places], alone.people[..., places], atol=1e-3)
    assert read == ([4] if key == "placed-average" else [4, 2])


def test_mixers_of_one_recipe_are_one_row_and_what_is_missing_is_named(home):
    (key, seeds), *others = mixers(home).items()
    assert key == "mixer-st" and len(seeds) == 2 and not others and seeds[0].title == "Mixer [ST], st"
    with pytest.raises(WeightsError, match="weights-duets-finetuned missing"):
        Composer(COMPOSITIONS["finetuned"], home)


def test_the_tables_say_what_was_measured_and_what_is_missing(home):
    bench = _bench(home)
    names = ["interaction", "finetuned", "placed-blending", "mixer-st"]
    study = duet_studies.composition(bench, "the command", names, None)
    page = styled_tables.as_markdown(study)
    rows = {row.key: row for row in study.tables[0].rows}
    assert rows["real"].figures["overall"].mean <= 1.0 and rows["chance"].figures["interaction"].mean == 0.5
    assert "finetuned missing" in page and "Fewer than 250" in page and "not tuned yet" in page
    assert rows["interaction"].figures["overall"].half_width >= 0 and "behind" in rows["interaction"].figures
    assert "behind" not in rows["mixer-st"].figures and "(2 seeds)" in page
    weighed = {row.key: row for row in study.tables[2].rows}["mixer-st"].figures
    assert weighed["adaptability"].mean > 0 and 0 < weighed["share"].mean < 1
    assert np.isfinite(study.tables[1].rows[1].figures["overlap"].mean)


def test_a_pair_of_other_models_is_mixed_by_its_own_mixer_by_the_first_pairs_and_by_baselines(
    home, tmp_path, monkeypatch
):
    place = tmp_path / "home"
    shutil.copytree(home, place, ignore=shutil.ignore_patterns("weights-duets-mixer-st-1", "evaluation"))
    (place / "weights-duets-mixer-st-0").rename(place / "weights-duets-mixer")
    shutil.copytree(place / "weights-duets-individual", place / "weights-duets-individual-mdm")
    shutil.copytree(place / "weights-duets-mixer", place / "weights-duets-mixer-grid-mdm-in2in")
    card = place / "weights-duets-mixer-grid-mdm-in2in" / "mixer.yaml"
    card.write_text(
        card.read_text().replace("individual: weights-duets-individual\n", "individual: weights-duets-individual-mdm\n")
    )
    rows = grid(place)
    assert set(rows) == {
        "individual-mdm",
        *(f"grid-mdm-in2in.{key}" for key in ("mixer", "mixer-led", "blending", "placed-blending", "placed-average")),
    }
    assert rows["grid-mdm-in2in.mixer"].mixer == "weights-duets-mixer" and rows["individual-mdm"].way == "individual"
    bench = _bench(place, guidance={"placed-blending": Tuned(1.5, 0.4), "Mixer [ST]": Tuned(0.5, 0.4)})
    assert [bench.strength(rows[f"grid-mdm-in2in.{key}"]) for key in ("mixer", "placed-blending", "blending")] == [
        0.5,
        1.5,
        1.0,
    ]
    shipped = rows["grid-mdm-in2in.mixer-led"]
    assert shipped.missing(place) is not None and shipped.individual == "weights-duets-individual-mdm"
    worth = {("weights-duets-interaction", "weights-duets-individual-mdm"): 0.1}
    monkeypatch.setattr(duet_grid, "_worth", lambda table, lines, pair: worth.get(pair, 0.5))
    study = duet_studies.composition(bench, "the command", None, None)
    grid_rows = {row.key: row for row in next(table for table in study.tables if "grid" in table.title).rows}
    assert (
        "against" not in grid_rows["mixer-grid-mdm-in2in"].figures
        and "against" in grid_rows["grid-mdm-in2in.mixer"].figures
    )
    assert grid_rows["individual-mdm"].title == "individual-mdm, alone" and "placed-blending" in grid_rows
    # The models are copies: so the transferred Mixer makes what the own one makes.
    assert grid_rows["grid-mdm-in2in.mixer"].figures["against"].mean == 0.0
    assert "worst alone (interaction-in2in and individual-mdm)" in study.closing
    assert "its own Mixer [ST] 0.0 % ± 0.0 %" in study.closing


def test_kept_scenes_are_read_back_and_another_strength_is_another_scene(home, monkeypatch):
    bench = _bench(home)
    first = bench.made(COMPOSITIONS["interaction"])
    monkeypatch.setattr(Composer, "make", lambda *_, **__: pytest.fail("made again"))
    np.testing.assert_array_equal(first[0].people, _bench(home).made(COMPOSITIONS["interaction"])[0].people)
    monkeypatch.undo()
    assert np.abs(bench.made(COMPOSITIONS["interaction"], 0.5)[0].people - first[0].people).max() > 1e-3


def test_scores_outlive_the_weights_and_answer_only_to_the_same_questions(home, tmp_path):
    names = ["interaction", "placed-blending", "mixer-st"]
    store, of_takes = ScoreStore(tmp_path), ScoreStore(tmp_path, "takes")
    takes = DuetBench(home, _taken(home), DuetJudges("score", home), steps=2, store=of_takes)
    study = duet_studies.composition(_bench(home, store=store), "the command", names, takes)
    assert len(list(tmp_path.glob("*.prompts.npz"))) == 4 and len(list(tmp_path.glob("*.takes.npz"))) == 3
    bare = tmp_path / "home"  # judges and pairs, and no models
    for folder in ("data", "weights-duets-evaluator-interaction", "weights-duets-evaluator-individual"):
        bare.mkdir(exist_ok=True)
        (bare / folder).symlink_to(home / folder)
    takes = DuetBench(bare, _taken(home), DuetJudges("score", bare), steps=2, store=of_takes)
    again = duet_studies.composition(_bench(bare, store=store), "the command", names, takes)
    assert again.facts["weights"] == study.facts["weights"] and len(again.facts["weights"]) == 4
    for table, other in zip(again.tables, study.tables, strict=True):
        assert [row.key for row in table.rows] == [row.key for row in other.rows]
        for row, own in zip(table.rows, other.rows, strict=True):
            assert row.figures.keys() == own.figures.keys()
            for key, figure in row.figures.items():
                assert figure.mean == pytest.approx(own.figures[key].mean, rel=1e-5, abs=1e-6)
    assert "mixer-st" in duet_studies.groups(bare, store) and "mixer-st" not in duet_studies.groups(bare)
    (line,) = duet_studies.chosen_lines(_bench(bare, store=store, seed=1), ["interaction"])
    assert "missing" in line.lack  # another seed makes other scenes
    (tmp_path / "interaction.prompts.npz").write_bytes(b"PK")
    with pytest.raises(FileError, match="no scores of a composition"):
        store.methods()


def _taken(home: Path) -> list[Question]:
    return [replace(question, take="one") for question in questions(home / "data", "test", 2)]


def test_guidance_is_chosen_by_judges_that_do_not_score(home, tmp_path, monkeypatch):
    monkeypatch.setattr(duet_studies, "GRID", (0.5, 1.0))
    bench = _bench(home, "select", "val")
    rows = duet_studies.tuned(bench, duet_studies.chosen_lines(bench, ["interaction", "finetuned"]))
    assert list(rows) == ["interaction"] and set(rows["interaction"]["overall"]) == {"0.5", "1.0"}
    write_guidance(tmp_path, {"interaction": {"strength": 0.75, "overall": {"0.75": 0.5, "1.0": 0.4}}})
    assert read_guidance(tmp_path) == {"interaction": Tuned(0.75, 0.5)}
    scoring = _bench(home)
    scoring.guidance = {**read_guidance(tmp_path), "Mixer [ST]": Tuned(1.5, 0.4)}
    (mixer, *_), alone = mixers(home)["mixer-st"], COMPOSITIONS["individual"]
    assert [scoring.strength(each) for each in (COMPOSITIONS["interaction"], alone, mixer)] == [0.75, 1.0, 1.5]
    with pytest.raises(ValueError, match="select"):
        duet_studies.tuned(scoring, [])


def test_guidance_climbs_to_a_strength_whose_neighbours_are_worse():
    for peak in duet_studies.GRID:
        best, asked = duet_studies.climbed(lambda strength, peak=peak: -abs(strength - peak))
        assert best == peak and {peak, 1.0} <= asked.keys()
    assert duet_studies.climbed(lambda _: 0.5)[0] in duet_studies.GRID  # no better neighbour, no end of climbing


def test_what_there_is_to_gain_is_said_in_words(home):
    page = styled_tables.as_markdown(duet_studies.gain(_bench(home), "the command"))
    assert page.count("the interaction model alone") + page.count("the individual model alone") >= 2
    assert "individual, foreign contents" in page


def test_a_judge_serves_one_role(home):
    card = home / "weights-duets-evaluator-interaction" / "evaluator.yaml"
    text = card.read_text()
    card.write_text(text.replace("role: score", "role: select"))
    with pytest.raises(MotifmixError, match="may not score"):
        DuetJudges("score", home)
    card.write_text(text)
    with pytest.raises(MotifmixError, match=r"evaluator_interaction.yaml --set size=guide"):
        load_evaluator(home / "nowhere", "guide", 2)


def test_the_evaluators_of_the_package_serve_where_none_was_trained(home):
    roles: tuple[Role, ...] = ("score", "select")
    shipped = [DuetJudges(role, home / "data").version for role in roles]
    assert len({*shipped, *(DuetJudges(role, home).version for role in roles)}) == 4


def test_a_scene_reads_the_same_wherever_it_stands(home):
    real = torch.from_numpy(questions(home / "data", "test", 1)[0].real).double()
    torch.testing.assert_close(center_scene(real), real, atol=1e-4, rtol=0)
    turned = torch.stack([torch.from_numpy(place(one.numpy(), np.array([0.4, 1.5, -2.0]))) for one in real])
    torch.testing.assert_close(center_scene(turned), real, atol=1e-3, rtol=0)


def test_unknown_rows_are_refused(home, monkeypatch):
    from motifmix.apps.cli.evaluate_duets import check_compositions

    monkeypatch.setenv("MOTIFMIX_HOME", str(home))
    assert check_compositions("mixer-st, blending") == ["mixer-st", "blending"]
    with pytest.raises(RequestError, match="no composition 'nobody'"):
        check_compositions("nobody")
    with pytest.raises(RequestError, match="--repeats"):
        check_compositions(None, 3)


def test_a_command_without_data_or_weights_leaves_nothing(home, tmp_path, monkeypatch, capsys):
    from motifmix.apps.cli.main import main

    monkeypatch.setenv("MOTIFMIX_HOME", str(tmp_path / "home"))
    for what in ("interaction", "individual"):
        folder = f"weights-duets-evaluator-{what}"
        shutil.copytree(home / folder, tmp_path / "home" / folder)
    for data, said in ((tmp_path / "home", "holds no pairs"), (home / "data", "none of what is asked for")):
        for study in ("composition", "composition-gain"):
            assert main(["evaluate", study, "--data", str(data), "--out", str(tmp_path / "tables")]) == 2
            assert said in capsys.readouterr().err
    assert not (tmp_path / "tables").exists()


def test_the_mixer_that_ships_stands_before_its_other_seeds(home, monkeypatch):
    with pytest.raises(WeightsError, match="not here"):
        compositions.shipped(home)
    seeds = [
        replace(COMPOSITIONS["blending"], mixer=f"{compositions.SHIPPED}{end}") for end in ("-seed-1", "", "-seed-2")
    ]
    others = [replace(COMPOSITIONS["blending"], mixer="weights-duets-mixer")]
    monkeypatch.setattr(compositions, "mixers", lambda own: {"mixer": others, "mixer-led": seeds})
    assert [own.mixer.removeprefix(compositions.SHIPPED) for own in compositions.shipped(home)] == [
        "",
        "-seed-1",
        "-seed-2",
    ]
