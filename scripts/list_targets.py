"""Write docs/style_targets.md: what StyleMotif's tables aimed at, what was reached, and where it was not.

    python scripts/list_targets.py             # docs/style_targets.md
    python scripts/list_targets.py --check     # says whether the page is of today's figures; writes nothing

Nothing is measured here: figures are those of the JSON files beside the pages. A target counts as reached where the figure
reaches it, whatever the interval.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "style_targets.md"
HEAD = """\
# What was aimed at, and what was reached

Written by `python scripts/list_targets.py` from the figures of the pages that it links to. The targets of the main job stand on
[the results page](results.md), those of two people on [theirs](mixermdm.md). The first rows compare StyleMotif with SMooDi on one
frozen base, without and with hybrid guidance, as the paper does; [what the tables say of each other](style_compared.md) has
the differences with their intervals.

| | target | reached | | page |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Target:
    """A line: what is aimed at in words, the figure in words, and whether it is reached; None where that cannot be said."""

    what: str
    aim: str
    figure: str
    reached: bool | None
    page: str


def share(value: float, digits: int = 0) -> str:
    """Return a share as the pages write it."""
    return f"{100 * value:.{digits}f} %"


def read(name: str) -> Any:
    """Return a page's figures."""
    return json.loads((DOCS / f"{name}.json").read_text("utf-8"))


def targets() -> Iterator[Target]:
    """Yield the lines in the order of the tables."""
    yield from _against_smoodi()
    yield from _transfer()
    yield from _video()
    yield from _past_the_paper()
    yield from _speed()


def _figures(table: dict[str, Any], key: str, name: str) -> float:
    (row,) = (row for row in table["rows"] if row["key"] == key)
    return row["figures"][name]["mean"]


def _table(study: str, title: str) -> dict[str, Any]:
    (found,) = (table for table in read(study)["tables"] if table["title"] == title)
    return found


def _against_smoodi() -> Iterator[Target]:
    for title, where in (
        ("content set", "contents without styled recordings"),
        ("style set", "the style set's contents"),
    ):
        table = _table("stylization", f"On one frozen base: {title}")
        for name, words, percent, more in (
            ("sra", "style recognised", True, True),
            ("fid", "FID", False, False),
            ("skate", "foot skating", True, False),
        ):
            plain, hybrid, other = (_figures(table, key, name) for key in ("stylemotif", "stylemotif-hybrid", "smoodi"))
            best = max(plain, hybrid) if more else min(plain, hybrid)
            said = [share(v, 1) if percent else f"{v:.3g}" for v in (plain, hybrid, other)]
            yield Target(
                f"{words}, {where}", f"{'above' if more else 'no worse than' if name == 'skate' else 'below'} SMooDi's {said[2]}",
                f"{said[0]}, hybrid {said[1]}", best > other if more else best <= other, "stylization",
            )  # fmt: skip
    rows = _table("efficiency", "On one frozen base")
    own, other = (_figures(rows, key, "trained") for key in ("stylemotif", "smoodi"))
    less = 1 - own / other
    yield Target(
        "parameters trained for style", "40 % fewer than SMooDi's", f"{share(less)} fewer", less >= 0.4, "efficiency"
    )


def _transfer() -> Iterator[Target]:
    for title, where in (
        ("Content set", "contents without styled recordings"),
        ("Style set", "the style set's contents"),
    ):
        table = _table("transfer", title)
        own, other, joint, before = (
            _figures(table, key, "sra") for key in ("stylemotif", "smoodi", "joint", "untouched")
        )
        kept, was = (_figures(table, key, "content") for key in ("joint", "untouched"))
        yield Target(
            f"transfer, style recognised, {where}", f"above SMooDi's {share(other, 1)}",
            f"{share(own, 1)} (default model {share(joint, 1)}, untouched recordings {share(before, 1)})", own > other, "transfer",
        )  # fmt: skip
        yield Target(
            f"transfer, content of the recording still read, {where}", "none was set",
            f"default model {share(kept, 1)}, untouched recordings {share(was, 1)}", None, "transfer",
        )  # fmt: skip


def _video() -> Iterator[Target]:
    found = read("video_style")
    rows, other = found["rows"], found["elsewhere"]["set 1"]
    front, back, clips = (rows[name] for name in ("front and sides", "back", "recording"))
    yield Target(
        "style of a person in a film, front and sides, set 2's styles, on a walk generated in it", "80 %",
        f"{share(front['generated'])} ({front['clips']} films; back {share(back['generated'])}, the same clips as BVH "
        f"{share(clips['generated'])}); set 1's styles {share(other['film']['generated'])} (BVH {share(other['recording']['generated'])})",
        front["generated"] >= 0.8, "video_style",
    )  # fmt: skip


def _past_the_paper() -> Iterator[Target]:
    texts = _table("text-style", "Beside it: the jointly trained default model: content set")
    for name, where in (("sra", "contents without styled recordings"), ("sra_set_1", "the same, set 1's styles")):
        label, long = (_figures(texts, f"joint-{said}", name) for said in ("word", "description"))
        yield Target(
            f"long description of a style against its label, {where}", "within 5 points",
            f"{share(long)} against {share(label)}", label - long <= 0.05, "text-style",
        )  # fmt: skip
    scored = read("strength")["score"]
    (fixed, learned) = (next(scored[key] for key in scored if key.startswith(kind)) for kind in ("fixed", "learned"))
    yield Target(
        "learned strength against the best fixed γ", "more style at equal content and FID",
        f"style {share(learned['style'][0])} against {share(fixed['style'][0])}, content {share(learned['content'][0])} against "
        f"{share(fixed['content'][0])}", learned["style"][0] > fixed["style"][0] and learned["content"][0] >= fixed["content"][0],
        "strength",
    )  # fmt: skip
    unseen = read("unseen_styles")
    never, seen = (unseen["rows"]["all"][key]["style"][0] for key in ("never seen", "seen"))
    half = (unseen["chance"] + seen) / 2
    yield Target(
        "styles never seen",
        f"half-way from chance to seen: {share(half)}",
        f"{share(never)}",
        never >= half,
        "unseen_styles",
    )
    seconds = max(row["seconds"] for row in read("adopt").values())
    yield Target("a style adopted from one clip", "under 3 minutes", f"{seconds:.0f} s", seconds < 180, "adopt")
    sweep = read("sweeps")["line, evened"]
    yield Target(
        "a sweep between two styles, largest step over the mean step", "2", f"{sweep['worst']:.2f} at most of {sweep['sweeps']} sweeps",
        sweep["worst"] <= 2, "sweeps",
    )  # fmt: skip
    base = read("second_base")["second base"]["rows"]
    with_, without = base["with a style"], base["without a style"]
    yield Target(
        "a second base, stylised", "works",
        f"style {share(with_['style'][0])}, content {share(with_['content'][0])} (without a style {share(without['content'][0])}), "
        f"foot skating {share(with_['skating'])} (without {share(without['skating'])})", None, "second_base",
    )  # fmt: skip


def _speed() -> Iterator[Target]:
    for row in read("speed_of_style")["ratios"]:
        if row["target"] is None:
            continue
        fits = row["seconds"] <= row["target"]
        left = row["left_out"]
        yield Target(
            f"seconds, {row['name']}, {row['size']} size", f"{row['target']:g}",
            f"{row['seconds']:.3f}" + (f"; what {' and '.join(left)} cost in style is not measured" if left and fits else ""),
            None if left and fits else fits, "speed_of_style",
        )  # fmt: skip


def page() -> str:
    """Return the page."""
    lines = list(targets())
    marks = {True: "✓", False: "✗", None: "–"}
    rows = [f"| {t.what} | {t.aim} | {t.figure} | {marks[t.reached]} | [{t.page}]({t.page}.md) |" for t in lines]
    reached, missed = (sum(t.reached is which for t in lines) for which in (True, False))
    closing = f"{reached} reached, {missed} missed; – where no target was set or none can be told by these figures."
    return HEAD + "\n".join(rows) + f"\n\n{closing}\n"


def main() -> None:
    """Write the page, or compare."""
    said = page()
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text("utf-8") != said:
            sys.exit("docs/style_targets.md is not of these figures; run 'python scripts/list_targets.py'")
        return
    PAGE.write_text(said, "utf-8")


if __name__ == "__main__":
    main()
