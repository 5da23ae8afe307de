"""`Motion`, the one currency between rooms that people see, and `Scene`, several motions on one clock."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from motifmix.credits import together
from motifmix.motion import kinematics
from motifmix.motion import rotations as rot
from motifmix.motion.skeleton import MIRROR, MOTIFMIX, Skeleton


@dataclass(frozen=True, eq=False)
class Motion:
    """One person's motion: Y up, metres, radians, facing +Z at rest.

    ``rotations`` are unit quaternions ``[T, J, 4]`` (xyzw, local to the parent), ``root`` the root joint's path in the
    world ``[T, 3]``, ``labels`` what is known about it (``text``, ``style``, ``seed``, ``credit``, ...).
    ``joint_translations`` exists only for files that animate a joint's offset: it replaces the rest offset, ``[T, 3]``.
    Raises ``ValueError`` when shapes do not fit or a number is not finite.
    """

    skeleton: Skeleton
    rotations: np.ndarray
    root: np.ndarray
    fps: float
    labels: Mapping[str, Any] = field(default_factory=dict)
    joint_translations: Mapping[int, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rotations = np.asarray(self.rotations, dtype=np.float64)
        root = np.asarray(self.root, dtype=np.float64)
        if rotations.ndim != 3 or rotations.shape[1:] != (len(self.skeleton), 4) or root.shape != (len(rotations), 3):
            raise ValueError(
                f"rotations {rotations.shape} and root {root.shape} do not fit {len(self.skeleton)} joints"
            )
        if not (np.isfinite(rotations).all() and np.isfinite(root).all()) or not self.fps > 0:
            raise ValueError("a motion needs finite numbers and a positive frame rate")
        object.__setattr__(self, "rotations", rotations)
        object.__setattr__(self, "root", root)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.rotations)

    @property
    def seconds(self) -> float:
        """Duration: frames over frame rate."""
        return self.frames / self.fps

    @cached_property
    def _forward(self) -> tuple[np.ndarray, np.ndarray]:
        return kinematics.forward(self.skeleton, self.rotations, self.root, dict(self.joint_translations))

    @property
    def joints(self) -> np.ndarray:
        """Joint positions in the world, ``[T, J, 3]``."""
        return self._forward[0]

    @property
    def world_rotations(self) -> np.ndarray:
        """Joint rotations in the world, ``[T, J, 4]``."""
        return self._forward[1]

    @cached_property
    def ends(self) -> dict[int, np.ndarray]:
        """Tips beyond leaf joints (head top, hands, toes) in the world, ``[T, 3]`` by joint number."""
        return kinematics.end_positions(self.skeleton, self.joints, self.world_rotations)

    def with_labels(self, **labels: Any) -> "Motion":
        """Add or replace labels."""
        return replace(self, labels={**self.labels, **labels})

    def cropped(self, start: int, stop: int) -> "Motion":
        """Keep frames ``start`` to ``stop`` (exclusive)."""
        return replace(
            self,
            rotations=self.rotations[start:stop],
            root=self.root[start:stop],
            joint_translations={j: t[start:stop] for j, t in self.joint_translations.items()},
        )

    def moved(self, offset: np.ndarray) -> "Motion":
        """Shift the root's path by ``offset`` ``[3]`` or ``[T, 3]``."""
        return replace(self, root=self.root + offset)

    def turned(self, angle: float) -> "Motion":
        """Turn the whole motion about the world's vertical axis by ``angle`` radians."""
        turn = rot.about_y(angle)
        rotations = self.rotations.copy()
        rotations[:, 0] = rot.multiply(turn, rotations[:, 0])
        return replace(self, rotations=rotations, root=rot.rotate(turn, self.root))

    def resampled(self, fps: float) -> "Motion":
        """Change the frame rate: slerp of rotations, linear paths.

        The first instant is kept, and the last where the new clock meets it; no time is added after it.
        """
        if abs(fps - self.fps) < 1e-9 or self.frames < 2:
            return self if self.frames >= 2 else replace(self, fps=fps)
        # One clip of n frames spans n - 1 intervals; the tolerance keeps the last frame when rates divide evenly.
        count = int(np.floor((self.frames - 1) * fps / self.fps + 1e-6)) + 1
        time = np.minimum(np.arange(count) * self.fps / fps, self.frames - 1)
        low = np.minimum(time.astype(int), self.frames - 2)
        weight = time - low
        blend = weight[:, None]
        return replace(
            self,
            rotations=rot.slerp(self.rotations[low], self.rotations[low + 1], weight[:, None]),
            root=(1 - blend) * self.root[low] + blend * self.root[low + 1],
            fps=fps,
            joint_translations={
                j: (1 - blend) * t[low] + blend * t[low + 1] for j, t in self.joint_translations.items()
            },
        )

    def mirrored(self) -> "Motion":
        """Mirror left and right (x to -x); only for the motifmix skeleton, whose rest pose is symmetric."""
        if not self.skeleton.same_as(MOTIFMIX):
            raise ValueError("only a motion on the motifmix skeleton can be mirrored; retarget it first")
        return replace(
            self,
            rotations=self.rotations[:, list(MIRROR)] * np.array([1.0, -1.0, -1.0, 1.0]),
            root=self.root * np.array([-1.0, 1.0, 1.0]),
            joint_translations={MIRROR[j]: t * np.array([-1.0, 1.0, 1.0]) for j, t in self.joint_translations.items()},
        )

    def grounded(self) -> "Motion":
        """Put the feet on the floor (y = 0) by one vertical shift for the whole clip."""
        from motifmix.motion.contacts import floor_height

        return self.moved(np.array([0.0, -floor_height(self), 0.0]))

    def in_place(self) -> "Motion":
        """Take the horizontal travel out: the root stays above where it starts."""
        root = self.root.copy()
        root[:, [0, 2]] = root[:1, [0, 2]]
        return replace(self, root=root)


@dataclass(frozen=True, eq=False)
class Scene:
    """Several people on one clock. Raises ``ValueError`` when their frame rates differ or nobody is there."""

    people: tuple[Motion, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "people", tuple(self.people))
        if not self.people:
            raise ValueError("a scene needs at least one person")
        if len({round(person.fps, 6) for person in self.people}) > 1:
            raise ValueError("all people of a scene share one frame rate")

    def __iter__(self) -> Iterator[Motion]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    @property
    def fps(self) -> float:
        """The common frame rate."""
        return self.people[0].fps


def credit_line(motions: Iterable[Motion]) -> str:
    """Return the credits of motions in one line, each once; "" where none has one."""
    return together(str(m.labels["credit"]) for m in motions if m.labels.get("credit"))
