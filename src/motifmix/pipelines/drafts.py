"""Several drafts of one scene, of which the one is kept that is told best by its sentences.

A small model often makes what was asked for, and often something else; a reader of motion tells which is which at little cost.
It tells early, too: where people stand and what they do is there to read while there still is much noise, so that most drafts
are left where they are at that step, and only the best go on to the end.
The readers are the two evaluators with the role ``select``, which choose settings too; those that score have no say.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from motifmix.diffusion.schedule import NoiseLevel
from motifmix.features.interhuman import BLOCKS
from motifmix.home import home
from motifmix.mix.groups import Pairs
from motifmix.mix.placement import center, center_scene
from motifmix.mix.schedules import original_step
from motifmix.models.duet_evaluator import DuetEvaluator
from motifmix.pipelines.walks import Walk
from motifmix.pretrained.duet_evaluators import ALIKE, PART, evaluator_folder, load_evaluator, load_meanings

# How many are begun and go on, and when they are read, was chosen on validation pairs: `benchmarks/drafts.py --choose`.
DRAFTS = 12  # of two people for as long as the models saw; what they give: benchmarks/drafts.py
LEAST_DRAFTS = 4  # of longer scenes and of more people, who take longer
FINISHED = 2  # drafts that go on to the end
READ_AT = 910.0  # of the process's 1000 steps: drafts are read at the first step there or below
MOST_DRAFTS = 32
NEAREST = 0.5  # metres between pelvises: one pair of a hundred on the training side is ever so near
CROWDED = 0.3  # what it costs to be nearer all the time, beside probabilities; with more, fewer of the scenes that are kept are told


@dataclass(frozen=True)
class Step:
    """One step of drafts: the ``clean`` ones [D, ...] that are left, their ``numbers``, and their mixing ``weights`` [D, ...], if any."""

    clean: Tensor
    numbers: tuple[int, ...]
    weights: Tensor | None


def drafts_for(size: float) -> int:
    """Return how many drafts are begun unless told otherwise; ``size``: of a scene, times that of two people as long as the models saw."""
    return max(LEAST_DRAFTS, min(DRAFTS, round(DRAFTS / size)))


def culled(
    walk: Walk, levels: Sequence[NoiseLevel], scores: Callable[[Tensor], Tensor], finished: int = FINISHED
) -> Iterator[Step]:
    """Take drafts along ``levels``; of more than ``finished`` the best alone go on, once there is no more noise than at ``READ_AT``.

    ``scores`` of clean drafts [D, ...] are [D] or, where people are chosen alone, [D, P]: then each one's best go on.
    Yields every step.
    """
    noisier = sum(original_step(level) > READ_AT for level in levels[:-1])
    early = -(-(noisier + 1) // walk.every) * walk.every
    leaves = walk.drafts > finished and early < len(levels) - 1
    numbers = tuple(range(walk.drafts))
    states, clean = walk.states, walk.valid
    for step in walk.taken(levels[: early + 1] if leaves else levels):
        states, clean = step.states, step.clean
        yield Step(clean, numbers, step.weights)
    if not leaves:
        return
    told = scores(clean)
    best = told.view(len(told), -1).topk(finished, dim=0).indices
    numbers = tuple(sorted(set(best.flatten().tolist())))
    for step in replace(walk, states=states).only(numbers).taken(levels[early:]):
        yield Step(step.clean, numbers, step.weights)


@dataclass(frozen=True)
class Known:
    """An evaluator and the ``meanings`` [M, E] that it can tell apart, in its space."""

    network: DuetEvaluator
    meanings: Tensor

    @classmethod
    def load(cls, people: int, folder: Path) -> "Known":
        """Read the evaluator of scenes of ``people``."""
        return cls(load_evaluator(folder, "select", people).eval(), load_meanings(folder))

    def found(self, people: Tensor, vector: Tensor, longest: int) -> tuple[Tensor, Tensor]:
        """Say how likely scenes [N, P, T, 262] show what a sentence says and nothing else that is known, and how near they are to it.

        Returns the probabilities [N] and the cosines [N]; both 0 where ``vector`` [384] is. Of scenes beyond ``longest``
        frames they are means over windows, neighbours of which share half.
        """
        if not vector.any():
            return torch.zeros(len(people)), torch.zeros(len(people))
        beyond = max(people.shape[2] - longest, 0)
        starts = sorted({*range(0, beyond, max(longest // 2, 1)), beyond})
        windows = [people[:, :, start : start + longest] for start in starts]
        valid = torch.ones(len(people), windows[0].shape[2], dtype=torch.bool)
        seen = torch.stack([self.network.embed_motions(window, valid) for window in windows])  # [W, N, E]
        (told,) = self.network.embed_texts(vector[None])
        cosines = seen @ torch.cat([told[None], self.meanings[self.meanings @ told <= ALIKE]]).T
        likely = (self.network.log_temperature.exp() * cosines).softmax(dim=-1)
        return likely[..., 0].mean(dim=0), cosines[..., 0].mean(dim=0)


def crowded(clean: Tensor) -> Tensor:
    """Return in which share of frames the two of pairs [..., 2, T, 262] are nearer than pairs ever are, [...].

    Readers were taught by pairs that never are, and do not see what is wrong with it.
    """
    first, second = clean[..., 0, :, BLOCKS["joint_positions"]], clean[..., 1, :, BLOCKS["joint_positions"]]
    apart = (first - second)[..., [0, 2]].norm(dim=-1)  # of the pelvis, over the floor
    return (apart < NEAREST).to(clean.dtype).mean(dim=-1)


@dataclass(frozen=True)
class Reader:
    """Tells how well drafts show what was said; ``longest`` frames at once, as the evaluators learnt.

    Texts are sentence embeddings (MiniLM): ``text`` [384] of the scene and ``own`` [P, 384] of each person, zero where nothing
    was said, which then counts nothing. A score is how much is probably found: of the scene's sentence as much as of all
    people's together, as in the alignment of compositions, and how plainly people do what they are told; it is less where the two
    of a pair stand where no two have room (of a group only those who interact are looked at). By cosines alone a
    scene's sentence wins against a person's where the two do not go together well: who greets need not bow.
    """

    pair: Known
    person: Known
    longest: int

    @classmethod
    def load(cls, longest: int, folder: Path | None = None) -> "Reader | None":
        """Return the evaluators that come with the package, or else were trained below ``folder`` (``MOTIFMIX_HOME``).

        None where there are none. Raises ``WeightsError`` for one that has another role, or does not say what it knows.
        """
        folders = {
            people: evaluator_folder("select", people, folder or home(), shipped_first=True) for people in (2, 1)
        }
        if not all((own / f"{PART}.yaml").is_file() for own in folders.values()):
            return None
        return cls(Known.load(2, folders[2]), Known.load(1, folders[1]), longest)

    @torch.inference_mode()
    def of_pairs(self, clean: Tensor, pairs: Pairs, text: Tensor, own: Tensor) -> Tensor:
        """Return the score [D] of drafts of ``pairs`` [D, E, 2, T, 262] in metres."""
        roles = own[[person for pair in pairs for person in pair]]  # [2 E, 384]
        told = (roles != 0).any(dim=-1)
        people = self.of_people(clean.flatten(1, 2), roles).sum(dim=1) / told.sum().clamp(min=1)
        found = self.pairs_found(clean.flatten(0, 1), text).unflatten(0, (len(clean), -1)).mean(dim=1)
        return found + people - CROWDED * crowded(clean).mean(dim=1)

    @torch.inference_mode()
    def pairs_found(self, clean: Tensor, text: Tensor) -> Tensor:
        """Return how likely the scene's sentence is found in pairs [N, 2, T, 262] in metres, [N]."""
        return self.pair.found(center_scene(clean.double()).float(), text, self.longest)[0]

    @torch.inference_mode()
    def person_found(self, clean: Tensor, own: Tensor) -> Tensor:
        """Return how likely one person's sentence is found in what he does, [N, T, 262] in metres, [N]."""
        valid = torch.ones(clean.shape[:2], dtype=torch.bool)
        return self.person.found(center(clean.double(), valid).float()[:, None], own, self.longest)[0]

    @torch.inference_mode()
    def of_people(self, clean: Tensor, own: Tensor) -> Tensor:
        """Return the score [D, P] of each person of drafts [D, P, T, 262], 0 for who was told nothing."""
        valid = torch.ones(clean.shape[:3], dtype=torch.bool)
        alone = center(clean.double(), valid).float()
        told = [self.person.found(alone[:, [place]], own[place], self.longest) for place in range(len(own))]
        return torch.stack([found + near for found, near in told], dim=1)
