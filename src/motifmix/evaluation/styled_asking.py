"""Asking a method and remembering what its clips were read as, raw and after the post-processing that all rows share.

A method is asked once, without any cleaning of feet of its own; the one cleaning that the default model has is then done
here for every row alike, so that both columns come from the same clips. What was measured is kept below ``MOTIFMIX_HOME``,
repeat by repeat: a run that was killed goes on, and a table that shares questions with another one shares the answers.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.evaluation.measuring import FPS, Measured, digest, figures
from motifmix.evaluation.questions import Question
from motifmix.motion.foot_cleanup import cleaned_feet
from motifmix.motion.motion import Motion
from motifmix.pipelines.sampling import CHOSEN
from motifmix.pretrained.judges import Judge, RetrievalJudge, joint_positions

Progress = Callable[[str, int, int], None]
CHUNK = 32


@dataclass(frozen=True)
class StyledMeasured(Measured):
    """Figures of ``n`` clips, and how likely the judge takes each style to be, ``style_shares [n, styles]``."""

    style_shares: np.ndarray


@dataclass(frozen=True)
class Answers:
    """The clips of one repeat as they came (``raw``) and after post-processing (``clean``), and the seconds a clip."""

    clean: StyledMeasured
    raw: StyledMeasured
    seconds: float

    def save(self, path: Path) -> None:
        """Write an npz beside its target and rename it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            f"{side}.{f.name}": getattr(getattr(self, side), f.name)
            for side in ("clean", "raw")
            for f in fields(StyledMeasured)
        }
        with replacing(path, force=True) as beside:
            np.savez_compressed(beside, seconds=np.array(self.seconds), **arrays)

    @classmethod
    def load(cls, path: Path) -> "Answers":
        """Read what :meth:`save` wrote."""
        with np.load(path) as arrays:
            sides = [
                StyledMeasured(**{f.name: arrays[f"{side}.{f.name}"] for f in fields(StyledMeasured)})
                for side in ("clean", "raw")
            ]
            return cls(sides[0], sides[1], float(arrays["seconds"]))


@dataclass(frozen=True)
class Subject:
    """A method as it is asked: what tells it from others, how it is loaded, and the options of its ``generate``.

    ``guided`` False gives it no style: the floor, which is asked the same questions all the same.
    """

    key: str
    title: str
    version: str
    load: Callable[[], Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    guided: bool = True

    @cached_property
    def pipeline(self) -> Any:
        """The method itself, loaded when it is asked for the first time."""
        return self.load()

    def generate(self, questions: Sequence[Question]) -> list[Motion]:
        """Answer questions."""
        return self.pipeline.generate(
            [q.text for q in questions],
            styles=[q.guide for q in questions] if self.guided else None,
            seconds=[q.seconds for q in questions],
            seeds=[q.seed for q in questions],
            clean_feet=False,
            **self.options,
        )


class Asking:
    """Asks subjects and reads their clips with one pair of judges; see the module's text."""

    def __init__(
        self, judge: Judge, retrieval: RetrievalJudge, cache: Path, progress: Progress = lambda what, done, of: None
    ) -> None:
        self.judge, self.retrieval, self.cache, self.progress = judge, retrieval, cache, progress
        self.done, self.planned = 0, 0
        self._judges = (judge.card.sha256, retrieval.card.sha256)

    def ask(self, subject: Subject, row: str, repeat: int, questions: Sequence[Question]) -> Answers:
        """Return the answers of one repeat, from the cache or by generating them."""
        said = [(q.text, q.seed, q.seconds, guide_name(q.guide) if subject.guided else None) for q in questions]
        key = (subject.version, CHOSEN, sorted(subject.options.items()), said)
        return self.answered(
            subject.key, subject.title, f"{row}-{repeat}", key, len(questions),
            lambda first, last: subject.generate(questions[first:last]), lambda: subject.pipeline,
        )  # fmt: skip

    def answered(
        self,
        folder: str,
        title: str,
        name: str,
        key: object,
        count: int,
        make: Callable[[int, int], list[Motion]],
        ready: Callable[[], object] = lambda: None,
    ) -> Answers:
        """Return what was kept under a name and a key, or make ``count`` clips, ``make(first, last)`` at a time.

        ``ready`` loads what making needs, which is no part of the time.
        """
        path = self.cache / folder / f"{name}-{digest(key, self._judges)}.npz"
        if path.exists():
            self._count(title, count)
            return Answers.load(path)
        ready()
        motions: list[Motion] = []
        begun = time.process_time()
        for start in range(0, count, CHUNK):
            motions += make(start, min(start + CHUNK, count))
            self._count(title, min(CHUNK, count - start))
        answers = self.read(motions, (time.process_time() - begun) / count)
        answers.save(path)
        return answers

    def read(self, motions: Sequence[Motion], seconds: float = 0.0) -> Answers:
        """Measure clips as they are and after the shared post-processing."""
        return Answers(self.measure([cleaned_feet(m) for m in motions]), self.measure(motions), seconds)

    def measure(self, motions: Sequence[Motion]) -> StyledMeasured:
        """Read clips at 20 fps, at most their first ten seconds."""
        joints = [joint_positions(motion, FPS) for motion in motions]
        reading = self.judge.read(joints)
        return StyledMeasured(**figures(joints, reading, self.retrieval), style_shares=reading.style.astype(np.float32))

    def remembered(self, name: str, key: object, motions: Callable[[], Sequence[Motion]]) -> StyledMeasured:
        """Measure real clips once; ``key`` says what the figures depend on besides the judges."""
        path = self.cache / "real" / f"{name}-{digest(key, self._judges)}.npz"
        if not path.exists():
            self.measure(motions()).save(path)
        return StyledMeasured.load(path)

    def _count(self, what: str, clips: int) -> None:
        self.done += clips
        self.progress(what, self.done, max(self.planned, self.done))


def guide_name(guide: object) -> object:
    """Return what stands for a guide in a key: the clip that a motion is, words as they are."""
    return guide.labels.get("clip") if isinstance(guide, Motion) else guide
