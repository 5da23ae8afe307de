"""Fit what corrects the joints that the pose models read: films of training clips against the recordings.

    python scripts/calibrate_video_pose.py --per-style 1     # about 5 s a film on an idle core, four films a clip

Films clips of the training side of set 2 (mannequin in clothes, front, both sides, back), reads them, and fits by how much
each joint is turned wrong, by the view (`encoders.video_pose.Calibration`). Held-out clips are not touched:
benchmarks/video_style.py measures on them. Needs the extra motifmix[video] and the prepared set bandai.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from motifmix.data.prepared import Prepared
from motifmix.encoders.video_pose import Calibration, rotations_from_landmarks
from motifmix.evaluation.filmed import VIEWS, Filming, chosen_clips
from motifmix.home import PACKAGE_WEIGHTS, home

SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=home() / "data" / "bandai")
    parser.add_argument("--per-style", type=int, default=1)
    parser.add_argument("--cached", action="store_true", help="only films that were read before")
    parser.add_argument("--out", type=Path, default=PACKAGE_WEIGHTS / "pose" / "calibration.json")
    arguments = parser.parse_args()
    prepared = Prepared(arguments.data)
    filming = Filming(prepared, home() / "evaluation" / "video-style")
    clips = chosen_clips(prepared, "train", arguments.per_style, SEED)
    pairs = []
    for clip in clips:
        for view in VIEWS:
            if arguments.cached and not filming.path(clip, view).exists():
                continue
            filmed = filming.film(clip, view)
            try:
                seen = rotations_from_landmarks(filmed.seen)
            except ValueError as error:
                print(f"{clip.id} {view}: {error}")
                continue
            frames = min(len(seen), filmed.truth.frames)
            pairs.append((seen[:frames], filmed.truth.rotations[:frames]))
            print(f"{clip.id} {view}: {frames} frames")
    weights = Calibration.fitted(pairs).weights
    content = {
        "what": "corrections of joint rotations read off videos, [joint, (1, cos, sin of the view), (x, y, z)]",
        "made_by": f"scripts/calibrate_video_pose.py --per-style {arguments.per_style}",
        "films": len(pairs),
        "clips": [clip.id for clip in clips],
        "weights": np.round(weights, 4).tolist(),
    }
    arguments.out.write_text(json.dumps(content) + "\n", encoding="utf-8")
    print(f"{arguments.out}: fitted to {len(pairs)} films, {sum(len(seen) for seen, _ in pairs)} frames")


if __name__ == "__main__":
    main()
