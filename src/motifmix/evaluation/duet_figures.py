"""Rows of scored compositions, and their figures with intervals of a bootstrap that resamples all rows together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motifmix.evaluation.duet_bench import MIXER, DuetBench, Scored, guidance_key
from motifmix.evaluation.duet_metrics import harmonic_mean
from motifmix.evaluation.metrics import Interval
from motifmix.pipelines.baselines.compositions import Composition

RESAMPLED = 1000


@dataclass(frozen=True)
class Line:
    """A row to be: one method, or a Mixer's training seeds; its scores, one a seed, or what it lacks."""

    key: str
    methods: tuple[Composition, ...]
    scored: tuple[Scored, ...] = ()
    lack: str = ""

    @property
    def title(self) -> str:
        """How the row is called."""
        return self.methods[0].title + (f" ({len(self.methods)} seeds)" if len(self.methods) > 1 else "")

    @property
    def pair(self) -> tuple[str, str]:
        """The two models that it composes."""
        return self.methods[0].interaction, self.methods[0].individual


class Figures:
    """Means and paired bootstrap intervals: every row is resampled by the same prompts, Mixers by their seeds too."""

    def __init__(self, bench: DuetBench, lines: Sequence[Line]) -> None:
        self.bench, self.rng = bench, np.random.default_rng([bench.seed, 31])
        count = len(bench.asked)
        self.draws = self.rng.integers(0, count, (RESAMPLED, count))
        foreign = np.array([question.foreign for question in bench.asked])
        unseen = np.array([question.unseen for question in bench.asked])
        # Which pairs count and which people; of pairs with foreign contents those in which somebody is foreign.
        self.masks = {
            "": (np.ones(count, dtype=bool), np.ones_like(foreign)),
            "foreign_": (foreign.any(axis=1), foreign),
            "unseen_": (unseen[:, 0], unseen[:, 1:]),
        }
        self.seeds = {
            line.key: self.rng.integers(0, len(line.scored), (RESAMPLED, len(line.scored)))
            for line in lines if line.scored
        }  # fmt: skip

    def of(self, line: Line, best: Line | None = None) -> dict[str, Interval]:
        """Return the figures of alignment."""
        if not line.scored:
            return {}
        values = self._alignment(line)
        figures = {key: interval(mean, drawn) for key, (mean, drawn) in values.items()}
        for key, name in (("interaction_32", "hits_32"), ("individual_32", "own_hits_32")):
            figures |= self._means(line, {key: name})
        if best is not None and best.key != line.key:
            figures["behind"] = self.difference(best, line, "overall")
        return {key: figure for key, figure in figures.items() if not np.isnan(figure.mean)}

    def quality(self, line: Line) -> dict[str, Interval]:
        """Return the figures of motion; FID and diversity have no interval over prompts, only one over seeds."""
        if not line.scored:
            return {}
        names = {"mm_dist": "distance", "own_mm_dist": "own_distance", "overlap": "overlap", "skate": "skate",
                 "contact_error": "contact_error", "facing_error": "facing_error", "staged": "staged", "done": "done"}  # fmt: skip
        return {**self._means(line, names), **self._of_all(line, ("fid", "own_fid", "diversity"))}

    def weighed(self, line: Line) -> dict[str, Interval]:
        """Return the figures of a Mixer's weights."""
        return self._of_all(line, ("adaptability", "step_dependence", "share", "early_share", "late_share"))

    def difference(self, line: Line, other: Line, key: str) -> Interval:
        """Return by how much a row is ahead of another one, resampled together."""
        (mean, drawn), (less, other_drawn) = self._alignment(line)[key], self._alignment(other)[key]
        return interval(mean - less, drawn - other_drawn)

    def reference(self, lines: Sequence[Line]) -> Line | None:
        """Return the row that others are compared with: the spatio-temporal Mixer that did best on *validation* pairs.

        Of those that were asked the most of them: some were chosen from on all that there are. Before any tuning, the first one.
        """
        there = [line for line in lines if line.scored and line.methods[0].title.startswith(MIXER)]
        tuned = [self.bench.guidance.get(guidance_key(line.methods[0])) for line in there]
        ranked = zip(there, ((own.questions, own.overall) if own else (0, 0.0) for own in tuned), strict=True)
        return max(ranked, key=lambda each: each[1], default=(None, (0, 0.0)))[0]

    def _alignment(self, line: Line) -> dict[str, tuple[float, np.ndarray]]:
        found: dict[str, tuple[float, np.ndarray]] = {}
        for prefix, (pairs, people) in self.masks.items():
            pair = self._resampled(line, "hits", pairs)
            own = self._resampled(line, "own_hits", people)
            found[f"{prefix}interaction"], found[f"{prefix}individual"] = pair, own
            found[f"{prefix}overall"] = float(harmonic_mean(pair[0], own[0])), harmonic_mean(pair[1], own[1])
        return found

    def _means(self, line: Line, names: Mapping[str, str]) -> dict[str, Interval]:
        return {key: interval(*self._resampled(line, name)) for key, name in names.items()}

    def _resampled(self, line: Line, name: str, mask: np.ndarray | None = None) -> tuple[float, np.ndarray]:
        values = np.stack([getattr(scored, name) for scored in line.scored]).astype(np.float64)  # [S, N] or [S, N, 2]
        counted = np.isfinite(values) & (True if mask is None else mask[None])
        sums, counts = np.where(counted, values, 0.0), counted.astype(np.float64)
        if values.ndim == 3:
            sums, counts = sums.sum(axis=2), counts.sum(axis=2)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = float((sums.sum(axis=1) / counts.sum(axis=1)).mean())
            each = np.stack([own[self.draws].sum(axis=1) for own in sums])  # [S, draws]
            means = each / np.stack([own[self.draws].sum(axis=1) for own in counts])
        drawn = np.take_along_axis(means.T, self.seeds[line.key], axis=1).mean(axis=1)
        return mean, drawn

    def _of_all(self, line: Line, names: Sequence[str]) -> dict[str, Interval]:
        figures = {}
        for name in names:
            values = np.array([scored.of_all[name] for scored in line.scored if name in scored.of_all])
            if len(values):
                drawn = values[self.seeds[line.key]].mean(axis=1) if len(values) > 1 else np.array([np.nan])
                figures[name] = interval(float(values.mean()), drawn)
        return figures


def interval(mean: float, drawn: np.ndarray) -> Interval:
    """Return a mean with half the width of the 95 % interval of what was ``drawn`` [N], not-a-number where nothing was."""
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return Interval(mean, float("nan"))
    low, high = np.percentile(known, [2.5, 97.5])
    return Interval(mean, float(high - low) / 2)
