"""`motifmix sweep`: films, pictures and files of a row of figures, and what is refused before any work."""

import os

import numpy as np
import pytest
from PIL import Image

from motifmix.credits import MADE_WITH
from motifmix.files import read

TWO = ("--style", "old", "--style", "happy")


def test_a_row_becomes_a_film_a_gif_and_a_strip(run, pipeline, here):
    import av

    asked = ("--steps", 3, "--seconds", 1, "--out", "row.mp4", "--out", "row.gif", "--out", "row.png")
    done = run("sweep", "a person walks", *TWO, *asked)
    assert done.code == 0 and done.out.split() == ["row.mp4", "row.gif", "row.png"]
    assert len(done.lines) == 1 and "all figures are the same" in done.err  # the pipeline here knows no styles
    with av.open("row.mp4") as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert MADE_WITH in film.metadata["comment"]
    assert len(pictures) in (19, 20) and pictures[0].shape == (256, 3 * 192, 3)
    with Image.open("row.gif") as gif:
        assert gif.size == (3 * 192, 256) and 11 <= gif.n_frames <= 13
        assert MADE_WITH in gif.info["comment"].decode()
    with Image.open("row.png") as strip:
        assert strip.size == (3 * 192, 4 * 256) and MADE_WITH in strip.text["Comment"]
    call = pipeline.calls[0]
    assert call.styles == [
        [("old", 1.0), ("happy", 0.0)],
        [("old", 0.5), ("happy", 0.5)],
        [("old", 0.0), ("happy", 1.0)],
    ]
    assert call.seconds == 1.0 and call.seeds == [1, 1, 1] and call.strength == 1.0 and call.clean_feet


def test_a_long_row_has_narrower_figures(run, pipeline, here):
    assert run("sweep", "walk", *TWO, "--steps", 16, "--seconds", 1, "--out", "row.png").code == 0
    with Image.open("row.png") as strip:
        assert strip.size == (1920, 4 * 256)


def test_each_writes_a_motion_file_a_step_with_its_share_in_the_labels(run, pipeline, here):
    done = run("sweep", "walk", *TWO, "--steps", 3, "--seconds", 1, "--seed", 4, "--each", "w.npz", "--each", "w.bvh")
    assert done.code == 0 and done.out.split() == [f"w_{n}.{kind}" for kind in ("npz", "bvh") for n in (1, 2, 3)]
    assert done.err.count(MADE_WITH) == 1  # for the .bvh
    labels = []
    for number in (1, 2, 3):
        with np.load(f"w_{number}.npz") as arrays:
            labels.append(str(arrays["style"]))
            assert arrays["seed"] == 4 and arrays["fps"] == 30
    assert labels == ["old", "old:0.5, happy:0.5", "happy"]
    assert len({read(here / f"w_{number}.bvh").people[0].frames for number in (1, 2, 3)}) == 1


def test_without_out_a_film_named_after_text_and_styles_is_made(run, pipeline, here):
    assert run("sweep", "walk", *TWO, "--steps", 2, "--seconds", 1).out == "walk_old-happy.mp4\n"


def test_settings_of_the_guidance_hold_for_every_figure(run, pipeline, here):
    done = run(
        "sweep", "walk", *TWO, "--steps", 2, "--seconds", 1, "--each", "w.npz", "--gamma", 0.4, "--style-scale", 3,
        "--denoising-steps", 20, "--shift", 2,
    )  # fmt: skip
    assert done.code == 0 and all((call.gamma, call.style_scale) == (0.4, 3.0) for call in pipeline.calls)
    assert all((len(call.texts), call.steps, call.shift) == (2, 20, 2.0) for call in pipeline.calls)
    assert "gamma goes from 0 to 10" in run("sweep", "walk", *TWO, "--gamma", 11).err


@pytest.mark.parametrize("words", [("sweep", "walk", *TWO), ("styles",), ("batch", "t.csv", "--out", "o")])
def test_weights_of_another_kind_are_refused(run, pipeline, here, words):
    (here / "t.csv").write_text("text\nwalk\n")
    done = run(*words, "--weights", "folder")  # what the test loads is none of our own
    assert done.code == 2 and "folder: " in done.err and "weights that 'motifmix train' wrote" in done.err


def test_a_jump_is_said(run, pipeline, here, monkeypatch):
    from motifmix.pipelines import sweep as rows

    told = rows.Sweep((pipeline.generate(["walk"], None, 1.0, [1])[0],) * 4, (0, 0.3, 0.6, 1), (0.0, 0.9, 0.0))
    monkeypatch.setattr(rows, "sweep", lambda *arguments, **options: told)
    done = run("sweep", "walk", *TWO, "--steps", 4, "--each", "w.npz")
    assert "30.0 cm apart on average, 90.0 at most (3.00 times): there is a jump between figures 2 and 3" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--style", "old"], "two styles|--style twice"),
        (["--style", "old:0.5", "--style", "happy"], "leave the weights out"),
        ([*TWO, "--steps", "1"], "--steps goes from 2 to 32"),
        ([*TWO, "--out", "row.bvh"], "use one of .mp4, .gif, .png"),
        ([*TWO, "--each", "row.png"], "use one of .bvh"),
        ([*TWO, "--seconds", "11"], "from 1 to 10"),
        ([*TWO, "--units", "furlong"], "--units"),
        (["--style", "missing.bvh", "--style", "old"], "does not exist"),
        (["--style", "old", "--style", "old"], "both are 'old'; give two styles"),
    ],
)
def test_what_cannot_be_met_costs_one_line_and_no_work(run, pipeline, here, arguments, words):
    done = run("sweep", "walk", *arguments)
    assert done.code == 2 and done.out == "" and len(done.lines) == 1, done.err
    assert any(word in done.err for word in words.split("|")), done.err
    assert not pipeline.calls and os.listdir(here) == []


def test_existing_files_are_kept_unless_forced(run, pipeline, here):
    (here / "w_2.npz").write_text("mine")
    done = run("sweep", "walk", *TWO, "--each", "w.npz")
    assert done.code == 2 and "--force" in done.err and not pipeline.calls
    assert run("sweep", "walk", *TWO, "--steps", 2, "--seconds", 1, "--each", "w.npz", "--force").code == 0
