"""`motifmix generate` around the pipeline: targets, names, takes, labels, and what is refused before any work."""

import os
from pathlib import Path

import numpy as np
import pytest

from motifmix.credits import MADE_WITH
from motifmix.files import read


def test_without_out_a_bvh_named_after_text_and_style_is_made_and_its_path_printed(run, pipeline, here):
    done = run("generate", "a person walks forward", "--style", "old", "--seed", 3)
    assert done.code == 0 and done.out == "a-person-walks-forward_old.bvh\n"
    assert len(done.lines) == 1 and done.lines[0].endswith(MADE_WITH)
    assert os.listdir(here) == ["a-person-walks-forward_old.bvh"]
    person = read(here / "a-person-walks-forward_old.bvh").people[0]
    assert person.fps == 30 and abs(person.seconds - 2.0) < 0.1
    assert abs(person.joints[0, 0, 1] - 0.9) < 1e-4
    call = pipeline.calls[0]
    assert call.texts == ["a person walks forward"] and call.styles == ["old"]
    assert call.seconds is None and call.seeds == [3] and call.strength == 1.0 and call.clean_feet


SAMPLING = {"steps": 20, "shift": 2.0, "text_scale": 3.0, "style_scale": 0.5, "gamma": 0.4, "block": 3, "gradient": 0.1}


def test_every_setting_of_the_sampling_arrives_and_none_that_was_not_given(run, pipeline, here):
    options = [word for name, value in SAMPLING.items() for word in (f"--{name.replace('_', '-')}", value)]
    assert run("generate", "jump", "--style", "old", "--seed", 1, *options).code == 0
    assert {name: getattr(pipeline.calls[0], name) for name in SAMPLING} == SAMPLING
    run("generate", "jump", "--seed", 1, "--out", "plain.bvh")
    assert pipeline.calls[1].steps is None and not hasattr(pipeline.calls[1], "gamma")


def test_an_absurd_setting_is_refused_in_a_sentence_before_any_work(run, pipeline, here):
    done = run("generate", "jump", "--gamma", 99)
    assert done.code == 2 and len(done.lines) == 1 and "gamma goes from 0 to 10" in done.err
    assert not pipeline.calls and not os.listdir(here)


def test_a_setting_that_a_model_does_not_know_is_refused(run, pipeline, here, monkeypatch):
    plain = lambda texts, styles=None, seconds=None, seeds=None, *, strength=1.0, steps=None: []  # noqa: E731
    monkeypatch.setattr(pipeline, "generate", plain, raising=False)
    done = run("generate", "jump", "--style", "old", "--gradient", 0.1)
    assert done.code == 2 and "--gradient is not an option of this model" in done.err


def test_several_outs_get_one_motion_and_all_options_arrive(run, pipeline, here):
    done = run(
        "generate", "jump", "--style", "old:0.7", "--style", "happy:0.3", "--strength", 1.5, "--seconds", 3,
        "--seed", 9, "--fps", 60, "--in-place", "--raw", "--out", "jump.bvh", "--out", "jump.npz", "--units", "cm",
    )  # fmt: skip
    assert done.code == 0 and done.out.split() == ["jump.bvh", "jump.npz"]
    assert len(pipeline.calls) == 1
    call = pipeline.calls[0]
    assert call.styles == [[("old", 0.7), ("happy", 0.3)]] and call.seconds == 3.0 and call.strength == 1.5
    assert not call.clean_feet
    with np.load("jump.npz", allow_pickle=False) as arrays:
        assert arrays["joints"].shape[1:] == (22, 3) and arrays["fps"] == 60
        assert str(arrays["text"]) == "jump" and str(arrays["style"]) == "old:0.7, happy:0.3" and arrays["seed"] == 9
        assert np.ptp(arrays["root"][:, 2]) == 0.0
    offsets = [line for line in Path("jump.bvh").read_text().splitlines() if "OFFSET" in line]
    assert any(abs(float(number)) > 10 for line in offsets for number in line.split()[1:])


def test_takes_are_numbered_and_each_can_be_made_again_by_its_own_seed(run, pipeline, here):
    done = run("generate", "wave", "--count", 3, "--seed", 5, "--out", "wave.npz")
    assert done.out.split() == ["wave_1.npz", "wave_2.npz", "wave_3.npz"] and done.code == 0
    with np.load("wave_3.npz") as third:
        assert third["seed"] == 7
        run("generate", "wave", "--seed", 7, "--out", "again.npz")
        with np.load("again.npz") as again:
            assert np.array_equal(again["joints"], third["joints"])


def test_a_drawn_seed_is_said(run, pipeline, here):
    done = run("generate", "wave")
    assert f"--seed {pipeline.calls[0].seeds[0]}" in done.err and done.code == 0


def test_what_the_pipeline_notes_is_said_in_one_sentence(run, pipeline, here):
    pipeline.notes = ['style "gloomy" is not known; nearest: sad']
    done = run("generate", "walk", "--style", "gloomy", "--seed", 1, "--out", "walk.npz")
    assert done.lines == ['style "gloomy" is not known; nearest: sad'] and done.code == 0


@pytest.mark.parametrize(("suffix", "is_said"), [(".bvh", True), (".npz", False), (".glb", False)])
def test_the_credit_is_said_once_where_a_file_has_no_place_for_it(run, pipeline, here, suffix, is_said):
    done = run("generate", "walk", "--seed", 1, "--count", 2, "--out", f"walk{suffix}")
    assert done.code == 0 and done.err.count(MADE_WITH) == is_said and MADE_WITH not in done.out


def refused(done, pipeline, *words):
    assert done.code == 2 and done.out == "" and len(done.lines) == 1, done.err
    for word in words:
        assert word in done.err
    assert not pipeline.calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([""], ["text is empty"]),
        (["   "], ["text is empty"]),
        (["x" * 10_000], ["10,000 characters", "at most 1,000"]),
        (["walk", "--seconds", "0"], ["from 1 to 10", "0 was asked"]),
        (["walk", "--seconds", "11"], ["from 1 to 10", "11 was asked"]),
        (["walk", "--seconds", "600"], ["from 1 to 10", "600 was asked"]),
        (["walk", "--out", "walk.fbx"], [".fbx", ".bvh, .npz, .glb"]),
        (["walk", "--out", "walk"], ["no suffix"]),
        (["walk", "--out", "none/walk.bvh"], ["none", "does not exist"]),
        (["walk", "--out", "a.bvh", "--out", "a.bvh"], ["named twice"]),
        (["walk", "--style", "missing.bvh"], ["missing.bvh", "does not exist"]),
        (["walk", "--units", "furlong"], ["--units takes m or cm"]),
        (["walk", "--count", "0"], ["count"]),
        (["walk", "--seed", "-4"], ["seed"]),
        (["walk", "--seed", "many"], ["--seed"]),
        (["walk", "--sty", "old"], ["--sty"]),
        ([], ["TEXT"]),
    ],
)
def test_what_cannot_be_met_costs_one_line_and_no_work(run, pipeline, here, arguments, words):
    refused(run("generate", *arguments), pipeline, *words)
    assert os.listdir(here) == []


def test_an_existing_file_is_kept_unless_forced(run, pipeline, here):
    Path("walk.bvh").write_text("mine")
    refused(run("generate", "walk", "--out", "new.npz", "--out", "walk.bvh"), pipeline, "walk.bvh", "--force")
    refused(run("generate", "walk"), pipeline, "walk.bvh", "--force")
    Path("walk_2.bvh").write_text("mine")
    refused(run("generate", "walk", "--count", 2), pipeline, "walk_2.bvh", "--force")
    assert sorted(os.listdir(here)) == ["walk.bvh", "walk_2.bvh"] and Path("walk.bvh").read_text() == "mine"
    assert run("generate", "walk", "--force", "--seed", 1).code == 0
    assert read("walk.bvh").people[0].frames > 10


def test_an_unwritable_folder_is_refused(run, pipeline, here):
    if os.geteuid() == 0:
        folder = Path("/proc/self")  # permissions do not bind root; this folder refuses in another way
    else:
        folder = here / "locked"
        folder.mkdir(mode=0o500)
    refused(run("generate", "walk", "--out", folder / "walk.bvh"), pipeline, "cannot be written", "choose another")


@pytest.mark.parametrize("suffix", [".bvh", ".npz", ".glb", ".gif"])
def test_an_interruption_while_writing_leaves_nothing_behind(run, pipeline, here, monkeypatch, suffix):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    # The rename is the last step: everything has been written by then, beside the target.
    monkeypatch.setattr(os, "replace", interrupted)
    monkeypatch.setattr(os, "link", interrupted)
    done = run("generate", "walk", "--seconds", 1, "--seed", 1, "--out", f"walk{suffix}")
    assert done.code == 130 and done.lines == ["motifmix: interrupted; files are whole or not there"]
    assert os.listdir(here) == []


def test_a_full_disk_is_said_in_one_line_and_leaves_nothing_half_written(run, pipeline, here, monkeypatch):
    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    monkeypatch.setattr(os, "link", full)
    done = run("generate", "walk", "--seed", 1, "--out", "walk.bvh")
    assert done.code == 2 and len(done.lines) == 1 and "No space left" in done.err
    assert os.listdir(here) == []


def test_a_bug_shows_its_traceback(run, pipeline, here):
    with pytest.raises(ZeroDivisionError):
        run("generate", "buggy")
    assert os.listdir(here) == []
