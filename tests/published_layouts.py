"""Tiny datasets in the layouts in which their authors publish them, written from scratch: no test needs a download.

Every function fills a folder and returns it. The people in them walk on the spot or ahead; numbers are reproducible.
"""

from pathlib import Path

import numpy as np

from motifmix.features.humanml3d import (
    HUMANML3D_BODY,
    KIT_BODY,
    TARGET_OFFSETS,
    chain_positions,
    extract_from_joints,
    recover_joints,
)
from motifmix.motion import rotations as rot

KIT_OFFSETS = np.array(KIT_BODY.axes) * 180.0  # mm

HUMANML3D_LENGTHS = {"000000": 60, "000001": 120, "000002": 39, "000003": 196, "000004": 44, "000005": 200}
CAPTION = "a person walks forward.#a/DET person/NOUN walk/VERB forward/ADV#0.0#0.0"
WINDOWED = "a man lifts his left arm.#a/DET man/NOUN lift/VERB his/PRON left/ADJ arm/NOUN#1.0#3.5"


def walking_joints(frames, seed=0, body=HUMANML3D_BODY, offsets=TARGET_OFFSETS, step=0.03):
    """Joints ``[frames, J, 3]`` of somebody who walks ahead and swings all bones a little."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / 8.0
    size, phase = rng.uniform(0.0, 0.3, (2, 1, body.joints, 3))
    rotations = rot.from_rotvec(size * np.sin(time + 20.0 * phase))
    rotations[:, 0] = rot.IDENTITY
    root = np.zeros((frames, 3))
    root[:, 2] = step * np.arange(frames)
    joints = chain_positions(rotations, root, offsets, body)
    return joints - [0.0, joints[..., 1].min(), 0.0]


def guo_features(frames, seed=0, kit=False):
    """Features ``[frames, 263]``, or ``[frames, 251]`` of KIT-ML's body in millimetres."""
    body, offsets = (KIT_BODY, KIT_OFFSETS) if kit else (HUMANML3D_BODY, TARGET_OFFSETS)
    joints = walking_joints(frames + 1, seed, body, offsets, step=40.0 if kit else 0.03)
    return extract_from_joints(joints, offsets, body).astype(np.float32)


def write_guo_clip(folder, name, features, captions, body=HUMANML3D_BODY):
    """Write one clip: features, joints, captions."""
    for part in ("new_joint_vecs", "new_joints", "texts"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    np.save(folder / "new_joint_vecs" / f"{name}.npy", features)
    np.save(folder / "new_joints" / f"{name}.npy", recover_joints(features, body).astype(np.float32))
    (folder / "texts" / f"{name}.txt").write_text("\n".join(captions) + "\n")


def write_list(path, ids, last_break=True):
    """Write a list of ids, with or without a line break at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(ids) + ("\n" if last_break else ""))


def write_guo_statistics(folder, arrays, joints=22):
    """Mean.npy and Std.npy by the published rule: the deviation is averaged within seven groups."""
    rows = np.concatenate([array for array in arrays if np.isfinite(array).all()]).astype(np.float64)
    std, start = rows.std(axis=0), 0
    for width in (1, 2, 1, 3 * (joints - 1), 6 * (joints - 1), 3 * joints, 4):
        std[start : start + width] = max(std[start : start + width].mean(), 1e-3)
        start += width
    np.save(folder / "Mean.npy", rows.mean(axis=0).astype(np.float32))
    np.save(folder / "Std.npy", std.astype(np.float32))


def humanml3d(folder: Path, lengths=None, damaged="007975") -> Path:
    """HumanML3D: clips with their mirror images (here: other clips), one of 39 and one of 200 frames, one NaN in test."""
    lengths = lengths or HUMANML3D_LENGTHS
    names = [name for number in lengths for name in (number, "M" + number)]
    arrays = {name: guo_features(lengths[name.removeprefix("M")], seed) for seed, name in enumerate(names)}
    if damaged:
        arrays[damaged] = np.full((84, 263), np.nan, dtype=np.float32)
    for name, features in arrays.items():
        # Copies of the data differ in type; readers cast.
        write_guo_clip(
            folder, name, features.astype(np.float64 if name == "000001" else np.float32), (CAPTION, WINDOWED)
        )
    write_guo_statistics(folder, arrays.values())
    test = [n for n in names if n.endswith("4")] + ([damaged] if damaged else [])
    write_list(folder / "test.txt", test)
    write_list(folder / "val.txt", [n for n in names if n.endswith("1")], last_break=False)
    write_list(folder / "train.txt", [n for n in names if n[-1] not in "14"])
    return folder


def kit_ml(folder: Path, lengths=(24, 30, 23, 60)) -> Path:
    """KIT-ML in Guo's form: 21 joints, millimetres, no windows."""
    arrays = {f"{number:05d}": guo_features(frames, number, kit=True) for number, frames in enumerate(lengths, 1)}
    for name, features in arrays.items():
        write_guo_clip(folder, name, features, (CAPTION,), KIT_BODY)
    write_guo_statistics(folder, arrays.values(), joints=21)
    for split, names in (("train", list(arrays)[:-1]), ("val", list(arrays)[:1]), ("test", list(arrays)[-1:])):
        write_list(folder / f"{split}.txt", names)
    return folder


def interhuman_person(frames, seed=0, start=(0.0, 0.0)):
    """A stored array ``[frames, 492]``: 62 joints, then 51 rotations, Z up."""
    joints = np.zeros((frames, 62, 3))
    body = walking_joints(frames, seed) + np.array([start[0], 0.0, start[1]])
    joints[:, :22] = np.stack([body[..., 0], -body[..., 2], body[..., 1]], axis=-1)
    rotations = np.tile(np.eye(3)[:, :2].reshape(6), (frames, 51, 1))
    return np.concatenate([joints.reshape(frames, -1), rotations.reshape(frames, -1)], axis=1).astype(np.float32)


INTERHUMAN_LENGTHS = {"14": 14, "15": 15, "80": 80, "301": 301}


def interhuman(folder: Path, lengths=None, individual=True, without=()) -> Path:
    """InterHuman with in2IN's captions; ``without`` names clips that lack them. All clips train, 80 also tests."""
    lengths = lengths or INTERHUMAN_LENGTHS
    for number, person in enumerate(("person1", "person2")):
        for part in ("motions_processed", "annots_individual") if individual else ("motions_processed",):
            (folder / part / person).mkdir(parents=True)
        for seed, (name, frames) in enumerate(lengths.items()):
            array = interhuman_person(frames, 2 * seed + number, start=(0.3 * number, 1.5 * number))
            np.save(folder / "motions_processed" / person / f"{name}.npy", array)
            if individual and name not in without:
                texts = [f"the {('first', 'second')[number]} one lifts the left hand.", "one walks clockwise."]
                (folder / "annots_individual" / person / f"{name}.txt").write_text("\n".join(texts) + "\n")
    (folder / "annots").mkdir()
    for name in lengths:
        (folder / "annots" / f"{name}.txt").write_text("two people walk to the left.\ntwo people meet.\nthey greet.\n")
    for split, names in (("train", list(lengths)), ("val", list(lengths)[-1:]), ("test", list(lengths)[-2:-1])):
        write_list(folder / "split" / f"{split}.txt", names)
    return folder


def humanml3d_262(folder: Path, vectors="interhuman", lengths=(20, 100, 14)) -> Path:
    """HumanML3D converted to 262 numbers, as in2IN (``interhuman``) or MixerMDM (``joints_vec``) keep it."""
    from motifmix.features.interhuman import extract_person, load_person

    (folder / vectors).mkdir(parents=True)
    (folder / "texts").mkdir()
    names = [f"{number:06d}" for number in range(len(lengths))]
    for name, frames in zip(names, lengths, strict=True):
        features = extract_person(load_person(interhuman_person(frames + 1, int(name)))).features
        np.save(folder / vectors / f"{name}.npy", features)
        (folder / "texts" / f"{name}.txt").write_text(CAPTION + "\n")
    for split in ("train", "val", "test"):
        write_list(folder / f"{split}.txt", names)
    return folder


INTER_X_IDS = ("G001T000A000R000", "G001T000A001R003", "G012T003A039R010")


def inter_x_recording(frames, seed):
    """The parts of one person of a clip at 120 fps."""
    rng = np.random.default_rng(seed)
    shapes = {"pose_body": (21, 3), "pose_lhand": (15, 3), "pose_rhand": (15, 3), "root_orient": (3,), "trans": (3,)}
    parts = {name: rng.normal(0.0, 0.2, (frames, *shape)).astype(np.float32) for name, shape in shapes.items()}
    return {**parts, "betas": np.zeros((1, 10), dtype=np.float32), "gender": np.array("neutral")}


def inter_x(folder: Path, lengths=(200, 120, 720)) -> Path:
    """Inter-X as it is downloaded; 120 frames make 30, 720 make 180."""
    for seed, (name, frames) in enumerate(zip(INTER_X_IDS, lengths, strict=True)):
        (folder / "motions" / name).mkdir(parents=True)
        for person in (1, 2):
            np.savez(folder / "motions" / name / f"P{person}.npz", **inter_x_recording(frames, 2 * seed + person))
    _inter_x_rest(folder)
    (folder / "texts").mkdir()
    for name in INTER_X_IDS:
        (folder / "texts" / f"{name}.txt").write_text("two people hug.\none hugs the other.\nthey embrace.\n")
    (folder / "annots").mkdir()
    (folder / "annots" / "action_setting.txt").write_text("Hug\nHandshake\nWave\n" + "Other\n" * 36 + "Fly kiss\n")
    return folder


def inter_x_processed(folder: Path, raw: Path) -> Path:
    """What the authors' scripts make of a raw folder: one HDF5 file a split, tagged captions."""
    import h5py

    from motifmix.data.inter_x import InterX

    (folder / "motions").mkdir(parents=True)
    data = InterX(raw)
    for split in ("train", "val", "test"):
        with h5py.File(folder / "motions" / f"{split}.h5", "w") as file:
            for name in data.ids(split):
                file.create_dataset(name, data=data.stored(name, split).astype(np.float32))
    _inter_x_rest(folder)
    (folder / "texts_processed").mkdir()
    for name in INTER_X_IDS:
        line = "two people hug.#two/NUM people/NOUN hug/VERB#0.0#0.0\n"
        (folder / "texts_processed" / f"{name}.txt").write_text(3 * line)
    return folder


def _inter_x_rest(folder):
    for split, names in (("train", INTER_X_IDS[:2]), ("val", INTER_X_IDS[:1]), ("test", INTER_X_IDS[2:])):
        write_list(folder / "splits" / f"{split}.txt", names)
    write_list(folder / "splits" / "all.txt", INTER_X_IDS, last_break=False)


XSENS_JOINTS = (
    ("Hips", -1, (0, 92, 0)), ("Chest", 0, (0, 9.6, -1)), ("Chest2", 1, (0, 10.8, 0)), ("Chest3", 2, (0, 9.7, 0)),
    ("Chest4", 3, (0, 9.7, 0)), ("Neck", 4, (0, 13.5, 0)), ("Head", 5, (0, 8.9, 2)), ("RightCollar", 4, (-3, 8, 0)),
    ("RightShoulder", 7, (-14, 0, 0)), ("RightElbow", 8, (-28, 0, 0)), ("RightWrist", 9, (-24, 0, 0)),
    ("LeftCollar", 4, (3, 8, 0)), ("LeftShoulder", 11, (14, 0, 0)), ("LeftElbow", 12, (28, 0, 0)),
    ("LeftWrist", 13, (24, 0, 0)), ("RightHip", 0, (-9, -1, 0)), ("RightKnee", 15, (0, -42, 0)),
    ("RightAnkle", 16, (0, -40, 0)), ("RightToe", 17, (0, -8, 14)), ("LeftHip", 0, (9, -1, 0)),
    ("LeftKnee", 19, (0, -42, 0)), ("LeftAnkle", 20, (0, -40, 0)), ("LeftToe", 21, (0, -8, 14)),
)  # fmt: skip
STYLE100_CODES = ("BR", "BW", "FR", "FW", "ID", "SR", "SW", "TR1", "TR2", "TR3")


def xsens_bvh(frames, lead_in=20, speed=1.0, swing=25.0, lean=0.0):
    """A 60 fps recording in centimetres: a T-pose, then somebody who swings arms and legs on the way ahead."""
    from tests.data.published import bvh

    angles = ("Yrotation", "Xrotation", "Zrotation")
    root = ("Xposition", "Yposition", "Zposition", *angles)
    rows = np.zeros((frames, 3 + 3 * len(XSENS_JOINTS)))
    rows[:, 1] = 92.0
    time = np.maximum(np.arange(frames) - lead_in, 0) / 60.0
    rows[:, 2] = 100.0 * speed * time
    number = {name: joint for joint, (name, _, _) in enumerate(XSENS_JOINTS)}
    moves = np.arange(frames) >= lead_in
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        phase = sign * np.sin(2 * np.pi * time)
        rows[:, 3 + 3 * number[f"{side}Hip"] + 1] = swing * phase * moves
        rows[:, 3 + 3 * number[f"{side}Shoulder"] + 2] = -75.0 * sign * moves
        rows[:, 3 + 3 * number[f"{side}Shoulder"]] = swing * phase * moves
    rows[:, 3 + 3 * number["Chest2"] + 1] = lean * moves
    return bvh(XSENS_JOINTS, lambda joint: angles if joint else root, rows, "0.016667")


def style100(folder: Path, styles=("Angry", "LimpLeft", "Zombie"), codes=("FW", "ID"), frames=3900, flat=False) -> Path:
    """100STYLE as its authors publish it; the first 20 frames and the last 20 of every recording are no part of it."""
    folder.mkdir(parents=True, exist_ok=True)
    header = ["STYLE_NAME", *(f"{code}_{edge}" for code in STYLE100_CODES for edge in ("START", "STOP"))]
    lines = [",".join(header)]
    for number, style in enumerate(styles):
        place = folder if flat else folder / style
        place.mkdir(exist_ok=True)
        for code in codes:
            speed = 0.0 if code == "ID" else 1.0
            data = xsens_bvh(frames, speed=speed, swing=0.0 if code == "ID" else 25.0, lean=5.0 * number)
            (place / f"{style}_{code}.bvh").write_bytes(data)
        cells = [f"20,{frames - 20}" if code in codes else "N/A,N/A" for code in STYLE100_CODES]
        lines.append(",".join([style, *cells]))
    (folder / "Frame_Cuts.csv").write_bytes(("\r\n".join(lines) + "\r\n").encode())
    (folder / "Dataset_List.csv").write_text("Style Name,Description,Stochastic,Symmetric,Notes\n")
    return folder


# id, published style and content; the second and third styles have a side. Fewer classes than the real lists have.
STYLE100_CLIPS = {
    "030001": ("Angry", "FW", 60), "030002": ("Angry", "ID", 80), "030003": ("LimpLeft", "FW", 44),
    "030004": ("LimpRight", "FW", 230), "030005": ("Zombie", "BR", 50), "030006": ("Zombie", "FW", 64),
}  # fmt: skip
STYLE100_NUMBERS = {
    "full": {"Angry": 2, "LimpLeft": 45, "LimpRight": 46, "Zombie": 99},
    "filter": {"Angry": 1, "Zombie": 46},
}


def style100_humanml3d(folder: Path) -> Path:
    """100STYLE merged into HumanML3D's folder by SMooDi, with the defects of the published lists in small."""
    humanml3d(folder, damaged="")
    for side in ("train", "test"):
        (folder / f"{side}.txt").rename(folder / f"{side}_humanml.txt")
    (folder / "val.txt").unlink()
    for seed, (name, (_, _, frames)) in enumerate(STYLE100_CLIPS.items()):
        for number, clip in enumerate((name, "M" + name)):
            captions = ["someone walks angrily#whatever stands here", "a man dances"]
            write_guo_clip(folder, clip, guo_features(frames, 100 + 2 * seed + number), captions)
    for lists, numbers in STYLE100_NUMBERS.items():
        names = [name for name, (style, _, _) in STYLE100_CLIPS.items() if style in numbers]
        lines = []
        for clip in names:
            style, content, _ = STYLE100_CLIPS[clip]
            suffix = "b030005vh" if clip == "030005" and lists == "full" else "bvh"
            lines += [f"{c} {style}_{content}_0{clip[-1]}.{suffix} {numbers[style]}" for c in (clip, "M" + clip)]
        (folder / f"100STYLE_name_dict{'_Filter' if lists == 'filter' else ''}.txt").write_text("\n".join(lines) + "\n")
        both = [clip for name in names for clip in (name, "M" + name)]
        test = [clip for clip in both if clip in ("030001", "M030006")]
        train = [clip for clip in both if clip not in (*test, *(["M030002"] if lists == "filter" else []))]
        kind = lists.capitalize()
        write_list(folder / f"train_100STYLE_{kind}.txt", train, last_break=lists == "filter")
        write_list(folder / f"test_100STYLE_{kind}.txt", test + test[-1:] * (lists == "filter"))
    return folder
