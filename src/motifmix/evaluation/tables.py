"""The results as a page, as JSON and as a picture. The page is written by the command that it names, never typed."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motifmix.atomic import replacing
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.evaluation.protocol import Results, Row


def percent(value: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * value:.1f} %"


def percent_within(share: float, low: float, high: float) -> str:
    """Return a share with its bounds (``metrics.share_bounds``) as percentages."""
    return f"{100 * share:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def plain(value: float) -> str:
    """Return a number with two decimals."""
    return f"{value:.2f}"


def millimetres(value: float) -> str:
    """Return metres as millimetres."""
    return f"{1000 * value:.1f} mm"


@dataclass(frozen=True)
class Line:
    """How a row is printed: its words, its form, the aim as text and as a test, the best of the published trials."""

    key: str
    words: str
    form: Callable[[float], str] = percent
    aim: str = ""
    met: Callable[[float], bool] | None = None
    trial: str = "–"


def _at_least(bound: float) -> Callable[[float], bool]:
    return lambda value: value >= bound


def _at_most(bound: float) -> Callable[[float], bool]:
    return lambda value: value <= bound


def _within(low: float, high: float) -> Callable[[float], bool]:
    return lambda value: low <= value <= high


TARGETS = (
    Line("vae_local_set_2", "VAE, mean local joint error, style set", millimetres, "≤ 5 mm", _at_most(0.005), "4.8 mm"),
    Line("vae_local_content_set", "VAE, mean local joint error, content set", millimetres, "≤ 12 mm", _at_most(0.012)),
    Line("content_trained", "content, no style, trained captions", aim="≥ 99 %", met=_at_least(0.99), trial="100 %"),
    Line("content_held_out", "content, no style, phrasings never trained: everyday", aim="≥ 92 %", met=_at_least(0.92), trial="75 %"),
    Line("content_hard", "content, no style, phrasings never trained: idioms, rare words", aim="≥ 92 %", met=_at_least(0.92)),
    Line("motion_natural_style", "style, motion-guided, natural length", aim="≥ 99 %", met=_at_least(0.99), trial="100 %"),
    Line("motion_fixed_style", "style, motion-guided, length fixed by content", aim="≥ 98 %", met=_at_least(0.98), trial="99.3 %"),
    Line("text_trained_style", "style, text-guided, trained words", aim="≥ 99 %", met=_at_least(0.99), trial="100 %"),
    Line("text_held_out_style", "style, text-guided, phrases never trained: everyday", aim="≥ 95 %", met=_at_least(0.95), trial="92.9 %"),
    Line("text_hard_style", "style, text-guided, words never trained: idioms, rare words", aim="≥ 95 %", met=_at_least(0.95)),
    Line("motion_natural_content", "content while stylised (natural length)", aim="≥ 98 %", met=_at_least(0.98), trial="98.6 %"),
    Line("unseen_style", "cells never shown: style", aim="≥ 97 %", met=_at_least(0.97), trial="95 %"),
    Line("unseen_content", "cells never shown: content", aim="≥ 97 %", met=_at_least(0.97), trial="87 to 100 %"),
    Line("motion_natural_leak", "judged as the reference's content (leak)", aim="≤ 1 %", met=_at_most(0.01), trial="0 %"),
    Line("fid_ratio", "FID over the FID of real clips in the same mix", plain, "≤ 2", _at_most(2.0), "3.7"),
    Line("skate_ratio", "foot skating over real", plain, "≤ 1.1", _at_most(1.1), "0.8"),
    Line("jerk_ratio", "jerk over real", plain, "0.9 to 1.1", _within(0.9, 1.1), "0.89"),
    Line("speed_ratio", "speed over real", plain, "0.9 to 1.1", _within(0.9, 1.1)),
    Line("prompts_labelled", "people's prompts with a label, read as it", aim="≥ 90 %", met=_at_least(0.9)),
    Line("content_r_precision_3_ratio", "content set: R-precision (top 3 of 32) over real", plain, "≥ 0.8", _at_least(0.8)),
    Line("content_fid_ratio", "content set: FID over real halves", plain, "≤ 3", _at_most(3.0)),
)  # fmt: skip

OTHERS = (
    ("Style set, set 2: all ways of asking", (
        Line("motion_natural_both", "motion-guided, natural length: content and style at once"),
        Line("motion_fixed_content", "motion-guided, length fixed by content: content"),
        Line("motion_fixed_both", "motion-guided, length fixed by content: both"),
        Line("motion_fixed_leak", "motion-guided, length fixed by content: leak"),
        Line("motion_predicted_style", "motion-guided, predicted length: style"),
        Line("motion_predicted_content", "motion-guided, predicted length: content"),
        Line("motion_predicted_both", "motion-guided, predicted length: both"),
        Line("text_trained_content", "text-guided, trained words, predicted length: content"),
        Line("text_trained_both", "text-guided, trained words: both"),
        Line("text_held_out_content", "text-guided, phrases never trained: content"),
        Line("text_held_out_both", "text-guided, phrases never trained: both"),
        Line("missing_cells_style", "cells seen only mirrored or merged: style"),
        Line("missing_cells_content", "cells seen only mirrored or merged: content"),
        Line("motion_predicted_length", "chosen length over the cell's real mean (motion-guided, median)", plain),
        Line("motion_predicted_length_off", "chosen length off the mean (median of the absolute log ratio)", plain),
        Line("text_trained_length", "chosen length over the cell's real mean (text-guided, median)", plain),
        Line("fid", "FID to held-out clips (at most four a cell)", plain),
        Line("diversity", "diversity (300 pairs, features of the score judge)", plain),
        Line("skate", "foot skating: share of frames in which a toe on the floor slides"),
        Line("vae_world_set_2", "VAE, mean world joint error", millimetres),
        Line("vae_end_drift_set_2", "VAE, root's distance at the end", millimetres),
    )),
    ("Style set, set 1 (fifteen styles, one clip a cell)", (
        Line("set_1_text_style", "text-guided, trained words: style"),
        Line("set_1_text_content", "text-guided, trained words: content"),
        Line("set_1_motion_style", "motion-guided by a held-out walk: style"),
        Line("set_1_motion_content", "motion-guided by a held-out walk: content"),
        Line("set_1_motion_leak", "motion-guided: leak"),
        Line("vae_local_set_1", "VAE, mean local joint error", millimetres),
    )),
    ("Content set (windows of held-out subjects)", (
        Line("content_r_precision_1", "R-precision, top 1 of 32 distinct captions"),
        Line("content_r_precision_2", "R-precision, top 2"),
        Line("content_r_precision_3", "R-precision, top 3"),
        Line("content_mm_dist", "MM-Dist", plain),
        Line("content_fid", "FID, half against the other half", lambda v: f"{v:.4f}"),
        Line("content_diversity", "diversity (300 pairs)", plain),
        Line("content_skate", "foot skating"),
        Line("content_jerk_ratio", "jerk over real", plain),
        Line("content_speed_ratio", "speed over real", plain),
        Line("vae_world_content_set", "VAE, mean world joint error", millimetres),
        Line("vae_end_drift_content_set", "VAE, root's distance at the end", millimetres),
    )),
    ("People's prompts", (
        Line("prompts_rare", "labels with fewer than ten style-set clips (kick, punch, dance)"),
        Line("prompts_open", "prompts without a label that name one action the judge knows from the content set"),
    )),
)  # fmt: skip


def as_json(results: Results) -> str:
    """Return everything that was measured."""
    return json.dumps(_rounded(asdict(results)), indent=1, ensure_ascii=False)


def as_markdown(results: Results, command: str, picture: str | None = None) -> str:
    """Return the page; ``command`` is what made it, ``picture`` the chart's path as the page sees it."""
    facts = results.facts
    parts = [
        "# Results",
        f"Written by `{command}`; do not edit. Pipeline `{facts['name']}` ({facts['version']}), {facts['repeats']} repeats, "
        f"score judge `{facts['judge']}`. Means with the half width of the 95 % confidence interval over the repeats "
        "(Student's t); the autoencoder's over clips (bootstrap); real clips with Wilson's bounds. `n` counts the clips of "
        "one repeat. A target counts as reached where the mean reaches it, whatever the interval. The judge that scores has "
        "neither guided nor chosen anything; references are held-out clips of another content.",
        "## Targets",
        _table([line for line in TARGETS if line.key in results.rows], results.rows, targets=True),
    ]
    if facts.get("cells"):
        parts.append(CELLS.format(cells=", ".join(facts["cells"])))
    if picture:
        parts.append(f"![content and style both right, by cell]({picture})")
    for title, lines in OTHERS:
        known = [line for line in lines if line.key in results.rows]
        if known:
            parts += [f"## {title}", _table(known, results.rows, targets=False)]
    parts += [
        "## How far the judge can be trusted",
        _trust(results.judge_numbers),
        _retrieval(results.retrieval_numbers),
    ]
    parts += ["## Definitions", DEFINITIONS]
    return "\n\n".join(part for part in parts if part) + "\n"


def draw_cells(results: Results, path: Path) -> Path:
    """Draw the share of clips whose content and style were both read, for every cell of set 2. PNG."""
    from motifmix.drawing.charts import heat_table

    values = np.array(
        [[100 * results.cells.get(c, {}).get(s, float("nan")) for s in SET_2_STYLES] for c in SET_2_CONTENTS]
    )
    return heat_table(values, SET_2_CONTENTS, SET_2_STYLES, path, title="content and style both right, %")


def write(results: Results, out: Path, command: str) -> list[Path]:
    """Write the page, the JSON beside it and the chart; returns the paths. Each is renamed into place."""
    out.parent.mkdir(parents=True, exist_ok=True)
    picture = draw_cells(results, out.with_suffix(".png"))
    data = out.with_suffix(".json")
    for path, text in ((out, as_markdown(results, command, picture.name)), (data, as_json(results))):
        with replacing(path, force=True) as beside:
            beside.write_text(text, "utf-8")
    return [out, data, picture]


def _table(lines: list[Line], rows: dict[str, Row], targets: bool) -> str:
    head = (
        "| figure | target | reached | | best of the trials | real clips | n |"
        if targets
        else "| figure | reached | real clips | n |"
    )
    out = [head, "|---" * (head.count("|") - 1) + "|"]
    for line in lines:
        row = rows[line.key]
        reached, real = _value(line, row), _real(line, row)
        if targets:
            mark = ("✓" if line.met(row.ours.mean) else "✗") if line.met else ""
            out.append(f"| {line.words} | {line.aim} | {reached} | {mark} | {line.trial} | {real} | {row.clips} |")
        else:
            out.append(f"| {line.words} | {reached} | {real} | {row.clips} |")
    return "\n".join(out)


def _value(line: Line, row: Row) -> str:
    text = line.form(row.ours.mean)
    return text if np.isnan(row.ours.half_width) else f"{text} ± {line.form(row.ours.half_width)}"


def _real(line: Line, row: Row) -> str:
    if row.real is None:
        return "–"
    if row.real_bounds is None:
        return line.form(row.real)
    low, high = row.real_bounds
    return f"{line.form(row.real)} ({line.form(low)} to {line.form(high)}, {row.real_clips} clips)"


def _trust(numbers: dict[str, Any]) -> str:
    lines = ["| real clips | content read | style read |", "|---|---|---|"]
    for name, figures in numbers.get("held_out", {}).items():
        lines.append(f"| {name} | {_share(figures.get('content'))} | {_share(figures.get('style'))} |")
    out = ["\n".join(lines)]
    if numbers.get("probes"):
        out.append(
            "Probes, judges of the same making that saw less. What falls between the sets is what style, actor and recording "
            "day have in common; augmentation is body size, lean, speed, mirrored twins and noise (mirrored twins are in "
            "both columns)."
        )
        lines = [
            "| trained without, read on | content, augmented | style, augmented | content, plain | style, plain |",
            "|---|---|---|---|---|",
        ]
        for name, ways in numbers["probes"].items():
            cells = [
                _share(ways.get(way, {}).get(kind))
                for way in ("augmented", "not augmented")
                for kind in ("content", "style")
            ]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
        out.append("\n".join(lines))
    return "\n\n".join(out)


def _retrieval(numbers: dict[str, Any]) -> str:
    held_out = numbers.get("held_out", {})
    if "r_precision" not in held_out:
        return ""
    top = ", ".join(percent(v) for v in held_out["r_precision"])
    return (
        f"The motion-text evaluator finds a real clip of a held-out subject by its caption among 32 with {top} (top 1, 2, 3; "
        f"{held_out['windows']} windows)."
    )


def _share(figure: dict[str, float] | None) -> str:
    if not figure:
        return "–"
    return f"{percent(figure['share'])} ({figure['clips']})"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return None if np.isnan(value) else float(f"{value:.6g}")
    return value


CELLS = """\
*Cells never shown* are not figures of these weights but of those that `recipes/default/cells.yaml` makes, with fewer steps than \
the default's. Nothing of theirs, autoencoder and pre-training of the style encoder included, ever met these cells, their mirror \
twins or namesakes: {cells}."""

DEFINITIONS = """\
- *People's prompts*: no training caption equals one, which a test holds; captions were written in such words all the same, and \
some differ from a prompt by a word or by their order only.
- *Content and style read*: the likeliest of all classes of the score judge (contents of both sets and actions of the \
content set; fifteen styles), on clips at 20 fps, at most ten seconds.
- *FID*: Fréchet distance of the score judge's 128 features between generated and held-out clips in one mix (the held-out \
clips of every cell, at most four), covariances over n - 1; the ratio divides by the distance between training clips and \
held-out clips in that mix. It grows as sets shrink: compare equal numbers of clips only.
- *Foot skating*: share of frame steps in which a toe that lies within 3 cm of the clip's floor (5th percentile of both \
toes' heights) in both frames moves faster than 0.25 m/s over the ground.
- *Jerk, speed*: mean length of the third and the first difference of all joints in the world, over real clips of the mix.
- *Local joint error*: mean distance of the joints without the root, relative to the root and in the body's heading; \
*world*: of all joints, both clips starting at the origin.
- *R-precision, MM-Dist*: in the space of the motion-text evaluator, in pools of 32 clips whose captions all differ.
- *Content set's FID*: one half of the generated windows against the other half of the real ones (five halvings a repeat), \
over the same between real halves."""
