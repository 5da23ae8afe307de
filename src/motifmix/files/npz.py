"""NumPy archives: what other programs read most easily. Arrays, strings and numbers only, never a pickled object.

``joints`` float32 ``[T, 22, 3]`` in metres, Y up, in SMPL's order; ``rotations`` ``[T, 22, 4]`` unit quaternions xyzw,
local to the parent, on the motifmix skeleton; ``root`` ``[T, 3]``; ``fps``; and as far as they are known ``text``,
``interaction``, ``style``, ``seed``, ``credit``, ``licence``. A scene of several people has one axis more in front of
all of these but ``fps``: ``joints`` ``[P, T, 22, 3]``, ``text`` ``[P]``.
"""

import io
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.errors import FileError, ParseError
from motifmix.files.conventions import leaps
from motifmix.motion.inverse_kinematics import motion_from_joints
from motifmix.motion.motion import Motion, Scene
from motifmix.motion.retargeting import retarget
from motifmix.motion.skeleton import JOINT_NAMES, MOTIFMIX

LABELS = ("text", "interaction", "style", "content", "seed", "credit", "licence")
MOST_FRAMES = 1_000_000
MOST_PEOPLE = 64
_MOST_MEMBERS = 64
_MOST_CHARACTERS = 100_000
_LONGEST_HEADER = 10_000
_CONTRADICTION = 0.03  # metres
_MISFIT = 0.1  # metres: a body of other proportions is fitted within a few centimetres
_ONE_PLACE = 0.01  # metres
_BLOCK = 10_000  # frames that are looked at together
_DEPTHS = {"joints": 3, "rotations": 3, "root": 2}  # axes of one person's arrays
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same motion gives the same bytes


def write_npz(
    path: Path | str, scene: Scene | Motion, *, fps: float | None = None, force: bool = False
) -> tuple[Path, ...]:
    """Write one archive and return its path, in a tuple.

    A motion on another skeleton is retargeted to the motifmix skeleton first. Raises ``FileError``, also for people
    whose clips differ in length.
    """
    path = Path(path)
    people = (scene,) if isinstance(scene, Motion) else scene.people
    contents = [_content(person, fps) for person in people]
    if len({len(content["root"]) for content in contents}) > 1:
        raise FileError(
            f"{path}: the people's clips differ in length; cut them to one length, or write one file for each"
        )
    with replacing(path, force=force) as temporary:
        temporary.write_bytes(_archive(contents[0] if len(contents) == 1 else _together(contents)))
    return (path,)


def read_npz(path: Path | str) -> Scene:
    """Read an archive that :func:`write_npz` or another program wrote.

    Needs ``fps`` and ``rotations`` with ``root`` (or ``joints``, whose first joint is the root); to ``joints`` alone
    rotations are fitted, and said so. Raises ``FileError`` for what is missing, ``ParseError`` for what does not fit
    and for a broken or hostile archive.
    """
    path = Path(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if len(members) > _MOST_MEMBERS:
                raise ParseError(f"{path} holds {len(members)} arrays; a motion has ten")
            wanted = ("joints", "rotations", "root", "fps", *LABELS)
            values = {name: _array(archive, members[name], path, name) for name in wanted if name in members}
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise ParseError(f"{path} is no NPZ archive, or a damaged one ({error})") from error
    return Scene(tuple(_motion(own, path) for own in _each_person(values, path)))


def _content(motion: Motion, fps: float | None) -> dict[str, np.ndarray]:
    if not motion.skeleton.same_as(MOTIFMIX):
        motion, _ = retarget(motion, MOTIFMIX)
    if fps is not None:
        motion = motion.resampled(fps)
    content = {
        "joints": motion.joints.astype(np.float32),
        "rotations": motion.rotations.astype(np.float32),
        "root": motion.root.astype(np.float32),
        "fps": np.float64(motion.fps),
    }
    for name in LABELS:
        value = motion.labels.get(name)
        if isinstance(value, str | int | float | np.integer | np.floating):
            content[name] = np.asarray(value)
        elif value is not None:
            content[name] = np.asarray(str(value))
    return {name: np.asarray(value) for name, value in content.items()}


def _together(contents: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Stack what people have, in their order; a label that somebody lacks is an empty text of his."""
    whole: dict[str, np.ndarray] = {"fps": contents[0]["fps"]}
    for name in (*_DEPTHS, *LABELS):
        own = [content.get(name) for content in contents]
        if any(value is not None for value in own):
            whole[name] = np.array(["" if value is None else value for value in own])
    return whole


def _archive(content: dict[str, np.ndarray]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, value, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _FIXED_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return whole.getvalue()


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path, name: str) -> np.ndarray:
    """Read one member, after its header promised nothing odd: no objects, no size that only a bomb has."""
    with archive.open(info) as member:
        try:
            version = np.lib.format.read_magic(member)
            reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = reader(member, max_header_size=_LONGEST_HEADER)
        except ValueError as error:
            raise ParseError(f"{path}: '{name}' is no NumPy array ({error})") from error
    if dtype.kind not in "fiuUS":
        raise ParseError(f"{path}: '{name}' holds {dtype}; only numbers and text are read, never objects")
    bytes_ = dtype.itemsize * int(np.prod(shape, dtype=object))
    most = MOST_FRAMES * len(MOTIFMIX) * 4 * 8 if dtype.kind in "fiu" else 4 * _MOST_CHARACTERS
    if bytes_ > most or bytes_ > info.file_size:
        raise ParseError(f"{path}: '{name}' claims the shape {shape}, which cannot be a motion's")
    with archive.open(info) as member:
        try:
            return np.lib.format.read_array(member, allow_pickle=False, max_header_size=_LONGEST_HEADER)
        except ValueError as error:
            raise ParseError(f"{path}: '{name}' is damaged ({error})") from error


def _each_person(values: dict[str, np.ndarray], path: Path) -> list[dict[str, np.ndarray]]:
    """Return the arrays of each person, which have no axis of people any more."""
    arrays = {name: values[name] for name in _DEPTHS if name in values}
    deep = {name: len(array) for name, array in arrays.items() if array.ndim == _DEPTHS[name] + 1}
    if not deep:
        return [values]
    count = next(iter(deep.values()))
    if len(deep) < len(arrays) or set(deep.values()) != {count} or not 0 < count <= MOST_PEOPLE:
        raise ParseError(f"{path}: {', '.join(arrays)} do not hold the same people, or more than {MOST_PEOPLE}")
    shared = {name: value for name, value in values.items() if name not in deep and value.shape != (count,)}
    return [
        {**shared, **{name: value[number] for name, value in values.items() if name not in shared}}
        for number in range(count)
    ]


def _motion(values: dict[str, np.ndarray], path: Path) -> Motion:
    fps = values.get("fps")
    if fps is None or fps.size != 1 or fps.dtype.kind not in "fiu" or not 1.0 <= float(fps.reshape(())) <= 10_000.0:
        raise FileError(f"{path} needs 'fps', one number of frames per second")
    rate = float(fps.reshape(()))
    labels: dict[str, Any] = {name: values[name].item() for name in LABELS if name in values and values[name].size == 1}
    labels = {name: v.decode("utf-8", "replace") if isinstance(v, bytes) else v for name, v in labels.items()}
    labels = {name: value for name, value in labels.items() if value != ""}
    source = {"file": str(path), "format": "npz", "up": "y", "units": "m", "scale": 1.0, "warnings": []}
    labels["source"] = source
    rotations = _numbers(values, "rotations", (len(MOTIFMIX), 4), path)
    joints = _numbers(values, "joints", (len(MOTIFMIX), 3), path)
    root = _numbers(values, "root", (3,), path)
    if rotations is None:
        if joints is None:
            raise FileError(f"{path} has no 'rotations' and no 'joints'; a motion needs one of them")
        motion, said = _fitted(joints, rate, path)
        return motion.with_labels(**labels | {"source": source | {"warnings": [*said, *leaps([motion])]}})
    if root is None:
        if joints is None:
            raise FileError(f"{path} has no 'root' and no 'joints', so that nothing tells where the person is")
        root = joints[:, 0]
    if len(root) != len(rotations):
        raise ParseError(f"{path}: 'rotations' has {len(rotations)} frames and 'root' {len(root)}")
    rotations = rotations / np.linalg.norm(rotations, axis=-1, keepdims=True)
    motion = Motion(MOTIFMIX, rotations, root, rate, labels)
    if said := leaps([motion]):
        source = source | {"warnings": said}
        motion = motion.with_labels(source=source)
    if joints is None:
        return motion
    if len(joints) != len(rotations):
        raise ParseError(f"{path}: 'rotations' has {len(rotations)} frames and 'joints' {len(joints)}")
    gap = float(np.linalg.norm(motion.joints - joints, axis=-1).max())
    if gap > _CONTRADICTION:
        said = (
            f"The joint positions lie up to {100.0 * gap:.0f} cm from where rotations and root put them on the motifmix "
            "skeleton; rotations and root were taken. A file without 'rotations' is read from its positions."
        )
        return motion.with_labels(source=source | {"warnings": [*source["warnings"], said]})
    return motion


def _fitted(joints: np.ndarray, rate: float, path: Path) -> tuple[Motion, list[str]]:
    """Fit rotations to joint positions; say so, and how far off they are where these are hardly a person's."""
    together = np.ptp(joints, axis=1).max(axis=-1) < _ONE_PLACE
    if 2 * together.sum() > len(joints):
        raise ParseError(
            f"{path}: all 'joints' lie in one place in {together.sum()} of {len(joints)} frames, so that there is no body"
        )
    try:
        motion = motion_from_joints(joints, rate)
    except ValueError as error:
        raise ParseError(f"{path}: no person can be fitted to 'joints' ({error})") from error
    said = "The file holds joint positions only; the rotations were fitted to them."
    gap = _misfit(motion.joints, joints)
    if gap > _MISFIT:
        said += (
            f" They lie {100.0 * gap:,.0f} cm from the fitted joints in the mean, so they are hardly a person's; 'joints' "
            "are in metres, Y up, in SMPL's order."
        )
    return motion, [said]


def _misfit(fitted: np.ndarray, joints: np.ndarray) -> float:
    """Mean distance of joints ``[T, 22, 3]`` from fitted ones about the pelvis, in metres at the size of the body given.

    Bodies differ in size, and retargeting gives everybody our own: the fitted body is measured at the other's leg length.
    """
    hip, knee, ankle = (JOINT_NAMES.index(f"left_{part}") for part in ("hip", "knee", "ankle"))
    legs = [
        float(np.median(np.linalg.norm(np.diff(body[:, [hip, knee, ankle]], axis=1), axis=-1).sum(axis=-1)))
        for body in (joints, fitted)
    ]
    about = [body - body[:, :1] for body in (joints, fitted)]
    return float(np.linalg.norm(about[0] - legs[0] / max(legs[1], 1e-9) * about[1], axis=-1).mean())


def _check_quaternions(rotations: np.ndarray, first: int, path: Path) -> None:
    lengths = np.linalg.norm(rotations.astype(np.float64), axis=-1)
    wrong = np.flatnonzero((np.abs(lengths - 1.0) > 1e-2).any(axis=-1))
    if len(wrong):
        raise ParseError(f"{path}: 'rotations' are no unit quaternions (xyzw) in frame {first + int(wrong[0])}")


def _numbers(values: dict[str, np.ndarray], name: str, shape: tuple[int, ...], path: Path) -> np.ndarray | None:
    """Return an array of finite numbers ``[T, *shape]``, ``None`` where the archive has none of that name."""
    if name not in values:
        return None
    array = values[name]
    if array.dtype.kind not in "fiu":
        raise ParseError(f"{path}: '{name}' holds {array.dtype}, not numbers")
    if array.shape[1:] != shape or not 0 < len(array) <= MOST_FRAMES:
        wanted = ", ".join(["frames", *map(str, shape)])
        raise ParseError(f"{path}: '{name}' has the shape {array.shape}, not ({wanted})")
    for start in range(0, len(array), _BLOCK):
        block = array[start : start + _BLOCK]
        if not np.isfinite(block).all():
            frame = start + int(np.flatnonzero(~np.isfinite(block).reshape(len(block), -1).all(axis=1))[0])
            raise ParseError(f"{path}: '{name}' holds a number that is not finite in frame {frame}")
        if np.abs(block.astype(np.float64)).max() > 1e6:
            raise ParseError(f"{path}: '{name}' holds a number beyond 1,000 km")
        if name == "rotations":
            _check_quaternions(block, start, path)
    return array.astype(np.float64)
