"""`motifmix train` around the loop: changes to a recipe, and mistakes in one line."""

from pathlib import Path

import pytest


def test_changes_arrive_as_values(run, here, monkeypatch):
    asked = {}

    def train_recipe(path, changes, **options):
        asked.update(path=path, changes=changes, **options)
        options["log"](1, 10, {"loss": 0.5})
        return Path("weights")

    monkeypatch.setattr("motifmix.training.runs.train_recipe", train_recipe)
    done = run(
        "train", "vae.yaml", "--set", "options.batch=16", "--set", "data=[bandai]", "--set", "learning_rate=1.0e-3",
        "--set", "name=try", "--run", "here", "--threads", 2,
    )  # fmt: skip
    assert done.code == 0 and done.out == "weights\n" and done.err == "step 1 of 10  loss 0.5\n"
    assert asked["changes"] == {"options.batch": 16, "data": ["bandai"], "learning_rate": 1e-3, "name": "try"}
    assert (asked["path"], asked["run"], asked["threads"]) == (Path("vae.yaml"), Path("here"), 2)


@pytest.mark.parametrize("change", ["batch", "=3", "a..b=3", "a b=3", "options.batch=[1", ""])
def test_a_change_that_is_none_is_refused(run, here, change):
    done = run("train", "vae.yaml", "--set", change)
    assert done.code == 2 and len(done.lines) == 1 and "--set" in done.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "vae.yaml"),
        ("[", "no YAML"),
        ("- a list", "named values"),
        ("name: vae\nobjective: vae\nsteps: -1\nlearning_rate: 0.1\n", "steps"),
        ("name: vae\nobjective: vae\nsteps: 1\nlearning_rate: 0.1\nsurprise: 1\n", "surprise"),
        ("name: vae\nobjective: nonsense\nsteps: 1\nlearning_rate: 0.1\n", "nonsense"),
    ],
)
def test_a_recipe_that_is_none_is_refused_by_field(run, here, monkeypatch, text, words):
    monkeypatch.setenv("MOTIFMIX_HOME", str(here / "home"))
    if text is not None:
        Path("vae.yaml").write_text(text)
    done = run("train", "vae.yaml")
    assert done.code == 2 and len(done.lines) == 1 and words in done.err
    assert not (here / "home").exists()


def test_an_interrupted_training_says_how_to_go_on(run, here, monkeypatch):
    def train_recipe(path, changes, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("motifmix.training.runs.train_recipe", train_recipe)
    done = run("train", "vae.yaml")
    assert done.code == 130 and "run the same command again" in done.err
