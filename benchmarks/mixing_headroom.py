"""What a Mixer could gain by its weights: compositions whose weights are forced by what no Mixer is told.

    python benchmarks/mixing_headroom.py           # writes docs/mixing_headroom.json and docs/mixing_headroom.md
    python benchmarks/mixing_headroom.py --page    # writes the page again from the JSON

The two-chain sampler of the Mixer with its weights forced (`mix/weights.py`): the same share everywhere, another one for people
who do what no training pair shows, or whose sentences are far from those of the pairs, early and late, for the upper body and the
lower; and, beside these rules, Mixers. Validation pairs and the judges that select: nothing here scores. Needs the prepared pairs
and trained models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import page_of
import torch
from torch import Tensor

from motifmix.encoders.text import MiniLM
from motifmix.errors import WeightsError
from motifmix.evaluation.duet_bench import STEPS, DuetBench
from motifmix.evaluation.duet_judges import DuetJudges
from motifmix.evaluation.duet_metrics import harmonic_mean
from motifmix.evaluation.duet_questions import Question, questions
from motifmix.home import home
from motifmix.mix.weights import PARTS
from motifmix.models.mixer import Familiarity
from motifmix.motion.skeleton import JOINT_NAMES
from motifmix.pipelines.baselines.compositions import COMPOSITIONS, FAMILIAR, MIXERS, Composer, mixers
from motifmix.pipelines.duet_mixer import load_duet_mixer

METHOD = COMPOSITIONS["placed-blending"]  # two chains, aligned, every weight forced
TAUGHT = (MIXERS, f"{MIXERS}-clips", FAMILIAR)
QUESTIONS, SEED, DRAWS = 242, 0, 2000  # all that there are
SHARES = (0.15, 0.3, 0.5, 0.7, 0.85)
LOWER = [
    number
    for number, name in enumerate(JOINT_NAMES)
    if name.split("_")[-1] in ("pelvis", "hip", "knee", "ankle", "foot")
]
LOWER_PARTS = [*LOWER, PARTS - 1]  # contacts go with the feet
EQUAL = "0.5 everywhere"


@dataclass(frozen=True)
class Shares:
    """Weights for each person of a batch [B, P] at pure noise and at none, and for each part [parts]."""

    early: Tensor
    late: Tensor
    parts: Tensor

    def __call__(self, learned: Tensor | None, timesteps: Tensor) -> Tensor:
        """Return [B, 1, P, 1, parts]; guidance asks about every pair several times in one batch, one after the other."""
        often = len(timesteps) // len(self.early)
        time = (timesteps.float() / 1000)[:, None]
        people = time * self.early.repeat(often, 1) + (1 - time) * self.late.repeat(often, 1)
        return (people[:, None, :, None, None] + self.parts).clamp(0.0, 1.0)


def everywhere(share: float) -> "Rule":
    """The same for everybody."""
    return told(share, share)


def told(native: float, foreign: float) -> "Rule":
    """One for people who do what training pairs show, another for those who do what none shows."""
    return lambda part: _constant(native + (foreign - native) * _foreign(part))


def by_time(early: float, late: float) -> "Rule":
    """One at pure noise, another at the end."""
    return lambda part: Shares(torch.full((len(part), 2), early), torch.full((len(part), 2), late), torch.zeros(PARTS))


def by_part(upper: float, lower: float) -> "Rule":
    """One for trunk, head and arms, another for pelvis, legs and contacts."""
    parts = torch.full((PARTS,), upper)
    parts[LOWER_PARTS] = lower
    return lambda part: Shares(torch.zeros(len(part), 2), torch.zeros(len(part), 2), parts)


def by_sentence(native: float, foreign: float) -> "Rule":
    """One for people whose sentences are near to what the pairs say, another for those whose are far."""
    return lambda part: _constant(native + (foreign - native) * _far(part))


Rule = Callable[[Sequence[Question]], Shares]
NEAR, BETWEEN = 0.9, 0.03  # cosines, where half of the way is gone and how wide it is; 0.8 was tried as well
ROWS: dict[str, Rule] = {
    **{f"{share:g} everywhere": everywhere(share) for share in SHARES},
    **{
        f"{native:g}, and {foreign:g} for who does what no pair shows": told(native, foreign)
        for native, foreign in ((0.3, 0.5), (0.3, 0.7), (0.4, 0.6), (0.5, 0.7), (0.15, 0.85), (0.3, 0.85))
    },
    **{
        f"{native:g} to {foreign:g} by how far the sentence is from those of pairs": by_sentence(native, foreign)
        for native, foreign in ((0.3, 0.7), (0.15, 0.85), (0.3, 0.85))
    },
    **{
        f"{early:g} at first, {late:g} at last": by_time(early, late)
        for early, late in ((0.8, 0.2), (0.7, 0.4), (0.4, 0.7), (0.2, 0.8))
    },
    **{
        f"{upper:g} above the hips, {lower:g} below": by_part(upper, lower)
        for upper, lower in ((0.8, 0.3), (0.65, 0.4), (0.3, 0.8))
    },
}


def _constant(people: Tensor) -> Shares:
    return Shares(people, people, torch.zeros(PARTS))


def _foreign(part: Sequence[Question]) -> Tensor:
    return torch.tensor([[float(own) for own in question.foreign] for question in part])


def _far(part: Sequence[Question]) -> Tensor:
    texts = [text for question in part for text in question.wanted.individual_texts]
    cosines = _familiarity().nearest(_encoder().encode(texts)).unflatten(0, (len(part), -1))
    return torch.sigmoid((NEAR - cosines) / BETWEEN)


@cache
def _encoder() -> MiniLM:
    return MiniLM()


@cache
def _familiarity() -> Familiarity:
    """What knows the sentences of the training pairs."""
    known = load_duet_mixer(home() / FAMILIAR).weigh.mixer.familiarity
    if known is None:
        raise WeightsError(
            f"{home() / FAMILIAR}: this Mixer knows no sentences; train recipes/duets/mixer.yaml --set size=familiar"
        )
    return known


def measured() -> dict:
    """Make every row and count its hits."""
    folder = home()
    asked = questions(folder / "data", "val", QUESTIONS)
    bench = DuetBench(folder, asked, DuetJudges("select", folder))
    hits: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    composers: dict[str, Callable[[Sequence[Question]], Composer]] = {
        name: lambda own, rule=rule: Composer(METHOD, folder, bench.judges.encoder, override=rule(own))
        for name, rule in ROWS.items()
    }
    for key in (own for group in mixers(folder).values() for own in group if own.mixer in TAUGHT):
        composers[key.title] = lambda own, key=key: Composer(key, folder, bench.judges.encoder)
    for name, composer in composers.items():
        people = bench.made_by(composer)
        hits[name] = bench.alignment(people)
        print(name, f"{100 * overall(*hits[name]):.1f}", flush=True)
    foreign = np.array([any(question.foreign) for question in asked])
    of_people = np.array([question.foreign for question in asked])
    draws = np.random.default_rng(SEED).integers(0, len(asked), (DRAWS, len(asked)))
    equal = resampled(hits[EQUAL], draws)
    rows = {}
    for name, (pairs, own) in hits.items():
        rows[name] = {
            "interaction": float(pairs.mean()), "individual": float(own.mean()), "overall": overall(pairs, own),
            "natives": float(own[~of_people].mean()), "foreigners": float(own[of_people].mean()),
            "foreign": overall(pairs[foreign], own[foreign]),
            "ahead": interval(resampled((pairs, own), draws) - equal),
        }  # fmt: skip
    constant = [hits[f"{share:g} everywhere"] for share in SHARES]
    best = np.argmax([pairs + own.mean(axis=1) for pairs, own in constant], axis=0)
    picked = tuple(np.stack([each[side] for each in constant])[best, np.arange(len(asked))] for side in (0, 1))
    return {
        "questions": len(asked),
        "foreign": int(foreign.sum()),
        "steps": STEPS,
        "rows": rows,
        "picked": overall(*picked),
    }


def overall(pairs: np.ndarray, own: np.ndarray) -> float:
    """Return the harmonic mean of both alignments."""
    return float(harmonic_mean(float(pairs.mean()), float(own.mean())))


def resampled(hits: tuple[np.ndarray, np.ndarray], draws: np.ndarray) -> np.ndarray:
    """Return the overall alignment of each of the ``draws`` [D, N] of prompts."""
    return np.array([overall(hits[0][draw], hits[1][draw]) for draw in draws])


def interval(values: np.ndarray) -> list[float]:
    """Return the 95 % interval with the median in the middle."""
    return [float(value) for value in np.percentile(values, [2.5, 50.0, 97.5])]


def page(found: dict) -> str:
    """Return the page."""
    rows = found["rows"]
    surely = [name for name, row in rows.items() if row["ahead"][0] > 0]
    best = max(rows, key=lambda name: rows[name]["overall"])
    said = (
        f"surely ahead of an equal share: {'; '.join(surely)}"
        if surely
        else f"no row is ahead of an equal share by more than the interval; the best is *{best}*"
    )
    lines = [
        "# What weights could gain",
        "",
        "`python benchmarks/mixing_headroom.py` wrote this page; all figures are in [mixing_headroom.json](mixing_headroom.json).",
        "",
        "[Compositions](composition.md) finds the paper's Mixer no better than a constant share. Is it badly taught, or is there nothing "
        "to learn? Here the weights of the same sampler are forced by rules, some of which know what that Mixer is not told: whether "
        "somebody does what no training pair shows, or how far his sentence is from those of the pairs (the largest cosine, between "
        f"{NEAR - 2 * BETWEEN:g} and {NEAR + 2 * BETWEEN:g}). The last rows are Mixers; the *familiar* one is told that cosine. "
        f"{found['questions']} validation pairs, {found['foreign']} of them with such people, {found['steps']} steps, the judges that "
        "select. A figure is the individual model's share. *Ahead*: of an equal share, overall, with the 95 % interval of a paired "
        "bootstrap over prompts.",
        "",
        f"Among these rules {said}. Picking for each pair, after it was judged, the best of the {len(SHARES)} constant shares would "
        f"give {100 * found['picked']:.1f} %, by the judge's own verdict, which nobody has who makes a motion.",
        "",
        "| individual model's share | interaction | individual | overall | ahead | people shown in pairs | people shown in none "
        "| overall, foreign |",
        "|" + "---|" * 8,
    ]
    for name, row in rows.items():
        low, _, high = (100 * value for value in row["ahead"])
        middle = 100 * (row["overall"] - rows[EQUAL]["overall"])
        shares = [f"{100 * row[key]:.1f} %" for key in ("interaction", "individual", "overall")]
        people = [f"{100 * row[key]:.1f} %" for key in ("natives", "foreigners", "foreign")]
        lines.append(f"| {' | '.join([name, *shares, f'{middle:+.1f} ({low:+.1f} to {high:+.1f})', *people])} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("mixing_headroom", __doc__, measured, page)
