"""GLB (binary glTF 2.0): one skinned mannequin and one skin a person, one animation, metres, Y up, facing +Z at rest.

The bind pose is the T-pose with the soles on the floor. Tips of head, hands and feet travel as joints without weights,
so that importers which draw bones know where the last ones end. A motion on another skeleton is retargeted to the
motifmix skeleton, because that is what the mannequin is bound to.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from pygltflib import (
    GLTF2,
    SCALAR,
    Accessor,
    Animation,
    AnimationChannel,
    AnimationChannelTarget,
    AnimationSampler,
    Asset,
    Attributes,
    Buffer,
    BufferView,
    Material,
    Mesh,
    Node,
    PbrMetallicRoughness,
    Primitive,
    Skin,
)
from pygltflib import Scene as GltfScene

from motifmix.atomic import replacing
from motifmix.drawing import mannequin
from motifmix.motion import MOTIFMIX, Motion, Scene, credit_line
from motifmix.motion import rotations as rot
from motifmix.motion.retargeting import retarget

# Kept in the asset's extras; "credit" is its copyright.
LABELS = ("text", "interaction", "style", "content", "seed", "licence")

_COMPONENT = {"float32": 5126, "uint8": 5121, "uint16": 5123}
_SHAPE = {1: SCALAR, 3: "VEC3", 4: "VEC4", 16: "MAT4"}
_VERTICES, _INDICES = 34962, 34963  # what a buffer view is for


def write_glb(
    path: Path | str, scene: Scene | Motion, *, fps: float | None = None, force: bool = False
) -> tuple[Path, ...]:
    """Write a scene as one GLB, at its own frame rate unless ``fps`` says otherwise. Raises ``FileError``."""
    path = Path(path)
    people = (scene,) if isinstance(scene, Motion) else scene.people
    people = tuple(_prepared(person, fps) for person in people)
    with replacing(path, force=force) as temporary:
        temporary.write_bytes(_document(people))
    return (path,)


def _prepared(person: Motion, fps: float | None) -> Motion:
    if not person.skeleton.same_as(MOTIFMIX):
        person = retarget(person, MOTIFMIX)[0].with_labels(**person.labels)
    return person if fps is None else person.resampled(fps)


def _document(people: tuple[Motion, ...]) -> bytes:
    gltf, pack = GLTF2(), _Packer()
    gltf.asset = _asset(people)
    tops: list[int] = []
    gltf.animations = [Animation(name=_name(people), samplers=[], channels=[])]
    body = mannequin.load()
    sole = -float(body.vertices[:, 1].min())
    matt = PbrMetallicRoughness(metallicFactor=0.0, roughnessFactor=0.75)
    gltf.materials = [Material(name="clay", pbrMetallicRoughness=matt, alphaCutoff=None)]
    shape = _shape(pack, body, sole)
    indices = pack.add(body.faces.astype(np.uint16).ravel(), target=_INDICES)
    binding = pack.add(_inverse_bind_matrices(sole))
    for number, person in enumerate(people):
        suffix = f"_{number + 1}" if len(people) > 1 else ""
        attributes = Attributes(**shape, COLOR_0=_colour(pack, body, number))
        primitive = Primitive(attributes=attributes, indices=indices, material=0, mode=4)
        gltf.meshes.append(Mesh(name="mannequin" + suffix, primitives=[primitive]))
        armature = len(gltf.nodes)
        gltf.nodes.append(Node(name="person" + suffix, children=[armature + 1]))
        joints = _joints(gltf, sole, suffix)
        gltf.skins.append(Skin(name="person" + suffix, joints=joints, inverseBindMatrices=binding, skeleton=armature))
        figure = len(gltf.nodes)
        gltf.nodes.append(Node(name="mannequin" + suffix, mesh=number, skin=number))
        tops += [armature, figure]  # a skinned mesh obeys its joints alone, so it stands at the top
        _animate(gltf.animations[0], pack, person, joints)
    gltf.scene, gltf.scenes = 0, [GltfScene(nodes=tops)]
    gltf.accessors, gltf.bufferViews = pack.accessors, pack.views
    gltf.buffers = [Buffer(byteLength=len(pack.data))]
    gltf.set_binary_blob(bytes(pack.data))
    return b"".join(gltf.save_to_bytes())


class _Packer:
    """Appends arrays to one binary buffer, each with a view and an accessor of its own."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[BufferView] = []
        self.accessors: list[Accessor] = []

    def add(
        self, array: np.ndarray, *, target: int | None = None, normalized: bool = False, bounds: bool = False
    ) -> int:
        """Append ``[count]`` or ``[count, width]`` and return the accessor's number."""
        array = np.ascontiguousarray(array)
        table = array.reshape(len(array), -1)
        self.views.append(BufferView(buffer=0, byteOffset=len(self.data), byteLength=array.nbytes, target=target))
        self.accessors.append(
            Accessor(
                bufferView=len(self.views) - 1,
                byteOffset=0,
                componentType=_COMPONENT[array.dtype.name],
                normalized=normalized,
                count=len(table),
                type=_SHAPE[table.shape[1]],
                min=table.min(axis=0).tolist() if bounds else None,
                max=table.max(axis=0).tolist() if bounds else None,
            )
        )
        self.data += array.astype(array.dtype.newbyteorder("<")).tobytes()
        self.data += bytes(-len(self.data) % 4)
        return len(self.accessors) - 1


def _shape(pack: _Packer, body: mannequin.Mannequin, sole: float) -> dict[str, int]:
    """Append what all people share and return the accessors by attribute."""
    standing = (body.vertices + np.array([0.0, sole, 0.0])).astype(np.float32)
    return {
        "POSITION": pack.add(standing, target=_VERTICES, bounds=True),
        "NORMAL": pack.add(body.normals(body.vertices).astype(np.float32), target=_VERTICES),
        "JOINTS_0": pack.add(body.joints.astype(np.uint8), target=_VERTICES),
        "WEIGHTS_0": pack.add(body.weights.astype(np.uint8), target=_VERTICES, normalized=True),
    }


def _colour(pack: _Packer, body: mannequin.Mannequin, person: int) -> int:
    colours = np.concatenate([_linear(body.tinted(person)), np.ones((len(body.vertices), 1))], axis=1)
    return pack.add((colours * 255).round().astype(np.uint8), target=_VERTICES, normalized=True)


def _joints(gltf: GLTF2, sole: float, suffix: str) -> list[int]:
    """Append the nodes of one skeleton in its rest pose, tips last, and return their numbers."""
    first = len(gltf.nodes)
    for joint, name in enumerate(MOTIFMIX.names):
        offset = MOTIFMIX.offsets[joint] if joint else np.array([0.0, sole, 0.0])
        children = [first + child for child in MOTIFMIX.children[joint]]
        gltf.nodes.append(
            Node(name=name + suffix, translation=offset.tolist(), rotation=[0.0, 0.0, 0.0, 1.0], children=children)
        )
    for joint, offset in MOTIFMIX.end_offsets.items():
        gltf.nodes[first + joint].children = [len(gltf.nodes)]  # only leaves have tips
        gltf.nodes.append(Node(name=f"{MOTIFMIX.names[joint]}_end{suffix}", translation=list(map(float, offset))))
    return list(range(first, len(gltf.nodes)))


def _inverse_bind_matrices(sole: float) -> np.ndarray:
    """Return ``[joints and tips, 16]``, column by column: bones rest unturned, so each is a shift alone."""
    rest = MOTIFMIX.rest_positions
    tips = [rest[joint] + offset for joint, offset in MOTIFMIX.end_offsets.items()]
    places = np.concatenate([rest, np.array(tips).reshape(-1, 3)]) + np.array([0.0, sole, 0.0])
    matrices = np.tile(np.eye(4), (len(places), 1, 1))
    matrices[:, 3, :3] = -places
    return matrices.reshape(-1, 16).astype(np.float32)


def _animate(animation: Animation, pack: _Packer, person: Motion, joints: list[int]) -> None:
    times = pack.add((np.arange(person.frames) / person.fps).astype(np.float32), bounds=True)

    def add(node: int, path: str, values: np.ndarray) -> None:
        animation.samplers.append(
            AnimationSampler(input=times, output=pack.add(values.astype(np.float32)), interpolation="LINEAR")
        )
        target = AnimationChannelTarget(node=node, path=path)
        animation.channels.append(AnimationChannel(sampler=len(animation.samplers) - 1, target=target))

    add(joints[0], "translation", person.root)
    turns = rot.normalized(rot.continuous(person.rotations))
    for joint in range(len(MOTIFMIX)):
        add(joints[joint], "rotation", turns[:, joint])


def _asset(people: tuple[Motion, ...]) -> Asset:
    said = [{name: _plain(p.labels[name]) for name in LABELS if p.labels.get(name) is not None} for p in people]
    extras = {"people": said} if any(said) else {}
    return Asset(
        version="2.0", generator=f"motifmix {version('motifmix')}", copyright=credit_line(people) or None, extras=extras
    )


def _plain(value: object) -> str | int | float | bool:
    return value if isinstance(value, str | int | float | bool) else str(value)


def _name(people: tuple[Motion, ...]) -> str:
    words = [str(people[0].labels[name]) for name in ("text", "style") if people[0].labels.get(name)]
    return ", ".join(words)[:120] or "motion"


def _linear(colour: np.ndarray) -> np.ndarray:
    """sRGB in 0 to 1 to linear light, which glTF asks of vertex colours and factors."""
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
