"""Several ways to give the people of a scene their styles, of which those are kept that show the styles and still tell the scene.

How far somebody has to be taken from what he did before a style shows differs from motion to motion, and so does what the scene
loses by it. So each is restyled in several ways, and readers choose: of styles those judges that guide and select, of what is
told the evaluators that choose drafts. Those that score have no say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motifmix.encoders.text import MiniLM
from motifmix.features.interhuman import InterHumanSpace, extract_pair
from motifmix.motion import Motion
from motifmix.motion.posture import TRAVELS, lean, limb_speed, speed
from motifmix.pipelines.default_parts import DefaultParts
from motifmix.pipelines.drafts import Reader
from motifmix.pretrained.judges import Judge, load_judge
from motifmix.style.references import StyleLike, resolve

# Chosen on validation pairs, `benchmarks/stylised_duets.py --judge select --told`; scales are those of people who are told what
# to do. Milder ways keep more of who need little, deeper ones show the style on who hardly takes it.
DEPTHS = (0.6, 0.7, 0.8)
SCALES = (2.0, 3.5, 5.0, 7.0)
TOLD = 0.4  # what is told counts so much beside the styles
LEAST = 0.02  # probabilities below are alike: nobody reads it
LEANS = 50.0  # degrees from upright: nobody who travels leans further in any clip that the styles were learnt from
DIVES = 0.1  # what a degree further costs, beside logarithms of probabilities
FAST = 6.0  # m/s, seen from the root: a limb that does not kick or punch is hardly faster
JUMPS = 0.3  # what a m/s more costs: a knee that snaps over is at 18
SPAN = float(np.log(1.0 + 1.0 / LEAST))  # most that a logarithm of a probability differs from another
ROUNDS = 2  # in which everybody's way is chosen anew, those of the others as they are


@dataclass(frozen=True, eq=False)
class StyleReader:
    """Judges that read styles; none of them scores."""

    judges: tuple[Judge, ...]

    @classmethod
    def load(cls) -> "StyleReader":
        """Return those that come with the package."""
        return cls((load_judge("guide"), load_judge("select")))

    @property
    def names(self) -> tuple[str, ...]:
        """The styles that they know."""
        return self.judges[0].card.styles

    def wanted(self, model: DefaultParts, style: StyleLike) -> np.ndarray | None:
        """Return what should be read, shares [styles] that add up to 1; None for a style that they cannot tell.

        Words are the known style that they are near to, a motion is what is read of it; of a blend every ingredient must be told.
        """
        shares = np.zeros(len(self.names))
        for part in resolve(style):
            if part.motion is not None:
                shares += part.weight * self.read([part.motion])[0]
                continue
            name = model.known_style(part.words) if part.words is not None else None
            if name not in self.names:
                return None
            shares[self.names.index(str(name))] += part.weight
        return shares

    def read(self, motions: Sequence[Motion]) -> np.ndarray:
        """Return the probabilities of every style in every motion [N, styles], mean over judges."""
        read = []
        for judge in self.judges:
            order = [judge.card.styles.index(name) for name in self.names]
            read.append(judge.read(motions).style[:, order])
        return np.mean(read, axis=0)

    def shown(self, motions: Sequence[Motion], wanted: np.ndarray) -> np.ndarray:
        """Return how plainly motions show what is ``wanted`` [styles]: a logarithm of a probability, [N]."""
        return np.log(self.read(motions) + LEAST) @ wanted


def dive(styled: Motion, before: Motion) -> float:
    """Return by how many degrees who travels leans further, in his worst frame, than ``before`` or than anybody does who travels.

    Both on the motifmix skeleton. A style that bends people forward takes who ran bent already down to the floor, and judges read
    it the more plainly. Who stands may bow as low as he likes.
    """
    beyond = lean(styled) - np.maximum(lean(before), LEANS)
    return float(np.max(beyond, where=speed(styled) > TRAVELS, initial=0.0))


def jump(styled: Motion, before: Motion) -> float:
    """Return by how many m/s the fastest limb is faster, in its worst frame, than ``before`` or than any limb need be."""
    return max(0.0, limb_speed(styled) - max(limb_speed(before), FAST))


@dataclass(frozen=True, eq=False)
class StyledReader:
    """Chooses of everybody's ways to be restyled. ``told`` is None where nobody is here to read sentences."""

    styles: StyleReader
    told: Reader | None
    encoder: MiniLM

    @classmethod
    def load(cls, longest: int, encoder: MiniLM | None = None) -> "StyledReader":
        """Return the readers that come with the package; ``longest`` frames at once."""
        return cls(StyleReader.load(), Reader.load(longest), encoder or MiniLM())

    def chosen(
        self,
        ways: Sequence[Sequence[Motion]],
        shown: Sequence[np.ndarray],
        pairs: Sequence[tuple[int, int]],
        text: str,
        own: Sequence[str | None],
    ) -> tuple[list[int], float]:
        """Return the number of the way that is kept, for each person, and how well the scene comes out: logarithms of probabilities.

        ``ways``: a person's motions, one where he has no choice; ``shown`` [ways] of each how plainly the style shows in them;
        ``pairs`` who interacts; ``text`` of the scene and ``own`` of each person, empty or None where nothing is said. Everybody
        begins with what is best for him alone; then each in turn takes what is best beside what the others took.
        """
        alone = [np.asarray(values, np.float64) for values in shown]
        if self.told is None:
            return [int(values.argmax()) for values in alone], float(sum(values.max() for values in alone))
        # Whom nothing that sentences can gain would bring to the front is not read.
        left = [_hopeful(values, TOLD * (1.0 + 1.0 / len(ways)) * SPAN) for values in alone]
        kept = [[own[place] for place in places] for own, places in zip(ways, left, strict=True)]
        scenes = _Scenes(self.told, kept, pairs, self._vector(text), [self._vector(each) for each in own])
        alone = [values[left[person]] + TOLD * scenes.own(person) for person, values in enumerate(alone)]
        best = [int(values.argmax()) for values in alone]
        for _ in range(ROUNDS):
            for person, values in enumerate(alone):
                among = _hopeful(values, TOLD * SPAN)
                if len(among) > 1:
                    told = values[among] + TOLD * scenes.beside(person, among, best)
                    best[person] = int(among[told.argmax()])
        score = sum(float(values[number]) for values, number in zip(alone, best, strict=True))
        score += TOLD * scenes.together(best)
        return [int(places[number]) for places, number in zip(left, best, strict=True)], score

    def _vector(self, text: str | None) -> torch.Tensor:
        told = (text or "").strip()
        return self.encoder.encode([told])[0] * float(bool(told))


class _Scenes:
    """What is read of everybody's ways: his own sentence, and the scene's beside others."""

    def __init__(
        self, reader: Reader, ways: Sequence[Sequence[Motion]], pairs: Sequence[tuple[int, int]], text: torch.Tensor,
        own: Sequence[torch.Tensor],
    ) -> None:  # fmt: skip
        self.reader, self.pairs, self.text, self.texts = reader, pairs, text, own
        self.loaded = [[InterHumanSpace().loaded(motion) for motion in each] for each in ways]

    def own(self, person: int) -> np.ndarray:
        """Return the logarithms of how likely a person's sentence is found in his ways, [ways], in equal parts with others'."""
        features = [extract_pair(one, one, up_axis="y").first.features for one in self.loaded[person]]
        found = self.reader.person_found(_stacked(features), self.texts[person]).numpy()
        return np.log(found + LEAST) / len(self.loaded)

    def beside(self, person: int, among: Sequence[int] | np.ndarray, others: Sequence[int]) -> np.ndarray:
        """Return the same of the scene's sentence for those ``among`` his ways, in pairs with what the ``others`` took; mean over pairs."""
        read = [
            self._found(pair, [[number if who == person else others[who] for who in pair] for number in among])
            for pair in self.pairs
            if person in pair
        ]
        return np.mean(read, axis=0) if read else np.zeros(len(among))

    def together(self, taken: Sequence[int]) -> float:
        """Return the same of all pairs in the ways that people have ``taken``; mean over pairs."""
        return float(np.mean([self._found(pair, [[taken[who] for who in pair]]) for pair in self.pairs]))

    def _found(self, pair: tuple[int, int], ways: Sequence[Sequence[int]]) -> np.ndarray:
        """Return it of a ``pair`` in several ``ways``, each the numbers of both's."""
        scenes = []
        for numbers in ways:
            first, second = (self.loaded[who][number] for who, number in zip(pair, numbers, strict=True))
            frames = min(len(first), len(second))
            placed = extract_pair(first[:frames], second[:frames], up_axis="y")
            scenes.append(np.stack([placed.first.features, placed.placed]))
        return np.log(self.reader.pairs_found(_stacked(scenes), self.text).numpy() + LEAST)


def _hopeful(values: np.ndarray, reach: float) -> np.ndarray:
    """Return the places of ``values`` that are no more than ``reach`` below the largest."""
    return np.flatnonzero(values >= values.max() - reach)


def _stacked(features: Sequence[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(features).astype(np.float32))
