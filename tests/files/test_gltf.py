"""GLB: read back by glTF's own rules, not by our code, and held against the mannequin."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pygltflib import GLTF2

from motifmix.drawing import mannequin
from motifmix.errors import FileError
from motifmix.files.gltf import write_glb
from motifmix.motion import MOTIFMIX, Motion, Scene, Skeleton
from motifmix.motion import rotations as rot

NUMPY = {5126: np.float32, 5121: np.uint8, 5123: np.uint16}
WIDTH = {"SCALAR": 1, "VEC3": 3, "VEC4": 4, "MAT4": 16}


def waving(frames: int = 12, fps: float = 30.0) -> Motion:
    generator = np.random.default_rng(3)
    start, stop = (rot.from_rotvec(generator.normal(0.0, 0.4, (22, 3))) for _ in range(2))
    weight = np.linspace(0.0, 1.0, frames)[:, None]
    root = np.stack([0.3 * weight[:, 0], 0.94 + 0.0 * weight[:, 0], 1.1 * weight[:, 0]], axis=1)
    return Motion(MOTIFMIX, rot.slerp(start[None], stop[None], weight), root, fps)


class Document:
    """The little of glTF that a player needs: accessors, node transforms, one animation, skinning."""

    def __init__(self, path: Path) -> None:
        self.gltf = GLTF2().load(str(path))
        self.blob = self.gltf.binary_blob()

    def array(self, number: int) -> np.ndarray:
        accessor = self.gltf.accessors[number]
        view = self.gltf.bufferViews[accessor.bufferView]
        kind, width = NUMPY[accessor.componentType], WIDTH[accessor.type]
        data = np.frombuffer(self.blob, kind, accessor.count * width, view.byteOffset + accessor.byteOffset)
        table = data.reshape(accessor.count, width)
        return table / 255.0 if accessor.normalized else table

    def world(self, key: int) -> dict[int, np.ndarray]:
        """World matrices of all nodes at one key of the animation."""
        local = {}
        moved: dict[tuple[int, str], np.ndarray] = {}
        animation = self.gltf.animations[0]
        for channel in animation.channels:
            values = self.array(animation.samplers[channel.sampler].output)
            moved[channel.target.node, channel.target.path] = values[min(key, len(values) - 1)]
        for number, node in enumerate(self.gltf.nodes):
            matrix = np.eye(4)
            turn = moved.get((number, "rotation"), np.array(node.rotation or [0, 0, 0, 1.0]))
            matrix[:3, :3] = rot.to_matrix(turn)
            matrix[:3, 3] = moved.get((number, "translation"), node.translation or [0, 0, 0])
            local[number] = matrix
        parent = {child: number for number, node in enumerate(self.gltf.nodes) for child in node.children or []}

        def whole(number: int) -> np.ndarray:
            return whole(parent[number]) @ local[number] if number in parent else local[number]

        return {number: whole(number) for number in local}

    def skinned(self, person: int, key: int) -> np.ndarray:
        node = next(n for n in self.gltf.nodes if n.skin == person)
        skin, attributes = self.gltf.skins[node.skin], self.gltf.meshes[node.mesh].primitives[0].attributes
        world = self.world(key)
        binding = self.array(skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
        moves = np.stack([world[joint] @ bind for joint, bind in zip(skin.joints, binding, strict=True)])
        points = np.concatenate([self.array(attributes.POSITION), np.ones((len(mannequin.load().vertices), 1))], axis=1)
        joints, weights = self.array(attributes.JOINTS_0), self.array(attributes.WEIGHTS_0)
        return np.einsum("vk,vkab,vb->va", weights, moves[joints], points)[:, :3]


@pytest.mark.parametrize("key", [0, 5, 11])
def test_a_player_shows_the_very_vertices_that_the_painter_draws(tmp_path: Path, key: int) -> None:
    motion = waving()
    (path,) = write_glb(tmp_path / "wave.glb", motion)
    np.testing.assert_allclose(Document(path).skinned(0, key), mannequin.load().posed(motion, key), atol=2e-5)


def test_the_bind_pose_stands_upright_on_the_floor_in_metres(tmp_path: Path) -> None:
    (path,) = write_glb(tmp_path / "wave.glb", waving())
    document = Document(path)
    accessor = document.gltf.accessors[document.gltf.meshes[0].primitives[0].attributes.POSITION]
    assert abs(accessor.min[1]) < 1e-6
    assert 1.65 < accessor.max[1] < 1.75


def test_the_animation_keeps_time_and_turns_the_short_way(tmp_path: Path) -> None:
    motion = waving(fps=24.0)
    flipped = Motion(
        MOTIFMIX, motion.rotations * np.where(np.arange(12) % 2, -1.0, 1.0)[:, None, None], motion.root, 24.0
    )
    (path,) = write_glb(tmp_path / "wave.glb", flipped)
    document = Document(path)
    animation = document.gltf.animations[0]
    for sampler in animation.samplers:
        np.testing.assert_allclose(document.array(sampler.input)[:, 0], np.arange(12) / 24.0, atol=1e-6)
    for channel in animation.channels:
        if channel.target.path == "rotation":
            turns = document.array(animation.samplers[channel.sampler].output)
            assert all(a @ b > 0 for a, b in pairwise(turns))


def test_another_frame_rate_may_be_asked_for(tmp_path: Path) -> None:
    (path,) = write_glb(tmp_path / "wave.glb", waving(frames=31, fps=30.0), fps=60.0)
    document = Document(path)
    times = document.array(document.gltf.animations[0].samplers[0].input)[:, 0]
    assert len(times) == 61 and times[-1] == pytest.approx(1.0)


def test_every_person_of_a_scene_has_a_skin_and_a_path(tmp_path: Path) -> None:
    one, other = waving(), waving(frames=7).turned(np.pi).moved(np.array([0.5, 0.0, 2.0]))
    (path,) = write_glb(tmp_path / "two.glb", Scene((one, other)))
    document = Document(path)
    assert len(document.gltf.skins) == 2 and len(document.gltf.animations) == 1
    np.testing.assert_allclose(document.skinned(0, 6), mannequin.load().posed(one, 6), atol=2e-5)
    np.testing.assert_allclose(document.skinned(1, 6), mannequin.load().posed(other, 6), atol=2e-5)
    names = [node.name for node in document.gltf.nodes]
    assert len(set(names)) == len(names)


def test_the_credit_and_the_words_travel_along(tmp_path: Path) -> None:
    labels = {"credit": "data by somebody, CC BY-NC 4.0", "text": "a person waves", "style": "old", "seed": 7}
    (path,) = write_glb(tmp_path / "wave.glb", waving().with_labels(**labels))
    asset = GLTF2().load(str(path)).asset
    assert asset.copyright == "data by somebody, CC BY-NC 4.0"
    assert asset.extras["people"] == [{"text": "a person waves", "style": "old", "seed": 7}]


def test_a_motion_on_another_skeleton_is_carried_over(tmp_path: Path) -> None:
    small = Skeleton(MOTIFMIX.names, MOTIFMIX.parents, MOTIFMIX.offsets * 0.9, MOTIFMIX.end_offsets)
    motion = waving()
    (path,) = write_glb(tmp_path / "wave.glb", Motion(small, motion.rotations, motion.root * 0.9, 30.0))
    document = Document(path)
    heights = np.ptp(document.array(document.gltf.meshes[0].primitives[0].attributes.POSITION)[:, 1])
    assert 1.65 < heights < 1.75
    # The pelvis need not be carried by its own joint (the middle of the hips is), so a centimetre is left to it.
    np.testing.assert_allclose(document.skinned(0, 4), mannequin.load().posed(motion, 4), atol=0.02)


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "wave.glb"
    path.write_text("mine")
    with pytest.raises(FileError, match="exists"):
        write_glb(path, waving())
    assert path.read_text() == "mine"
    write_glb(path, waving(), force=True)
    assert path.read_bytes()[:4] == b"glTF"


def test_the_same_motion_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.glb", "b.glb"):
        write_glb(tmp_path / name, waving())
    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()
