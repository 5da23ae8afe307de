"""Compositions asked the same questions: generated in batches that are kept, scored scene by scene, ready to be resampled."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.evaluation import duet_metrics, metrics
from motifmix.evaluation.body_overlap import overlap_volume
from motifmix.evaluation.duet_judges import DuetJudges, Embedded
from motifmix.evaluation.duet_questions import Question
from motifmix.evaluation.duet_staging import done, staged
from motifmix.evaluation.duet_store import Kept, ScoreStore, arrays_of, scored_of
from motifmix.evaluation.measuring import digest
from motifmix.features.interhuman import InterHumanSpace
from motifmix.mix.agreement import WEIGHT as AGREEMENT
from motifmix.pipelines.baselines.compositions import Composer, Composition, Made, batches

STEPS, BATCH = 10, 16
SPACING = "early"  # how the steps are chosen; part of what kept clips and scores are called by
PAPER_POOL = 32
GUIDANCE = "guidance.json"
MIXER = "Mixer [ST]"  # whose strength Mixers have that were not tuned themselves: they differ in a setting or two
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Scored:
    """Figures of N scenes, one each (of two people [N, 2] where they are about people), and figures of all of them.

    ``hits`` and ``own_hits``: how often a text finds its motion among 20, of the pair and of each person; ``hits_32`` and
    ``own_hits_32`` among 32 with distinct captions, not-a-number for who is in no pool. ``staged`` and ``done``: whether they
    stand and go as asked, and whether each does as asked, by geometry (``duet_staging.py``).
    """

    hits: np.ndarray
    own_hits: np.ndarray
    hits_32: np.ndarray
    own_hits_32: np.ndarray
    distance: np.ndarray
    own_distance: np.ndarray
    overlap: np.ndarray
    skate: np.ndarray
    contact_error: np.ndarray
    facing_error: np.ndarray
    staged: np.ndarray
    done: np.ndarray
    of_all: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tuned:
    """What tuning chose: a ``strength`` of guidance, and the ``overall`` alignment with it on so many validation pairs."""

    strength: float
    overall: float
    questions: int = 0


@dataclass
class DuetBench:
    """The questions with their texts and real scenes embedded once.

    ``guidance``: what was tuned for each method; ``store``: where scores outlive the weights.
    """

    home: Path
    asked: Sequence[Question]
    judges: DuetJudges
    steps: int = STEPS
    seed: int = 0
    guidance: Mapping[str, Tuned] = field(default_factory=dict)
    store: ScoreStore | None = None
    progress: Progress = lambda what, done, of: None

    def __post_init__(self) -> None:
        self.texts = self.judges.texts(
            [q.wanted.text for q in self.asked], [q.wanted.individual_texts for q in self.asked]
        )
        self.real = self.judges.scenes([q.real for q in self.asked])
        self.approach = self._bodies([question.real for question in self.asked])["approach"]
        self.past = np.stack([duet_metrics.turned_away(question.real) for question in self.asked])

    def strength(self, method: Composition) -> float:
        """Return a method's tuned strength, or else that of what it is like (a Mixer: ``MIXER``), and 1 where there is none."""
        like = MIXER if method.mixer else method.tuned_as
        tuned = self.guidance.get(guidance_key(method)) or self.guidance.get(like)
        return tuned.strength if tuned else 1.0

    def scored(self, method: Composition) -> Scored | None:
        """Return a method's scores: those that were kept of its weights, or, where they are there, of what they make now."""
        kept = self._known(method)
        if kept is not None or method.missing(self.home) is not None:
            return None if kept is None else scored_of(kept, Scored)
        made = self.made(method)
        weights = [one.weights for one in made if one.weights is not None] if method.mixer else []
        scored = self.score([one.people for one in made], weights)
        self._keep(method, arrays_of(scored), scored.of_all)
        return scored

    def takes_of(self, method: Composition) -> dict[str, np.ndarray] | None:
        """Return :meth:`takes` of a method, kept or made, as :meth:`scored` does."""
        kept = self._known(method)
        if kept is not None or method.missing(self.home) is not None:
            return None if kept is None else dict(kept.arrays)
        found = self.takes([one.people for one in self.made(method)])
        self._keep(method, found, {})
        return found

    def kept(self, method: Composition) -> Kept | None:
        """Return what the store keeps of a method, asked the same in the same way by the same judges."""
        return None if self.store is None else self.store.read(method.key, self._facts(method))

    def _known(self, method: Composition) -> Kept | None:
        """What is kept of a method, if the weights that are there, if any, are those that it was kept of."""
        kept = self.kept(method)
        there = method.missing(self.home) is None
        return None if kept is not None and there and kept.version != method.version(self.home) else kept

    def version(self, method: Composition) -> str:
        """Return what tells the weights of a method from others, also where only their scores are left."""
        if method.missing(self.home) is None:
            return method.version(self.home)
        kept = self.kept(method)
        return "" if kept is None else kept.version

    def _keep(self, method: Composition, arrays: Mapping[str, np.ndarray], of_all: Mapping[str, float]) -> None:
        if self.store is not None:
            self.store.write(Kept(method, method.version(self.home), self._facts(method), arrays, of_all))

    def _facts(self, method: Composition) -> dict[str, Any]:
        return {
            "questions": asked_digest(self.asked), "judges": self.judges.version, "steps": self.steps, "seed": self.seed,
            "strength": self.strength(method), "spacing": SPACING,
            **({"sparing": repr(Composer.sparing)} if method.mixer else {}),
        }  # fmt: skip

    def made(self, method: Composition, strength: float | None = None) -> list[Made]:
        """Return a method's scenes; batches that were made before are read."""
        factor = self.strength(method) if strength is None else strength
        wanted = [question.wanted for question in self.asked]
        stamp = (
            method.version(self.home),
            method.way,
            repr(method.share),
            method.block,
            SPACING,
            AGREEMENT,
            self.steps,
            factor,
            self.seed,
            *(["led", method.led] if method.led is not None else ()),
            *(["mixtures agree"] if method.way == "mixed" else ()),
            *([repr(Composer.sparing)] if method.mixer else ()),
        )
        folder = self.home / "evaluation" / "composition" / f"{method.key}-{digest(*stamp)}"
        composer: Composer | None = None
        result: list[Made] = []
        for part in batches(len(wanted), BATCH):
            seeds = [self.seed_of(question) for question in self.asked[part]]
            path = folder / f"{digest(wanted[part], seeds)}.npz"
            if not path.exists():
                composer = composer or Composer(method, self.home, self.judges.encoder)
                _keep(composer.make(wanted[part], seeds, steps=self.steps, strength=factor), path)
            result += _kept(path)
            self.progress(method.title, part.stop, len(wanted))
        return result

    def made_by(
        self, composer: Composer | Callable[[Sequence[Question]], Composer], strength: float = 1.0
    ) -> list[np.ndarray]:
        """Return the people [P, T, 262] that a composer makes, kept nowhere; a function gives one that fits what is asked."""
        people = []
        for part in batches(len(self.asked), BATCH):
            own = self.asked[part]
            who = composer if isinstance(composer, Composer) else composer(own)
            seeds = [self.seed_of(question) for question in own]
            people += [
                made.people for made in who.make([q.wanted for q in own], seeds, steps=self.steps, strength=strength)
            ]
        return people

    def seed_of(self, question: Question, draft: int = 0) -> int:
        """Return the seed with which every method makes the pair that is asked for, and further drafts of it."""
        return _seed(self.seed + draft, question.id)

    def score(self, people: Sequence[np.ndarray], weights: Sequence[np.ndarray] = ()) -> Scored:
        """Score scenes [P, T, 262], one a question. The same draws for every method."""
        seen = self.judges.scenes(people)
        rng = np.random.default_rng([self.seed, 23])
        hits, own_hits = self._hits(seen, rng)
        flat, own = self._flat(seen)
        captions = [text for q in self.asked for text in q.wanted.individual_texts]
        wide = _in_wide_pools(self.texts.pairs, seen.pairs, [q.wanted.text for q in self.asked], rng)
        own_wide = _in_wide_pools(flat, own, captions, rng)
        bodies = self._bodies(people)
        past = np.stack([duet_metrics.turned_away(one) for one in people])
        return Scored(
            hits, own_hits, wide, own_wide.reshape(-1, 2),
            np.linalg.norm(self.texts.pairs - seen.pairs, axis=-1),
            np.linalg.norm(flat - own, axis=-1).reshape(-1, 2),
            bodies["overlap"], np.array([duet_metrics.skating(one) for one in people]),
            np.abs(bodies["approach"] - self.approach), np.abs(past - self.past).mean(axis=1),
            np.array([float(staged(q.interaction, one)) for q, one in zip(self.asked, people, strict=True)]),
            np.stack([done(q.contents, one) for q, one in zip(self.asked, people, strict=True)]),
            self._of_all(seen, weights),
        )  # fmt: skip

    def alignment(self, people: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return ``hits`` and ``own_hits`` of :meth:`score` alone, without looking at bodies."""
        return self._hits(self.judges.scenes(people), np.random.default_rng([self.seed, 23]))

    def _hits(self, seen: Embedded, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        hits = duet_metrics.pooled_hits(self.texts.pairs, seen.pairs, [q.interaction for q in self.asked], rng)
        texts, own = self._flat(seen)
        contents = [name for question in self.asked for name in question.contents]
        return hits, duet_metrics.pooled_hits(texts, own, contents, rng).reshape(-1, 2)

    def _flat(self, seen: Embedded) -> tuple[np.ndarray, np.ndarray]:
        """Return the embeddings of each person's text and motion, [N P, E]."""
        texts, own = (each.people.reshape(-1, each.people.shape[-1]) for each in (self.texts, seen))
        return texts, own

    def takes(self, people: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Return figures of scenes beside the real ones with the same captions, one each: for too few for retrieval.

        ``judge``: cosine of text and motion less that of the real motion; differences are absolute.
        """
        seen = self.judges.scenes(people)
        past = np.stack([duet_metrics.turned_away(one) for one in people])
        approach = self._bodies(people)["approach"]
        apart, really = (np.array([duet_metrics.pelvis_distance(one) for one in own])
                         for own in (people, [q.real for q in self.asked]))  # fmt: skip
        cosine, real = ((self.texts.pairs * each.pairs).sum(axis=-1) for each in (seen, self.real))
        return {
            "distance": np.abs(apart - really), "facing": np.abs(past - self.past).mean(axis=1),
            "contact": np.abs(approach - self.approach), "judge": cosine - real,
        }  # fmt: skip

    def _of_all(self, seen: Embedded, weights: Sequence[np.ndarray]) -> dict[str, float]:
        people, real = (each.people.reshape(-1, each.people.shape[-1]) for each in (seen, self.real))
        draws = metrics.random_pairs(len(seen.pairs), 300, np.random.default_rng([self.seed, 29]))
        found = {
            "fid": max(0.0, metrics.frechet_distance(self.real.pairs, seen.pairs)),
            "own_fid": max(0.0, metrics.frechet_distance(real, people)),
            "diversity": metrics.diversity(seen.pairs, *draws),
        }
        if len(weights):
            early, late = duet_metrics.early_and_late(weights)
            found |= {
                "adaptability": duet_metrics.adaptability(weights),
                "step_dependence": duet_metrics.step_dependence(weights),
                "share": float(np.mean([one.astype(np.float64).mean() for one in weights])),
                "early_share": early,
                "late_share": late,
            }
        return found

    def _bodies(self, people: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
        """Return what takes longest, ``overlap`` in litres and closest ``approach`` in metres; kept by what was looked at."""
        stamp = hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in people)).hexdigest()[:20]
        path = self.home / "evaluation" / "composition" / f"bodies-{stamp}.npz"
        if not path.exists():
            rows = []
            for number, one in enumerate(people, start=1):
                first, second = (InterHumanSpace().decode(person) for person in one.astype(np.float64))
                rows.append((overlap_volume(first, second).mean(), duet_metrics.closest_approach(first, second)))
                self.progress("bodies", number, len(people))
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path, force=True) as beside, beside.open("wb") as file:
                np.savez(file, overlap=[row[0] for row in rows], approach=[row[1] for row in rows])
        with np.load(path) as arrays:
            return {name: arrays[name] for name in arrays.files}


def asked_digest(asked: Sequence[Question]) -> str:
    """Return what tells questions from others."""
    return digest([(q.id, q.wanted.text, q.wanted.individual_texts, q.wanted.frames) for q in asked])


def guidance_key(method: Composition) -> str:
    """Return the name under which a method's tuned strength is kept: one for all seeds of a Mixer."""
    return method.title if method.mixer else method.key


def read_guidance(folder: Path) -> dict[str, Tuned]:
    """Return what tuning chose; nothing where it has not been done."""
    path = folder / GUIDANCE
    if not path.is_file():
        return {}
    rows = json.loads(path.read_text("utf-8"))
    return {
        str(key): Tuned(float(row["strength"]), max(row["overall"].values()), int(row.get("questions", 0)))
        for key, row in rows.items()
    }


def write_guidance(folder: Path, rows: Mapping[str, Any]) -> Path:
    """Add rows to the tuned strengths; returns the file."""
    path = folder / GUIDANCE
    before = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, force=True) as beside:
        beside.write_text(json.dumps({**before, **rows}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def _in_wide_pools(
    texts: np.ndarray, motions: np.ndarray, captions: Sequence[str], rng: np.random.Generator
) -> np.ndarray:
    pools = metrics.distinct_pools(captions, rng, PAPER_POOL)
    return duet_metrics.hits_in(texts, motions, pools)


def _seed(seed: int, name: str) -> int:
    return int(np.random.default_rng([seed, *name.encode()]).integers(2**31))


def _keep(made: Sequence[Made], path: Path) -> None:
    """Write scenes in half precision (a millimetre in two metres), beside their target first."""
    arrays = {f"people_{n}": one.people.astype(np.float16) for n, one in enumerate(made)}
    arrays |= {f"weights_{n}": one.weights for n, one in enumerate(made) if one.weights is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, force=True) as beside, beside.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]


def _kept(path: Path) -> list[Made]:
    with np.load(path) as arrays:
        count = sum(name.startswith("people_") for name in arrays.files)
        return [
            Made(
                arrays[f"people_{n}"].astype(np.float32),
                arrays[f"weights_{n}"] if f"weights_{n}" in arrays.files else None,
            )
            for n in range(count)
        ]
