"""Training the judges: the recognisers of the three roles and the motion-text evaluator, side by side in one run.

Every judge draws its own batches from its own seed, so that training one alone or all together shows it the same clips.
Only the training side of the split is drawn from. What a judge reads on held-out clips is measured when it is saved and
stands in its card.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from motifmix.data.prepared import Prepared
from motifmix.errors import DataError, RequestError
from motifmix.evaluation.classes import CONTENT_CLASSES, STYLE_CLASSES
from motifmix.home import home
from motifmix.models.recogniser import Recogniser, TemporalConfig
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.pretrained.judges import Kind, Role, save_judge
from motifmix.training.judge_pool import CaptionedPool, JudgePool
from motifmix.training.judge_trials import probes, retrieval_trust, trust
from motifmix.training.objectives.recognition import recognition_loss, retrieval_loss
from motifmix.training.publishing import LICENCE

SAMPLED_FOR_INPUTS = 128


class JudgeOptions(BaseModel):
    """One judge: its role, its seed and its network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    role: Role
    seed: int
    batch: int = Field(32, ge=2)
    net: TemporalConfig


class JudgesOptions(BaseModel):
    """Options of ``judge`` recipes; ``only`` names one judge to train alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    judges: dict[str, JudgeOptions]
    source_shares: dict[str, float] = {}
    only: str | None = None
    probe_steps: int = Field(0, ge=0)


class JudgesObjective:
    """Cross entropy of every recogniser and the contrast of the evaluator, added up."""

    def __init__(self, data: list[str], options: dict[str, Any], seed: int) -> None:
        self.options = JudgesOptions.model_validate(options)
        only = self.options.only
        if only is not None and only not in self.options.judges:
            raise RequestError(f"options.only: no judge {only!r}; the recipe has {', '.join(self.options.judges)}")
        self.judges = {n: j for n, j in self.options.judges.items() if only in (None, n)}
        self.folders = _open(data)
        self.pool = JudgePool.of(
            self.folders.values(), CONTENT_CLASSES, STYLE_CLASSES, source_shares=self.options.source_shares
        )
        self.captioned: CaptionedPool | None = None
        if any(judge.kind == "retrieval" for judge in self.judges.values()):
            from motifmix.encoders.text import MiniLM

            self.captioned = CaptionedPool(self.pool, MiniLM().encode, np.random.default_rng(seed))
        self.modules = nn.ModuleDict({name: self._network(judge) for name, judge in self.judges.items()})

    def loss(self, generator: torch.Generator, rng: np.random.Generator) -> tuple[Tensor, dict[str, float]]:
        """Draw a batch for every judge."""
        step = int(rng.integers(2**62))
        total, figures = torch.zeros(()), {}
        for name, judge in self.judges.items():
            own = np.random.default_rng([judge.seed, step])
            own_torch = torch.Generator().manual_seed(int(own.integers(2**62)))
            network: Any = self.modules[name]
            if judge.kind == "retrieval":
                assert self.captioned is not None
                loss, shown = retrieval_loss(network, next(self.captioned.batches(judge.batch, own, 1)), own_torch)
            else:
                loss, shown = recognition_loss(network, next(self.pool.batches(judge.batch, own, at_once=1)), own_torch)
            total = total + loss
            figures |= {f"{name}_{key}": value for key, value in shown.items()}
        return total, figures

    def preview(self, modules: nn.ModuleDict, folder: Path, step: int) -> None:
        """Write what the averaged judges read on held-out clips now (nothing is chosen by it)."""
        rows = {name: self._trust(name, modules[name]) for name in self.judges}
        with (folder / "held_out.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **rows}) + "\n")

    def save(self, modules: nn.ModuleDict, folder: Path, facts: dict[str, Any]) -> None:
        """Write every judge with its card; the score judge's card gets the probes."""
        for name, judge in self.judges.items():
            card: dict[str, Any] = dict(
                name=f"{judge.kind}-{judge.role}",
                kind=judge.kind,
                role=judge.role,
                config=judge.net,
                contents=CONTENT_CLASSES if judge.kind == "recogniser" else (),
                styles=STYLE_CLASSES if judge.kind == "recogniser" else (),
                seed=judge.seed,
                data=", ".join(self.folders),
                licence=LICENCE,
                recipe=facts["recipe"],
                commit=facts["commit"],
            )
            numbers = {"held_out": self._trust(name, modules[name])}
            save_judge(folder / "judges", modules[name], numbers=numbers, **card)
            if judge.kind == "recogniser" and judge.role == "score" and self.options.probe_steps:
                # The judge is written already: probes take longer than many a judge's training.
                tried = probes(judge.net, judge.seed, self.options.probe_steps, self.folders["bandai"])
                save_judge(folder / "judges", modules[name], numbers={**numbers, "probes": tried}, **card)

    def _network(self, judge: JudgeOptions) -> nn.Module:
        torch.manual_seed(judge.seed)
        generator = np.random.default_rng(judge.seed)
        if judge.kind == "recogniser":
            network = Recogniser(judge.net, len(CONTENT_CLASSES), len(STYLE_CLASSES))
            batch = next(self.pool.batches(SAMPLED_FOR_INPUTS, generator, at_once=1))
            network.net.fit_inputs(batch.joint_positions, batch.valid_mask)
            return network
        assert self.captioned is not None
        evaluator = RetrievalEvaluator(judge.net)
        batch = next(self.captioned.batches(SAMPLED_FOR_INPUTS, generator, 1))
        evaluator.motion_net.fit_inputs(batch.joint_positions, batch.valid_mask)
        evaluator.fit_texts(self.captioned.sentences)
        return evaluator

    def _trust(self, name: str, network: Any) -> dict[str, Any]:
        cmu = self.folders.get("cmu")
        if self.judges[name].kind == "recogniser":
            return trust(network.eval(), self.folders["bandai"], cmu)
        if cmu is None:
            return {}
        from motifmix.encoders.text import MiniLM

        return retrieval_trust(network.eval(), cmu, lambda texts: MiniLM().encode(texts).numpy())


def _open(names: list[str]) -> Mapping[str, Prepared]:
    folders = {}
    for name in names:
        folder = home() / "data" / name
        if not (folder / "clips.jsonl").exists():
            raise DataError(
                f"{folder}: the set {name!r} is not prepared; run 'motifmix data prepare {name} --source ARCHIVE "
                f"--out {folder}'"
            )
        folders[name] = Prepared(folder)
    if "bandai" not in folders:
        raise DataError("judges read styles: a judge recipe needs 'bandai' among its data")
    return folders
