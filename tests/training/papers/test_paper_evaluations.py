"""The papers' evaluation commands on tiny models, tiny judges and tiny data in the published layouts."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
import torch

from motifmix.apps.cli.main import main
from motifmix.models.interclip import InterCLIP
from motifmix.models.t2m_evaluator import TextMotionEvaluator
from motifmix.pretrained.cards import write_weights
from motifmix.pretrained.converted import MODEL_CARD, ModelCard
from motifmix.pretrained.published import Licence

LICENCE = Licence(code="-", weights="-", data="-", consequence="made for a test")
WORDS = ["unk", "sos", "eos", "a", "person", "walk", "forward", "man"]
COMMON = {"role": "score", "space": "none", "licence": "-", "credit": [], "data": [], "recipe": "-", "commit": "-"}


def judge(folder, architecture, sizes, network, statistics=()):
    import yaml

    write_weights(folder, "evaluator", network.state_dict(), exact=True, name="evaluator", architecture=architecture,
                  sizes=sizes, **COMMON)  # fmt: skip
    if statistics:
        tensors = {"motion.mean": torch.zeros(263), "motion.std": torch.ones(263)}
        write_weights(folder, "statistics", tensors, exact=True, name="statistics", architecture="none", sizes={},
                      **COMMON)  # fmt: skip
    card = ModelCard(published="judge", title="-", converted_by="-", files={}, licence=LICENCE, citation="",
                     parts=["evaluator"], statistics=list(statistics))  # fmt: skip
    (folder / MODEL_CARD).write_text(yaml.safe_dump(card.model_dump(mode="json")))
    return folder


@pytest.fixture(scope="module")
def judges(tmp_path_factory, workshop):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("judges")
    words: dict[str, Any] = {
        "word_dim": 6,
        "text_hidden": 8,
        "movement_hidden": 8,
        "movement_latent": 8,
        "motion_hidden": 8,
        "embedding": 4,
    }
    clip: dict[str, Any] = {"width": 16, "feed_forward": 16, "layers": 1, "heads": 2, "text_width": 16, "text_feed_forward": 16,
            "text_layers": 1, "text_heads": 2, "embedding": 4}  # fmt: skip
    glove = workshop.home / "encoders" / "glove"
    glove.mkdir(parents=True)
    np.save(glove / "our_vab_data.npy", np.random.default_rng(0).normal(size=(len(WORDS), 6)).astype(np.float32))
    (glove / "our_vab_words.pkl").write_bytes(pickle.dumps(WORDS))
    (glove / "our_vab_idx.pkl").write_bytes(pickle.dumps({word: row for row, word in enumerate(WORDS)}))
    return {
        "t2m": judge(
            folder / "t2m", "t2m_evaluator:TextMotionEvaluator", words, TextMotionEvaluator(**words), ["motion"]
        ),
        "interclip": judge(folder / "interclip", "interclip:InterCLIP", clip, InterCLIP(**clip)),
    }


def figures(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    assert set(found) == {"real", "model"}
    for row in found.values():
        assert all(np.isfinite(figure["mean"]) for figure in row.values())
    assert abs(found["real"]["FID"]["mean"]) < 1e-4
    return found["model"]


@pytest.mark.parametrize("protocol", ["mld_vae", "mld", "smoodi", "stylemotif"])
def test_models_of_humanml3d_are_measured(workshop, judges, capsys, protocol):
    weights, data = workshop.train("mld" if protocol == "mld_vae" else protocol), workshop.folder_of(protocol)
    options = ["--weights", weights, "--data", data, "--evaluator", judges["t2m"], "--set", "pool=2"]
    if protocol in ("smoodi", "stylemotif"):
        options += ["--classifier", workshop.train("smoodi_style_network"), "--set", "limit=2"]
    if protocol == "mld":
        options += ["--set", "prompts=1", "--set", "takes=2"]
    found = figures(capsys, protocol, *options)
    extra = {"mld_vae": {"MPJPE mm"}, "mld": {"multimodality"}}.get(protocol, {"SRA %", "foot skating"})
    assert set(found) == {"FID", "R-precision 1", "R-precision 2", "R-precision 3", "MM-Dist", "diversity", *extra}


@pytest.mark.parametrize("protocol", ["intergen", "in2in", "mixermdm"])
def test_models_of_two_people_are_measured(workshop, judges, capsys, protocol):
    weights = workshop.train("in2in_interaction" if protocol == "in2in" else protocol)
    options = ["--weights", weights, "--data", workshop.data["interhuman"], "--evaluator", judges["interclip"]]
    found = figures(capsys, protocol, *options, "--set", "pool=2")
    assert set(found) == {"FID", "R-precision 1", "R-precision 2", "R-precision 3", "MM-Dist", "diversity"}


def test_what_an_evaluation_lacks_is_one_line(workshop, judges, capsys):
    weights, data = workshop.train("mld"), workshop.data["humanml3d"]
    told = ["--weights", weights, "--data", data, "--evaluator", judges["t2m"]]
    for arguments, words in (
        (["mld"], "needs --weights, --data, --evaluator"),
        (["mld", *told], "fewer than the 32"),
        (["mld", *told, "--set", "surprise=1"], "surprise"),
        (["mld", "--weights", weights, "--data", data, "--evaluator", weights], "holds no evaluator"),
        (["smoodi", "--weights", weights, "--data", workshop.data["100style"], *told[4:]], "--classifier"),
        (["in2in", "--weights", weights, "--data", data, "--evaluator", judges["t2m"]], "holds no InterCLIP"),
    ):
        assert main(["evaluate", *map(str, arguments)]) != 0
        assert words in capsys.readouterr().err
