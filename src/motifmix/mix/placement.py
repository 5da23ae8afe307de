"""Where a motion stands: the canonical start of one person, and one person's motion put onto another one's path.

On InterHuman's 262 features, not normalised, ``[..., frames, 262]`` with any leading axes (metres, y up). Both are what
MixerMDM does to the predictions that it mixes (its functions ``center_motion`` and ``align_motions``): individual
models know a person at the origin who faces +Z, interaction models know where people stand. Rotations are local to
the parent, so that moving a person does not touch them; they are made orthonormal on the way. Gradients flow.
"""

from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn.functional import normalize

from motifmix.features.interhuman import BLOCKS, JOINTS
from motifmix.motion.skeleton import JOINT_NAMES
from motifmix.quirks import Quirk

CONTACTS_LOST = Quirk(
    "contacts_lost_in_placement",
    "centring and alignment go through axis angles and return zeros for the foot contacts, so the individual model is "
    "always told that no foot touches the ground and mixed contacts are too weak; published Mixers were trained so",
)
PADDING_IN_FLOOR = Quirk(
    "padding_in_floor",
    "the floor is the lowest joint of all frames, padding included, so that zeros behind a short clip pull it down",
)
ZERO_ROTATION_TURNS = Quirk(
    "zero_rotation_becomes_a_third_turn",
    "six zeros (padding) become the rotation by 120 degrees (0, 1, 0, 0, 1, 0) on the way through axis angles",
)
OPPOSITE_UNTURNED = Quirk(
    "opposite_directions_unturned",
    "the quaternion between exactly opposite directions vanishes and is taken for the identity: a motion that leads the "
    "wrong way is left so",
)
ENDS_ONLY = Quirk(
    "aligned_by_path_ends",
    "alignment turns a motion by where its root is in its first and last frame, so that people who stand, or end where "
    "they began, are turned at random; published Mixers were trained so",
)
PUBLISHED_PLACEMENT = (CONTACTS_LOST, PADDING_IN_FLOOR, ZERO_ROTATION_TURNS, OPPOSITE_UNTURNED, ENDS_ONLY)

DISPLACEMENT_EPSILON = 1e-8  # m^2, published: keeps the direction of a person who stands still finite
TURN_EPSILON = 1e-8  # published: added to w of the quaternion between two directions

_LEFT_HIP, _RIGHT_HIP = JOINT_NAMES.index("left_hip"), JOINT_NAMES.index("right_hip")
_POSITIONS, _VELOCITIES = BLOCKS["joint_positions"], BLOCKS["joint_velocities"]
_ROTATIONS, _CONTACTS = BLOCKS["joint_rotations"], BLOCKS["foot_contacts"]
_REST = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_THIRD_TURN = (0.0, 1.0, 0.0, 0.0, 1.0, 0.0)


def orthonormal(motion: Tensor, quirks: Collection[Quirk] = ()) -> Tensor:
    """Make the rotation block of ``[..., 262]`` orthonormal (Gram-Schmidt); six zeros become the identity."""
    block = motion[..., _ROTATIONS]
    six = block.reshape(*block.shape[:-1], JOINTS - 1, 6)
    instead = six.new_tensor(_THIRD_TURN if ZERO_ROTATION_TURNS in quirks else _REST)
    six = torch.where((six == 0).all(-1, keepdim=True), instead, six)
    # Component by component: reductions over three numbers take more than twice as long. The columns lie interleaved.
    a, d, b, e, c, f = six.unbind(-1)  # [..., 21] each
    length = _length(a, b, c)
    a, b, c = a / length, b / length, c / length
    along = a * d + b * e + c * f
    d, e, f = d - a * along, e - b * along, f - c * along
    length = _length(d, e, f)
    columns = torch.stack([a, d / length, b, e / length, c, f / length], dim=-1).flatten(-2)  # [..., 126]
    return torch.cat([motion[..., : _ROTATIONS.start], columns, motion[..., _CONTACTS]], dim=-1)


def center(motion: Tensor, valid_mask: Tensor | None = None, quirks: Collection[Quirk] = ()) -> Tensor:
    """Put a person at the canonical start: on the floor, root over the origin in frame 0, hips facing +Z there.

    ``motion`` [..., T, 262]; ``valid_mask`` [..., T] (True = real frame, all where None). Positions and velocities turn;
    a frame of padding counts for nothing, unless the published quirks say otherwise.
    """
    motion = orthonormal(motion, quirks)
    joints = _vectors(motion, _POSITIONS)  # [..., T, 22, 3]
    heights = joints[..., 1]
    if valid_mask is not None and PADDING_IN_FLOOR not in quirks:
        heights = heights.masked_fill(~valid_mask[..., None], torch.inf)
    floor = heights.amin((-1, -2))  # [...]
    root = joints[..., 0, 0, :]
    shift = torch.stack([root[..., 0], floor, root[..., 2]], dim=-1)
    return _placed(motion, joints - shift[..., None, None, :], _turn_to_front(joints, quirks), quirks)


def center_scene(people: Tensor) -> Tensor:
    """Turn and shift scenes [..., P, T, 262] as a whole: the first person over the origin in frame 0, hips facing +Z there.

    Heights stay: people of a scene share their floor.
    """
    joints = _vectors(people, _POSITIONS)  # [..., P, T, 22, 3]
    first = joints[..., 0, :, :, :]
    shift = first[..., 0, 0, :] * people.new_tensor([1.0, 0.0, 1.0])
    return _placed(people, joints - shift[..., None, None, None, :], _turn_to_front(first)[..., None, :], ())


def align(
    source: Tensor, reference: Tensor, valid_mask: Tensor | None = None, quirks: Collection[Quirk] = ()
) -> Tensor:
    """Put ``source`` onto the path of ``reference`` (both [..., T, 262]): same root in frame 0, turned alike.

    Of all turns about the vertical it is the one that brings joints nearest to the reference's; see :func:`path_turn`.
    """
    source = orthonormal(source, quirks)
    joints = _vectors(source, _POSITIONS)
    goal = _vectors(reference, _POSITIONS)[..., 0, 0, :]  # root of frame 0, [..., 3]
    turn = path_turn(source, reference, valid_mask, quirks)
    placed = _placed(source, joints - joints[..., :1, :1, :], turn, quirks)
    lifted = _vectors(placed, _POSITIONS) + goal[..., None, None, :]
    return torch.cat([lifted.flatten(-2), placed[..., _POSITIONS.stop :]], dim=-1)


def follow(source: Tensor, reference: Tensor) -> Tensor:
    """Put ``source`` over the floor where ``reference`` is, frame by frame (both [..., T, 262]): root and its velocity are the same.

    Past the paper: where people are to each other the model of pairs alone has seen, so that a mixture of two ways is nobody's.
    """
    moved = []
    for block in (_POSITIONS, _VELOCITIES):
        root = slice(block.start, block.start + 3)
        way = (reference[..., root] - source[..., root]) * source.new_tensor([1.0, 0.0, 1.0])
        moved.append((_vectors(source, block) + way[..., None, :]).flatten(-2))
    return torch.cat([*moved, source[..., _VELOCITIES.stop :]], dim=-1)


def laid(source: Tensor, reference: Tensor, frames: int) -> Tensor:
    """Put scenes ``source`` [..., P, T, 262] where ``reference`` [..., P, S, 262] has their first ``frames``, by one turn and shift.

    It is the least-squares fit over the floor of all people's joints, so that neighbours of one long scene meet. Heights stay.
    """
    own, goal = (_vectors(each[..., :frames, :], _POSITIONS) for each in (source, reference))  # [..., P, frames, 22, 3]
    level = own.new_tensor([1.0, 0.0, 1.0])
    middle, there = ((each * level).mean((-4, -3, -2), keepdim=True) for each in (own, goal))
    off, wanted = own - middle, goal - there
    along = (off[..., 0] * wanted[..., 0] + off[..., 2] * wanted[..., 2]).sum((-3, -2, -1))
    sideways = (off[..., 2] * wanted[..., 0] - off[..., 0] * wanted[..., 2]).sum((-3, -2, -1))
    turn = _turned_by(along, sideways)[..., None, :]  # everybody's of a scene
    placed = _placed(source, _vectors(source, _POSITIONS) - middle, turn, ())
    shifted = _vectors(placed, _POSITIONS) + there
    return torch.cat([shifted.flatten(-2), placed[..., _POSITIONS.stop :]], dim=-1)


def path_turn(
    source: Tensor, reference: Tensor, valid_mask: Tensor | None = None, quirks: Collection[Quirk] = ()
) -> Tensor:
    """The rotation about the vertical, quaternion xyzw [..., 4], that turns ``source`` to go and stand as ``reference``.

    It is the least-squares fit over all joints and real frames, each seen from its root in frame 0: the path decides for
    people who go somewhere, their bodies for people who stand. (``ENDS_ONLY``: the path's two ends.)
    """
    if ENDS_ONLY in quirks:
        return turn_between(_way(source, valid_mask), _way(reference, valid_mask), quirks)
    (x, z), (goal_x, goal_z) = _seen_from_start(source, valid_mask), _seen_from_start(reference, valid_mask)
    along = (x * goal_x + z * goal_z).sum((-1, -2))
    sideways = (z * goal_x - x * goal_z).sum((-1, -2))
    return _turned_by(along, sideways)


def turn_between(start: Tensor, goal: Tensor, quirks: Collection[Quirk] = ()) -> Tensor:
    """The rotation about the vertical from one horizontal direction to another, [..., 3] each, as xyzw [..., 4].

    Two directions of which one has no length give the identity.
    """
    along = (start * goal).sum(-1)
    sideways = start[..., 2] * goal[..., 0] - start[..., 0] * goal[..., 2]
    if OPPOSITE_UNTURNED in quirks:
        w = ((start**2).sum(-1) * (goal**2).sum(-1)).sqrt() + along + TURN_EPSILON
        y = sideways
        length = (w**2 + y**2).sqrt()
        y, w = y / length, w / length
        nothing = torch.zeros_like(w)
        return torch.stack([nothing, y, nothing, w], dim=-1)
    return _turned_by(along, sideways)


def _turned_by(along: Tensor, sideways: Tensor) -> Tensor:
    """The rotation about the vertical by an angle whose cosine and sine these are, but for a common factor."""
    nowhere = (along == 0) & (sideways == 0)
    half = torch.atan2(sideways, torch.where(nowhere, torch.ones_like(along), along)) / 2
    nothing = torch.zeros_like(half)
    return torch.stack([nothing, half.sin(), nothing, half.cos()], dim=-1)


def _seen_from_start(motion: Tensor, valid_mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """All joints' x and z from the root in frame 0, [..., T, 22] each; 0 where a frame is not real."""
    joints = _vectors(motion, _POSITIONS)
    offsets = joints - joints[..., :1, :1, :]
    if valid_mask is not None:
        offsets = offsets.masked_fill(~valid_mask[..., None, None], 0.0)
    return offsets[..., 0], offsets[..., 2]


def _length(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """The length of vectors by their components, never 0; its gradient is finite everywhere."""
    return (x * x + y * y + z * z).clamp_min(1e-24).sqrt()


def _way(motion: Tensor, valid_mask: Tensor | None) -> Tensor:
    """The root's horizontal way from the first to the last real frame, of length about 1, [..., 3]."""
    roots = motion[..., :3]  # the root is joint 0, [..., T, 3]
    if valid_mask is None:
        last = roots[..., -1, :]
    else:
        numbers = torch.arange(roots.shape[-2], device=roots.device)
        index = (numbers * valid_mask).amax(-1)[..., None, None].expand(*roots.shape[:-2], 1, 3)
        last = roots.gather(-2, index)[..., 0, :]
    way = (last - roots[..., 0, :]) * roots.new_tensor([1.0, 0.0, 1.0])
    return way / ((way**2).sum(-1, keepdim=True) + DISPLACEMENT_EPSILON).sqrt()


def _vectors(motion: Tensor, block: slice) -> Tensor:
    return motion[..., block].unflatten(-1, (JOINTS, 3))


def _turn_to_front(joints: Tensor, quirks: Collection[Quirk] = ()) -> Tensor:
    """The rotation about the vertical that lets the hips of [..., T, 22, 3] face +Z in frame 0, xyzw [..., 4]."""
    across = joints[..., 0, _RIGHT_HIP, :] - joints[..., 0, _LEFT_HIP, :]
    nothing = torch.zeros_like(across[..., 0])
    ahead = normalize(torch.stack([across[..., 2], nothing, -across[..., 0]], dim=-1), dim=-1)
    return turn_between(ahead, ahead.new_tensor([0.0, 0.0, 1.0]).expand_as(ahead), quirks)


def _placed(motion: Tensor, joints: Tensor, turn: Tensor, quirks: Collection[Quirk]) -> Tensor:
    """Turn ``joints`` and the velocities of ``motion`` about the vertical and put the features together again."""
    y, w = turn[..., 1, None, None], turn[..., 3, None, None]
    cosine, sine = w**2 - y**2, 2 * w * y

    def turned(vectors: Tensor) -> Tensor:
        x, up, z = vectors.unbind(-1)
        return torch.stack([cosine * x + sine * z, up, cosine * z - sine * x], dim=-1).flatten(-2)

    contacts = motion[..., _CONTACTS]
    if CONTACTS_LOST in quirks:
        contacts = torch.zeros_like(contacts)
    velocities = _vectors(motion, _VELOCITIES)
    return torch.cat([turned(joints), turned(velocities), motion[..., _ROTATIONS], contacts], dim=-1)
