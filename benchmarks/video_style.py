"""How well a style is recognised on videos of a person, beside the same clips as motion files.

    python benchmarks/video_style.py --per-style 6     # writes docs/video_style.md and docs/video_style.json

Held-out clips of set 2 (their first 3.2 s) are filmed from the front, both sides and the back (`evaluation.filmed`),
read by the pose models, and made into motions (`encoders.video_pose`). Three readings of the style: the nearest style to the vector that
generation gets (mean vectors of training clips, seven styles, chance 14 %), the judge that scores on the motion itself,
and the same judge on "a person walks forward" generated in that style. Needs motifmix[video] and the prepared set bandai.
"""

import argparse
import json
from pathlib import Path

import numpy as np

import motifmix
from motifmix.data.prepared import Prepared
from motifmix.encoders.video_pose import motion_from_landmarks
from motifmix.evaluation.filmed import ANOTHER, BESIDE, FPS, SECONDS, VIEWS, Filming, chosen_clips
from motifmix.features.own import heading
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.motion import Motion
from motifmix.motion import rotations as rot
from motifmix.pretrained.cards import read_card, weights_version
from motifmix.pretrained.judges import Judge, load_judge

DOCS = Path(__file__).parents[1] / "docs"
TEXT = "a person walks forward"
SEED = 0
NEAREST_FROM = 30  # training clips a style
OTHER = "another camera"
ROWS = (
    ("recording", "recording (BVH)"),
    *((view, f"video, {view}") for view in VIEWS),
    (
        OTHER,
        f"video, {OTHER}: {BESIDE:g}° beside the front, {ANOTHER.above:g}° above, {ANOTHER.size[0]} x {ANOTHER.size[1]} pixels, "
        f"{ANOTHER.fps:g} frames a second",
    ),
)
FILMED = (*VIEWS, OTHER)
SEEN_FROM = ("front", "left", "right")
CONTENTS = 16  # held-out clips of the content set


HEAD = """# Style from a video of a person

`--style clip.mp4` (also .webm, .mov, .avi, .mkv, .gif) takes the *movement* of the person in it as the style. It needs the
extra `motifmix[video]` and nothing else: MediaPipe's two pose models (Apache-2.0, 9.4 MB) travel in the package. What was
read is said when it is used. The most prominent person counts, the first 20 seconds are read, and the person must be
followed for a second at least.

How: a detector finds the person, the landmark model gives 33 points in metres about the hips; swaps of front and back
are undone, points smoothed without delay, the vertical found from the person's balance, rotations fitted to our skeleton,
the root's path rebuilt from resting feet, and a constant error of each joint taken out (`encoders/video_pose.py`). What is
left of errors, the style encoder would take for style; so a film's vector is read by one of its own, which went on with films of
training clips (`recipes/default/films.yaml`, `motifmix data prepare films`).

What it cannot do: the height of jumps, sliding feet, turned forearms, several people at once, a person who is cut off by
the picture's edge for long. `--style-from content` (what a video shows, as in the paper) needs ImageBind's weights.

## How well a style is recognised

No filmed people with known styles may be used here, so the project films its own: held-out clips of set 2, as the
mannequin with skin, hair, a face and clothes by vertex colours (the grey figure has no face: the models take front for back), on
a plain floor, 360 x 480 pixels, 12.5 frames a second, the first 3.2 seconds. The errors that are taken out were measured
on films of *training* clips of the same figure, and its encoder learned from such films too; a camera that it did not learn
from has a row of its own. Real videos have other clothes, light, cameras and backgrounds: nothing here says how well
they go.
"""


class Reader:
    """Names the style of motions in three ways."""

    def __init__(self, prepared: Prepared, source: str = "bandai-2") -> None:
        self.model, self.judge = motifmix.load(), load_judge("score")
        clips = chosen_clips(prepared, "train", NEAREST_FROM, SEED, source)
        vectors = np.stack([self.vector(prepared.motion(c, 0, min(c.frames, 150)).grounded()) for c in clips])
        self.names = sorted({str(clip.style) for clip in clips})
        means = [vectors[[clip.style == name for clip in clips]].mean(axis=0) for name in self.names]
        self.means = np.stack([mean / np.linalg.norm(mean) for mean in means])

    def vector(self, motion: Motion) -> np.ndarray:
        """Return the style vector of unit length."""
        vector = self.model.style_vector(motion).numpy()
        return vector / np.linalg.norm(vector)

    def nearest(self, motion: Motion) -> str:
        """Name the style whose training clips are nearest."""
        return self.names[int((self.means @ self.vector(motion)).argmax())]

    def judged(self, motions: list[Motion]) -> list[str]:
        """Name the style as the judge reads it."""
        return Judge.style_names(self.judge, self.judge.read(motions))

    def generated(self, motions: list[Motion]) -> list[str]:
        """Name the style that the judge reads on walks generated in the style of each motion."""
        return self.judged(self.model.generate([TEXT] * len(motions), list(motions), seconds=4.0))


def elsewhere(prepared: Prepared, contents: Prepared) -> dict:
    """Films of set 1's styles, walks that one clip of each was held out of, and of held-out clips that have no style."""
    reader, kept = Reader(prepared, "bandai-1"), home() / "evaluation" / "video-style"
    rng = np.random.default_rng(SEED)
    least = SECONDS * FPS
    plain = [c for c in contents.select(split="test", mirrored=False) if c.frames / c.fps * FPS >= least]
    asked = {
        "set 1": (prepared, chosen_clips(prepared, "test", NEAREST_FROM, SEED, "bandai-1")),
        "no style": (contents, [plain[n] for n in rng.permutation(len(plain))[:CONTENTS]]),
    }
    found = {}
    for name, (own, clips) in asked.items():
        filming, films = Filming(own, kept), []
        for clip in clips:
            for view in SEEN_FROM:
                film = filming.film(clip, view)
                try:
                    read = motion_from_landmarks(film.seen).with_labels(video=f"{clip.id} {view}")
                except ValueError:
                    continue
                films.append((clip, read, film.truth))
            print(f"{name}: {clip.id}", flush=True)
        motions, truths = [own for _, own, _ in films], [true for *_, true in films]
        found[name] = {"clips": len(clips), "films": len(films), **_alike(reader, motions, truths)}
        if name == "set 1":
            styles = [str(clip.style) for clip, *_ in films]
            for kind, people in (("film", motions), ("recording", truths)):
                found[name][kind] = {
                    "nearest": float(
                        np.mean([reader.nearest(one) == style for one, style in zip(people, styles, strict=True)])
                    ),
                    "generated": float(np.mean(list(map(str.__eq__, reader.generated(people), styles)))),
                }
    return found


def _alike(reader: Reader, motions: list[Motion], truths: list[Motion]) -> dict[str, float]:
    """Return how near a film's vector lies to the recording's, by its own encoder and by the recordings'."""
    bare = [Motion(own.skeleton, own.rotations, own.root, own.fps) for own in motions]
    pairs = {"cosine": motions, "cosine_by_the_recordings_encoder": bare}
    return {
        name: float(
            np.mean([reader.vector(one) @ reader.vector(true) for one, true in zip(people, truths, strict=True)])
        )
        for name, people in pairs.items()
    }


def joint_error(read: Motion, true: Motion) -> float:
    """Mean distance of joints in centimetres, both turned ahead and standing at the origin."""
    frames = min(read.frames, true.frames)
    poses = []
    for motion in (read, true):
        joints = motion.joints[:frames] - motion.joints[:frames, :1] * np.array([1.0, 0.0, 1.0])
        poses.append(rot.rotate(rot.inverse(rot.about_y(heading(joints)))[:, None], joints))
    return 100 * float(np.linalg.norm(poses[0] - poses[1], axis=-1).mean())


def measured(prepared: Prepared, per_style: int) -> dict:
    """Film, read and recognise; returns the table's figures."""
    reader, kept = Reader(prepared), home() / "evaluation" / "video-style"
    filming, other = Filming(prepared, kept), Filming(prepared, kept / "another", ANOTHER)
    clips = chosen_clips(prepared, "test", per_style, SEED)
    motions: dict[str, list[Motion | None]] = {name: [] for name, _ in ROWS}
    errors: dict[str, list[float]] = {name: [] for name in FILMED}
    for number, clip in enumerate(clips):
        filmed = filming.film(clip, "front")
        for view in FILMED:
            filmed = other.film(clip, BESIDE) if view == OTHER else filming.film(clip, view)
            try:
                motion = motion_from_landmarks(filmed.seen).with_labels(video=f"{clip.id} {view}")
                errors[view].append(joint_error(motion, filmed.truth))
            except ValueError:
                motion = None
            motions[view].append(motion)
        motions["recording"].append(filmed.truth)
        print(f"{number + 1} of {len(clips)} clips", flush=True)
    rows = {}
    for name, _ in ROWS:
        found = [(motion, str(clip.style)) for motion, clip in zip(motions[name], clips, strict=True) if motion]
        people, styles = [motion for motion, _ in found], [style for _, style in found]
        readings = {
            "nearest": [reader.nearest(motion) for motion in people],
            "judge": reader.judged(people),
            "generated": reader.generated(people),
        }
        rows[name] = {"clips": len(clips), "person_found": len(people)} | {
            kind: sum(map(str.__eq__, named, styles)) / len(clips) for kind, named in readings.items()
        }
        if name in FILMED:
            rows[name]["joint_error_cm"] = float(np.mean(errors[name]))
    front_and_sides = [rows[view] for view in ("front", "left", "right")]
    rows["front and sides"] = {
        "clips": 3 * len(clips),
        "person_found": sum(r["person_found"] for r in front_and_sides),
    } | {
        kind: float(np.mean([r[kind] for r in front_and_sides]))
        for kind in ("nearest", "judge", "generated", "joint_error_cm")
    }
    return {
        "styles": reader.names, "per_style": per_style, "rows": rows, "weights": weights_version(PACKAGE_WEIGHTS / "default"),
        "film_encoder": read_card(PACKAGE_WEIGHTS / "default" / "film_encoder.yaml").sha256[:12], "judge": reader.judge.card.sha256[:12],
    }  # fmt: skip


def as_markdown(figures: dict, command: str) -> str:
    """Return the page."""
    lines = [
        "| | clips | person found | nearest style of the vector | judge on the motion | judge on a walk generated in it | joints off |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, title in (*ROWS, ("front and sides", "**video, front and sides**")):
        row = figures["rows"][name]
        error = f"{row['joint_error_cm']:.1f} cm" if "joint_error_cm" in row else ""
        shares = " | ".join(f"{100 * row[kind]:.0f} %" for kind in ("nearest", "judge", "generated"))
        lines.append(f"| {title} | {row['clips']} | {row['person_found']} | {shares} | {error} |")
    reached = figures["rows"]["front and sides"]["generated"]
    lines += [
        "",
        f"Aimed at: 80 % over front and sides. {'Reached' if reached >= 0.8 else 'Not reached'}, for these seven styles, by what "
        f"the judge reads of a walk generated in them: {100 * reached:.0f} %. *Nearest* is what the film encoder was taught, so it "
        "flatters. "
        "Held-out clips are of the takes, the actors and the figure of the training clips ([data](data.md)), other moments of them.",
        "",
        *_elsewhere_lines(figures["elsewhere"]),
    ]
    return HEAD + f"\n<!-- generated by {command} -->\n\n" + "\n".join(lines) + f"\n\nMade by `{command}`.\n"


def _elsewhere_lines(found: dict) -> list[str]:
    one, plain = found["set 1"], found["no style"]
    return [
        f"**Other styles, and none.** Set 1 has fifteen styles, and one held-out clip, a walk, of {one['clips']} of them; nearest of "
        f"fifteen, front and sides, {one['films']} films. And {plain['clips']} held-out clips of the content set in no known style, "
        f"{plain['films']} films. *Alike*: mean cosine of the film's vector and the recording's; in brackets with the encoder of "
        "recordings, as before there was one for films.",
        "",
        "| | nearest style of the vector | judge on a walk generated in it | alike |",
        "|---|---|---|---|",
        f"| set 1, recordings | {100 * one['recording']['nearest']:.0f} % | {100 * one['recording']['generated']:.0f} % | |",
        f"| set 1, films | {100 * one['film']['nearest']:.0f} % | {100 * one['film']['generated']:.0f} % | "
        f"{one['cosine']:.2f} ({one['cosine_by_the_recordings_encoder']:.2f}) |",
        f"| no known style, films | | | {plain['cosine']:.2f} ({plain['cosine_by_the_recordings_encoder']:.2f}) |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=home() / "data" / "bandai")
    parser.add_argument("--per-style", type=int, default=6)
    parser.add_argument("--page", action="store_true", help="write the page from docs/video_style.json")
    parser.add_argument("--out", type=Path, default=DOCS)
    arguments = parser.parse_args()
    path = arguments.out / "video_style.json"
    if not arguments.page:
        prepared = Prepared(arguments.data)
        figures = measured(prepared, arguments.per_style)
        figures["elsewhere"] = elsewhere(prepared, Prepared(arguments.data.parent / "cmu"))
        path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    figures = json.loads(path.read_text("utf-8"))
    command = f"python benchmarks/video_style.py --per-style {figures['per_style']}"
    page = as_markdown(figures, command)
    (arguments.out / "video_style.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
