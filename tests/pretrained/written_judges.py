from pathlib import Path
from typing import Any

import torch

from motifmix.evaluation.classes import CONTENT_CLASSES, STYLE_CLASSES
from motifmix.models.recogniser import Recogniser, TemporalConfig
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.pretrained.judges import save_judge

CONFIG = TemporalConfig(width=16, dilations=((1,), (1,)), feature_dim=16)


def write_judge(folder: Path, role: str, seed: int = 0, kind: str = "recogniser", **changes: Any):
    torch.manual_seed(seed)
    recogniser = kind == "recogniser"
    model = Recogniser(CONFIG, len(CONTENT_CLASSES), len(STYLE_CLASSES)) if recogniser else RetrievalEvaluator(CONFIG)
    fields = dict(
        name=f"{kind}-{role}", kind=kind, role=role, config=CONFIG, seed=seed, data="made up", licence="none",
        recipe="none", commit="none", contents=CONTENT_CLASSES if recogniser else (),
        styles=STYLE_CLASSES if recogniser else (),
    )  # fmt: skip
    return save_judge(folder, model, **{**fields, **changes})
