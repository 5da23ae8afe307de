"""Write every figure of README and docs from what was measured: no number is typed.

python scripts/publish_results.py build/results   # what `motifmix evaluate default --out build/results` wrote
python scripts/publish_results.py build/results --others build/trial build/paper   # beside other recipes' figures: of each,
                                                  # what `motifmix evaluate WEIGHTS --out build/NAME` wrote
python scripts/publish_results.py                 # again from docs/results.json, the copy that is kept
python scripts/publish_results.py --check         # exits with 1 where a page is not what this script would write

It writes docs/results.md with its chart, docs/model-card.md from the cards of the weights, the table between the
README's results markers, and the stages of docs/training.md from the heads of the recipes.
"""

import argparse
import json
import math
import re
import struct
from pathlib import Path
from typing import Any

import yaml

from motifmix.errors import MotifmixError
from motifmix.evaluation import tables
from motifmix.evaluation.metrics import Interval
from motifmix.evaluation.protocol import Results, Row
from motifmix.home import PACKAGE_WEIGHTS
from motifmix.pretrained.cards import weights_version

HOUSE = Path(__file__).resolve().parents[1]
README, DOCS = HOUSE / "README.md", HOUSE / "docs"
MEASURED, MEASURED_OTHERS = DOCS / "results.json", DOCS / "other_recipes.json"
PLAIN_REPEATS = 5
COMMAND = "python scripts/publish_results.py build/results"
RESULTS = ("<!-- results: begin; written by a command, never by hand -->", "<!-- results: end -->")
STAGES = ("<!-- stages: begin; written by scripts/publish_results.py -->", "<!-- stages: end -->")
HEAD = re.compile(r"# (what|command|time|expected): +(\S.*)", re.IGNORECASE)
NOT_MEASURED = "not measured"
OTHER_RECIPES = {
    "trial": "the trials' winner, style set alone (`trial.yaml`)",
    "paper": "the paper's recipe: frozen denoiser, own reference (`paper_base.yaml`, `paper.yaml`)",
}
OF_OTHERS = (
    "content_trained", "motion_natural_style", "motion_natural_content", "motion_natural_leak", "motion_fixed_style",
    "text_trained_style", "text_held_out_style", "fid_ratio", "skate_ratio", "jerk_ratio",
)  # fmt: skip


def read_json(path: Path, weights: Path) -> dict[str, Any]:
    """Read what the evaluation wrote. Raises ``MotifmixError`` where it measured other weights than the default ones."""
    content = json.loads(path.read_text("utf-8"))
    facts = content["facts"]
    if facts["name"] != "default":
        # The same files may have been measured in another folder, whose path is nobody's business.
        if facts["version"] != weights_version(weights):
            raise MotifmixError(f"{path}: these are figures of other weights than {weights}; run `{evaluation(None)}`")
        facts["name"] = "default"
    return content


def results_of(content: dict[str, Any]) -> Results:
    """Return the results as the evaluation knows them; a missing half width comes back as not-a-number."""
    rows = {}
    for key, row in content["rows"].items():
        ours = row["ours"]
        interval = Interval(_number(ours["mean"]), _number(ours["half_width"]), tuple(map(_number, ours["values"])))
        bounds = row["real_bounds"]
        rows[key] = Row(
            row["key"], interval, row["clips"], row["real"], tuple(bounds) if bounds else None, row["real_clips"]
        )
    cells = {c: {s: _number(v) for s, v in styles.items()} for c, styles in content["cells"].items()}
    return Results(rows, cells, content["judge_numbers"], content["retrieval_numbers"], content["facts"])


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def evaluation(results: Results | None) -> str:
    """The command that measured; of options, those that the results show."""
    command = "motifmix evaluate default"
    if results is not None and results.facts["repeats"] != PLAIN_REPEATS:
        command += f" --repeats {results.facts['repeats']}"
    if results is not None and any(key.startswith("prompts_") for key in results.rows):
        command += " --prompts prompts_public.json"
    if results is not None and results.facts.get("cells"):
        command += " --cells weights-cells"
    return command + " --out build/results"


# --- results


def read_others(folders: list[Path]) -> dict[str, Any]:
    """Read what ``motifmix evaluate FOLDER --out`` wrote for other recipes, by the recipe that made the weights.

    Raises ``MotifmixError`` for a folder without results, and for one of a recipe that has no row.
    """
    read: dict[str, Any] = {}
    for folder in folders:
        path = folder / "results.json"
        if not path.is_file():
            raise MotifmixError(f"{path}: there are no results; run `motifmix evaluate WEIGHTS --out {folder}` first")
        content = json.loads(path.read_text("utf-8"))
        name = Path(content["facts"]["name"]).name.removeprefix("weights-")
        if name not in OTHER_RECIPES:
            raise MotifmixError(f"{path}: these are figures of {name!r}; rows are kept for {', '.join(OTHER_RECIPES)}")
        content["facts"]["name"] = name
        read[name] = {"facts": content["facts"], "rows": {k: v for k, v in content["rows"].items() if k in OF_OTHERS}}
    return read


def kept_others() -> dict[str, Any]:
    """The figures of other recipes that docs keeps."""
    return json.loads(MEASURED_OTHERS.read_text("utf-8")) if MEASURED_OTHERS.exists() else {}


def others_table(results: Results, others: dict[str, Any]) -> str:
    """The default beside other recipes, measured alike on the same archive; empty where none was measured."""
    shown = {
        name: results_of({"cells": {}, "judge_numbers": {}, "retrieval_numbers": {}, **content})
        for name, content in others.items()
    }
    columns = {"the default": results, **{OTHER_RECIPES[name]: own for name, own in shown.items()}}
    table = [f"| figure | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for line in (line for line in tables.TARGETS if line.key in OF_OTHERS):
        cells = [_reached(line, r.rows[line.key]) if line.key in r.rows else NOT_MEASURED for r in columns.values()]
        table.append(f"| {line.words} | {' | '.join(cells)} |")
    repeats = ", ".join(f"{name} {own.facts['repeats']}" for name, own in shown.items())
    return (
        "## Other recipes on the same archive\n\nEach in a few minutes of training (the recipes' heads say how many; the default "
        "takes hours), so they show what such a budget buys, not what a recipe can reach; one autoencoder for all, the "
        "default's ([the paper's own, one token for a clip](autoencoders.md), stands beside it elsewhere). The trials' winner is rebuilt "
        "from its description, with our captions, noise on texts and batch. Measured by `motifmix evaluate "
        f"weights-NAME --out build/NAME`. Repeats: {repeats}.\n\n" + "\n".join(table)
    )


def results_page(results: Results, others: dict[str, Any]) -> str:
    """The whole tables, other recipes beside them, and the targets that nothing was measured for."""
    page = tables.as_markdown(results, evaluation(results), picture="results.png").rstrip()
    missing = [line for line in tables.TARGETS if line.key not in results.rows]
    if missing:
        lines = "\n".join(f"- {line.words} (target {line.aim})" for line in missing)
        page += f"\n\n## Targets that this run did not measure\n\n{lines}"
    if others:
        page += "\n\n" + others_table(results, others)
    return f"{page}\n\nPut here by `{COMMAND}` from `docs/results.json`, the figures of that run.\n"


def short_table(results: Results) -> str:
    """The targets with what was reached, for the README."""
    rows = ["| figure, on held-out clips | target | reached | | real clips |", "|---|---|---|---|---|"]
    met = measured = 0
    for line in tables.TARGETS:
        row = results.rows.get(line.key)
        if row is None:
            rows.append(f"| {line.words} | {line.aim} | {NOT_MEASURED} | | – |")
            continue
        fits = line.met is not None and line.met(row.ours.mean)
        met, measured = met + fits, measured + 1
        real = "–" if row.real is None else line.form(row.real)
        rows.append(
            f"| {line.words} | {line.aim} | {_reached(line, row)} | {'✓' if fits else 'not reached'} | {real} |"
        )
    said = (
        f"{met} of {len(tables.TARGETS)} targets are reached, {measured - met} are not"
        + (f", {len(tables.TARGETS) - measured} were not measured" if measured < len(tables.TARGETS) else "")
        + f". Means over {results.facts['repeats']} repeats with 95 % confidence intervals (the autoencoder's over clips); a "
        "target counts as reached where the mean reaches it. Measured by "
        f"`{evaluation(results)}` and put here by `{COMMAND}`."
    )
    return "\n".join(rows) + f"\n\n{said}"


def _reached(line: tables.Line, row: Row) -> str:
    text = line.form(row.ours.mean)
    return text if math.isnan(row.ours.half_width) else f"{text} ± {line.form(row.ours.half_width)}"


def readme_part(results: Results) -> str:
    """What stands between the README's markers."""
    return (
        f"{short_table(results)}\n\nAll tables, how far the judges can be trusted, and what the words mean: "
        "[docs/results.md](docs/results.md). Parts, data, licence, recipes and checksums of the weights: "
        "[docs/model-card.md](docs/model-card.md)."
    )


# --- model card


def model_card(results: Results, weights: Path, judges: Path) -> str:
    """The page about the default weights: from their cards, the recipes' heads and the results."""
    cards = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(weights.glob("*.yaml"))}
    if not cards:
        raise MotifmixError(f"{weights}: there are no cards of weights; make them, or name another folder (--weights)")
    if "bank" not in cards:
        raise MotifmixError(f"{weights / 'bank.yaml'}: the card is missing; it names what the model knows")
    judge_cards = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted(judges.glob("*.yaml"))}
    text_encoder = yaml.safe_load((PACKAGE_WEIGHTS / "minilm" / "card.yaml").read_text("utf-8"))
    bank = cards["bank"]["extra"]
    sections = [
        "# Model card: the default weights",
        f"Written by `{COMMAND}` from the cards of the weights, the heads of the recipes and `docs/results.json`; do not "
        "edit.",
        _what(results, weights),
        "## Parts\n\n" + _parts(cards, weights),
        f"Sentences are read by {text_encoder['name']} ({text_encoder['licence']}); its cosine to the original is "
        f"{text_encoder['numbers']['cosine_mean']} on average and {text_encoder['numbers']['cosine_least']} at least, over "
        f"{text_encoder['numbers']['sentences']} sentences.",
        "## What it knows\n\n" + _known(bank),
        INTENDED,
        "## Limits\n\n" + _limits(),
        "## Data and licence\n\n" + _data(cards, text_encoder),
        "## Recipes\n\n"
        + stages(expected=True)
        + "\n\n`make weights` runs those with a number, `make beside` the others; [training](training.md) says how.",
        "## Numbers\n\n"
        + short_table(results)
        + "\n\nWhat the words mean and how far a judge can be trusted: [results](results.md).",
        _judges(judge_cards, judges),
        "## Checksums\n\n" + _checksums(cards, weights, judge_cards, judges),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _what(results: Results, weights: Path) -> str:
    from motifmix.pipelines import sampling
    from motifmix.pipelines import text_to_motion as pipeline

    same = results.facts.get("version") == weights_version(weights)
    measured = (
        "The figures below were measured on exactly these files; those of *cells never shown* on others of less training, "
        "which [results](results.md) describes."
        if same
        else "**The figures below were measured on other weights** "
        f"(version {results.facts.get('version')}, these are {weights_version(weights)})."
    )
    return (
        "A text and a style in, a motion of one person out: latent diffusion over the tokens of a motion autoencoder "
        "(MLD), with style fused into the denoiser by cross normalisation (StyleMotif). The style is a word, a sentence or "
        f"a motion; the length is {pipeline.SHORTEST:g} to {pipeline.LONGEST:g} s, chosen by a network where nobody says it. "
        f"{sampling.STEPS} denoising steps, guided by text ({sampling.TEXT_SCALE:g}) and style ({sampling.STYLE_SCALE:g}); "
        "a clean-up afterwards takes the drift of resting feet out of the root's path, no joint angle is touched, and "
        f"`--raw` leaves it out.\n\n{measured}"
    )


def _parts(cards: dict[str, dict[str, Any]], weights: Path) -> str:
    rows = [
        "| part | architecture | sizes | numbers in it | file | recipe | commit |",
        "|---|---|---|---:|---:|---|---|",
    ]
    total_numbers = total_bytes = 0
    for name, card in cards.items():
        path = weights / f"{name}.safetensors"
        count, size = _count(path), path.stat().st_size
        total_numbers, total_bytes = total_numbers + count, total_bytes + size
        settings = {**card["sizes"], **{k: v for k, v in card["extra"].items() if isinstance(v, int | float | str)}}
        sizes = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in settings.items()) or "–"
        rows.append(
            f"| {name} | {card['architecture']} | {sizes} | {count:,} | {_megabytes(size)} | {card['recipe']} | "
            f"{card['commit'][:10]} |"
        )
    rows.append(f"| **all** | | | {total_numbers:,} | {_megabytes(total_bytes)} | | |")
    spaces = ", ".join(f"`{space}`" for space in sorted({card["space"] for card in cards.values()}))
    return (
        "\n".join(rows)
        + f"\n\nFeature space {spaces} ([representations](representations.md)), 20 fps. Half precision on disk; *numbers* are "
        "parameters and statistics together."
    )


def _count(path: Path) -> int:
    """How many numbers a safetensors file holds, from its header."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    return sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _known(bank: dict[str, Any]) -> str:
    parts = ["Styles, with their training clips:"]
    parts.append(", ".join(f"{style['name']} ({style['clips']})" for style in bank["styles"]) + ".")
    parts.append("Contents, with their training clips:")
    parts.append(", ".join(f"{content['name']} ({content['clips']})" for content in bank["contents"]) + ".")
    parts.append(
        "Other words find the nearest of them in the space of sentences, and the command says which one where that is far. "
        "`motifmix styles` lists the synonyms, and films each style with `--out styles.mp4`."
    )
    return "\n\n".join(parts)


INTENDED = """\
## What it is for

Sketching and studying stylised motion: previews of characters, data for experiments, a baseline that is trained and \
measured in the open. Research and other non-commercial use; the licence follows the data.

It is not for judging, recognising or imitating people. The names of styles are those of the recordings: what *feminine*, \
*masculine*, *elderly* or *chimpira* look like here is how a few actors played the word, not how people move."""


def _limits() -> str:
    from motifmix.apps.requests import MAX_TEXT
    from motifmix.pipelines.text_to_motion import LONGEST, SHORTEST

    lines = [
        f"One person on a flat floor, {SHORTEST:g} to {LONGEST:g} s; longer requests are refused with a sentence. No objects, "
        "no partner, no given path; who climbs does so in the air, as nothing is drawn to climb.",
        "One action a sentence. A list of actions, counts, places and speeds are read by a sentence encoder as a whole and "
        "met loosely or not at all.",
        "No fingers and no face: the skeleton ends in wrists, head and toes, one adult body for everybody.",
        "Styles with few training clips (the table above) are rough, and rougher on contents that they were never recorded "
        "with. A reference motion helps most where it resembles the training recordings.",
        "Actions with few clips come out generic. English only.",
        "Punches hardly stretch the arm, and a ball is mostly not kicked ([what is done of what is asked](actions.md)). "
        "Sitting down is known from few recordings, on chairs, stools and the floor.",
        "Styles that were recorded on walks and waves cost other actions, though they [join late](late_style.md) there: in *old* "
        "most kicks fail and not everybody sits down ([figures](actions.md)). What shows of a style in "
        "such actions is less than in walks, and no judge here can say how much of it a person would name.",
        "Words of place that few sentences of the archives hold still take a walk away now and then, woods most; who walks a dog "
        "does not walk ([actions](actions.md)).",
        f"A text of up to {MAX_TEXT:,} characters is taken; the longer it is, the less of it is met.",
        "Actor, recording day and style cannot be told apart in the style set: part of what counts as a style here is the "
        "actor. The probes in the results say how far.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _data(cards: dict[str, dict[str, Any]], text_encoder: dict[str, Any]) -> str:
    sets = sorted({name for card in cards.values() for name in card["data"]})
    licences = list(dict.fromkeys(card["licence"] for card in cards.values()))
    credit = list(dict.fromkeys(line for card in cards.values() for line in card["credit"]))
    lines = [
        f"Trained on the sets {', '.join(f'`{name}`' for name in sets)} and nothing else ([data](data.md): what is in them, "
        "splits, exclusions).",
        "Licence: " + "; ".join(licences) + ". The whole of it: `src/motifmix/weights/LICENSE.md`. Code: Apache-2.0.",
        "Credit, to be carried on:",
        "\n".join(f"- {line}" for line in credit),
    ]
    return "\n\n".join(lines)


def recipe_head(path: Path) -> dict[str, str]:
    """What the first comment lines of a recipe say, continued lines joined."""
    head: dict[str, str] = {}
    last = ""
    for line in path.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        match = HEAD.match(line)
        if match:
            last = match[1].lower()
            head[last] = match[2].strip()
        elif last:
            head[last] += " " + line.lstrip("# ").strip()
    return head


def _judges(cards: dict[str, dict[str, Any]], folder: Path) -> str:
    if not cards:
        return ""
    rows = ["| judge | role | network | seed | numbers in it | recipe | commit |", "|---|---|---|---:|---:|---|---|"]
    for name, card in cards.items():
        net = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in card["config"].items() if not isinstance(v, list))
        rows.append(
            f"| {name} | {card['role']} | {net} | {card['seed']} | {_count(folder / f'{name}.safetensors'):,} | "
            f"{card['recipe']} | {card['commit'][:10]} |"
        )
    return (
        "## Judges\n\nRecognisers of content and style and a motion-text evaluator, trained here on the training side of the split, each "
        "with its own seed and its own batches. They read joint positions on one skeleton, so that a body's proportions "
        "tell nothing; body size, lean, speed, mirrored twins and noise are drawn anew for every batch. A judge has one "
        "role, written in its card: *guide* may lead a training, *select* may choose checkpoints and settings, *score* does "
        "nothing but score, and the code refuses one judge in two roles. What falls from real clips of one set to the other, "
        "and on contents that a judge never saw, stands in [results](results.md).\n\n" + "\n".join(rows)
    )


def _checksums(
    cards: dict[str, dict[str, Any]], weights: Path, judge_cards: dict[str, dict[str, Any]], judges: Path
) -> str:
    from motifmix.pretrained.cards import checksum

    rows = ["| file | sha256 |", "|---|---|"]
    for folder, own in ((weights, cards), (judges, judge_cards)):
        for name, card in own.items():
            path = folder / f"{name}.safetensors"
            if checksum(path.read_bytes()) != card["sha256"]:
                raise MotifmixError(f"{path}: the checksum is not the card's; restore the file")
            rows.append(f"| {folder.name}/{path.name} | `{card['sha256']}` |")
    return "\n".join(rows)


# --- stages of training


def stages(expected: bool = False) -> str:
    """The recipes of `make weights` in their order, and those beside them, with times from their heads."""
    line = re.search(r"^STAGES := (.+)$", (HOUSE / "Makefile").read_text("utf-8"), re.MULTILINE)
    if line is None:
        raise MotifmixError("Makefile: the line 'STAGES := ...' is missing; it orders the recipes")
    folder = HOUSE / "recipes" / "default"
    order = [folder / f"{name}.yaml" for name in line[1].split()]
    others = [path for path in sorted(folder.glob("*.yaml")) if path not in order]
    columns = ("what", "time", "expected") if expected else ("what", "time")
    rows = [f"| | recipe | {' | '.join(columns)} |", "|---:|---" + "|---" * len(columns) + "|"]
    for number, path in enumerate([*order, *others], start=1):
        head = recipe_head(path)
        place = str(number) if path in order else "–"
        rows.append(f"| {place} | `{path.name}` | " + " | ".join(head[name] for name in columns) + " |")
    return "\n".join(rows)


# --- pages


def between(page: str, markers: tuple[str, str], content: str, name: str) -> str:
    """Return a page with what stands between its markers replaced."""
    head, begin, rest = page.partition(markers[0])
    _, end, tail = rest.partition(markers[1])
    if not begin or not end:
        raise MotifmixError(f"{name}: the markers '{markers[0]}' and '{markers[1]}' are missing; put them back")
    return f"{head}{begin}\n{content}\n{end}{tail}"


def training_pages() -> dict[Path, str]:
    """The page whose tables need no results."""
    path = DOCS / "training.md"
    return {path: between(path.read_text("utf-8"), STAGES, stages(), path.name)}


def result_pages(results: Results, weights: Path, judges: Path, others: dict[str, Any]) -> dict[Path, str]:
    """Every page that shows what was measured."""
    return {
        DOCS / "results.md": results_page(results, others),
        DOCS / "model-card.md": model_card(results, weights, judges),
        README: between(README.read_text("utf-8"), RESULTS, readme_part(results), README.name),
    }


def main(arguments: list[str] | None = None) -> None:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="?", help="folder or JSON of the evaluation; else the copy in docs")
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="folders of other recipes' evaluations")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is out of date")
    parser.add_argument("--weights", type=Path, default=PACKAGE_WEIGHTS / "default")
    parser.add_argument("--judges", type=Path, default=PACKAGE_WEIGHTS / "judges")
    parser.add_argument("--into", type=Path, help="a folder for the pages instead of their places, for a look")
    chosen = parser.parse_args(arguments)
    try:
        raise SystemExit(_published(chosen))
    except MotifmixError as error:
        raise SystemExit(f"publish_results: {error}") from None


def _published(chosen: argparse.Namespace) -> str | None:
    source: Path = chosen.results or MEASURED
    source = source / "results.json" if source.is_dir() else source
    pages, content, results = training_pages(), {}, None
    others = kept_others()
    if source.is_file():
        content = read_json(source, chosen.weights)
        results = results_of(content)
        others |= read_others(chosen.others)
        pages |= result_pages(results, chosen.weights, chosen.judges, others)
    elif chosen.results:
        return f"{source}: there are no results; run `{evaluation(None)}` first"
    if chosen.check:
        stale = [path for path, text in pages.items() if not path.exists() or path.read_text("utf-8") != text]
        names = ", ".join(path.relative_to(HOUSE).as_posix() for path in stale)
        return f"out of date: {names}; run `python scripts/publish_results.py`" if stale else None
    if results is None:
        print(f"{MEASURED.relative_to(HOUSE)} is not there yet: of the pages, those that need no results")
    place = chosen.into or DOCS
    place.mkdir(parents=True, exist_ok=True)
    if results is not None:
        kept = place / MEASURED.name
        if source.resolve() != kept.resolve():
            kept.write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
        if others:
            (place / MEASURED_OTHERS.name).write_text(json.dumps(others, indent=1, ensure_ascii=False), "utf-8")
        tables.draw_cells(results, place / "results.png")
    for path, text in pages.items():
        target = path if chosen.into is None else place / path.name
        target.write_text(text, "utf-8")
        print(target.relative_to(HOUSE) if target.is_relative_to(HOUSE) else target.name)
    return None


if __name__ == "__main__":
    main()
