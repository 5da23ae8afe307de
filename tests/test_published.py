"""Figures in README and docs are what the script writes from the results that are kept, and from nothing else."""

import importlib.util
import json
from pathlib import Path

import pytest

from motifmix.errors import MotifmixError
from motifmix.evaluation import tables
from motifmix.evaluation.metrics import over_repeats
from motifmix.evaluation.protocol import Results, Row
from motifmix.features.own import MotifmixSpace
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.cards import write_weights

HOUSE = Path(__file__).parents[1]
MEASURED = HOUSE / "docs" / "results.json"
JUDGES = PACKAGE_WEIGHTS / "judges"


def script(name):
    spec = importlib.util.spec_from_file_location(name, HOUSE / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


publish = script("publish_results")


@pytest.fixture
def results():
    rows = {
        "fid_ratio": Row("fid_ratio", over_repeats([2.5, 2.6, 2.7]), 280, 1.0),
        "content_trained": Row("content_trained", over_repeats([1.0, 1.0, 1.0]), 70, 0.997, (0.98, 1.0), 280),
        "vae_local_set_2": Row("vae_local_set_2", over_repeats([0.0048]), 280),
    }
    facts = {"name": "default", "version": "0123456789ab", "repeats": 5, "judge": "abc"}
    return Results(rows, {"walk": {"active": 0.75}}, {"held_out": {}}, {}, facts)


@pytest.fixture
def weights(tmp_path):
    import torch

    known = {
        "styles": [{"name": "elderly", "clips": 3, "synonyms": ["old"]}],
        "contents": [{"name": "walk", "clips": 4}],
    }
    for part, extra in (("bank", known), ("vae", {"gamma": 0.6})):
        write_weights(
            tmp_path, part, {"a": torch.zeros(3, 5), "b": torch.zeros(7)}, name=part, role="generate", architecture=part,
            sizes={"width": 8}, space=MotifmixSpace.name, licence="research", credit=["a credit line"], data=["bandai"],
            recipe="align", commit="f" * 40, extra=extra,
        )  # fmt: skip
    return tmp_path


@pytest.mark.skipif(not MEASURED.exists(), reason="nothing was measured yet: docs/results.json does not exist")
def test_the_pages_are_what_the_script_writes_from_the_results_that_are_kept():
    content = publish.read_json(MEASURED, PACKAGE_WEIGHTS / "default")
    pages = publish.result_pages(
        publish.results_of(content), PACKAGE_WEIGHTS / "default", JUDGES, publish.kept_others()
    )
    for path, text in pages.items():
        assert path.read_text("utf-8") == text, f"{path.name} is out of date: run python scripts/publish_results.py"


def test_the_stages_of_training_are_those_of_the_recipes_and_the_makefile():
    for path, text in publish.training_pages().items():
        assert path.read_text("utf-8") == text, f"{path.name} is out of date: run python scripts/publish_results.py"


def test_results_come_back_from_their_json_as_they_were_printed(results):
    again = publish.results_of(json.loads(tables.as_json(results)))
    assert tables.as_markdown(again, "x") == tables.as_markdown(results, "x")


def test_a_target_that_was_missed_or_not_measured_is_said_to_be(results):
    table = publish.short_table(results).splitlines()
    (fid,) = [line for line in table if "FID over the FID" in line]
    (reached,) = [line for line in table if "no style, trained captions" in line]
    (open_,) = [line for line in table if "cells never shown: style" in line]
    assert "2.60 ± 0.25" in fid and "not reached" in fid
    assert "✓" in reached and "99.7 %" in reached
    assert publish.NOT_MEASURED in open_
    assert f"2 of {len(tables.TARGETS)} targets are reached, 1 are not" in table[-1]


def test_other_recipes_stand_beside_the_default_by_the_recipe_that_made_them(results, tmp_path):
    folder = tmp_path / "build"
    folder.mkdir()
    measured = json.loads(tables.as_json(results))
    measured["facts"]["name"] = "some/where/weights-trial"
    (folder / "results.json").write_text(json.dumps(measured), "utf-8")
    (row,) = [
        line
        for line in publish.others_table(results, publish.read_others([folder])).splitlines()
        if line.startswith("| FID over the FID")
    ]
    assert row.count("2.60 ± 0.25") == 2
    measured["facts"]["name"] = "weights-nobodys"
    (folder / "results.json").write_text(json.dumps(measured), "utf-8")
    with pytest.raises(MotifmixError, match="nobodys"):
        publish.read_others([folder])


def test_the_model_card_tells_parts_credit_and_other_weights(results, weights):
    card = publish.model_card(results, weights, weights / "none")
    assert "| vae | vae | width 8, gamma 0.6 | 22 |" in card
    assert "elderly (3)" in card and "- a credit line" in card and "ffffffffff" in card
    assert "measured on other weights" in card


def test_altered_weights_get_no_card(results, weights):
    path = weights / "vae.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(MotifmixError, match=r"vae\.safetensors"):
        publish.model_card(results, weights, weights / "none")


def test_figures_of_other_weights_are_refused_and_no_folder_is_named(results, weights, tmp_path):
    content = json.loads(tables.as_json(results))
    content["facts"]["name"] = "somewhere/else"
    kept = tmp_path / "results.json"
    kept.write_text(json.dumps(content))
    with pytest.raises(MotifmixError, match="other weights"):
        publish.read_json(kept, weights)
    content["facts"]["version"] = publish.weights_version(weights)
    kept.write_text(json.dumps(content))
    assert publish.read_json(kept, weights)["facts"]["name"] == "default"


def test_the_pictures_of_the_readme_are_linked_between_its_markers():
    media = script("make_media")
    page = media.with_links((HOUSE / "README.md").read_text("utf-8"))
    assert page.index("docs/media/styles.gif") < page.index("```")
    assert media.with_links(page) == page
