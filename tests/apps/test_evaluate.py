"""`motifmix evaluate` around the protocol: what is missing costs one line."""

import os

import pytest


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "default"], "data prepare"),
        (["evaluate", "default", "--data", "none"], "none"),
        (["evaluate", "default", "--data", "none", "--out", "results"], "none: there is no such folder"),
        (["evaluate", "ablation", "--out", "results"], "data prepare"),
        (["evaluate", "default", "--prompts", "none.json"], "none.json"),
        (["evaluate", "default", "--repeats", "0"], "--repeats"),
        (
            ["evaluate", "mld", "--weights", ".", "--data", ".", "--evaluator", ".", "--out", "file/results"],
            "choose another",
        ),
        (["evaluate", "mld", "--weights", ".", "--out", "results"], "needs --data, --evaluator"),
        (["evaluate", "stylization"], "data prepare"),
        (["evaluate", "ablation", "--limit", "2"], "--limit"),
        (["evaluate", "transfer", "--methods", "nobody"], "no method 'nobody'"),
        (["evaluate", "stylization", "--prompts", "none.json"], "--prompts"),
        (["evaluate", "stylization", "--evaluator", "none", "--out", "tables"], "takes no --evaluator"),
        (["evaluate", "stylization", "--methods", "nobody", "--out", "tables"], "no method 'nobody'"),
        (["evaluate", "stylization", "--methods", ","], "--methods names no row"),
        (["evaluate", "stylization", "--language-model", "file"], "takes no --language-model"),
        (["evaluate", "text-style", "--language-model", "none.yaml", "--out", "tables"], "none.yaml: cannot be read"),
        (["evaluate", "text-style", "--language-model", "file", "--out", "tables"], "file: field"),
        (["evaluate", "composition", "--out", "tables"], "data prepare duets"),
        (["evaluate", "composition-gain", "--out", "tables"], "data prepare duets"),
        (["evaluate", "composition", "--tune", "--out", "tables"], "data prepare duets"),
        (["evaluate", "stylisation"], "stylization, transfer"),
        (["evaluate", "text_style", "--out", "tables"], "text-style"),
        (["evaluate", "default", "--limit", "9"], "without --limit"),
        (["evaluate", "default", "--methods", "joint"], "without --methods"),
        (["evaluate", "mld", "--prompts", "none.json"], "mld takes no --prompts"),
        (["evaluate", "mld", "--classifier", "none"], "mld takes no --classifier"),
    ],
)
def test_what_is_missing_is_said_in_one_line(run, pipeline, here, monkeypatch, words, said):
    monkeypatch.setenv("MOTIFMIX_HOME", str(here / "home"))
    (here / "file").write_text("x")
    done = run(*words)
    assert done.code == 2 and done.out == "" and len(done.lines) == 1 and said in done.err
    assert os.listdir(here) == ["file"]
