"""Put the models of two people that training left below MOTIFMIX_HOME into the package, and write their card for people.

python scripts/ship_duets.py [--mixer weights-duets-mixer-familiar]     # src/motifmix/weights/duet, docs/duet-models.md
python scripts/ship_duets.py --page                            # the page alone, from what the package holds

What is copied is checked first: every file against its card, the Mixer against the models that it was trained between, roles,
and the size of all together. Weights enter the repository only when the tables get better; compare before.
"""

import argparse
import shutil
from pathlib import Path

from motifmix.errors import MotifmixError, WeightsError
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.pipelines.baselines.compositions import SHIPPED
from motifmix.pretrained.cards import Card, read_card, read_weights, weights_version

PAGE = Path(__file__).resolve().parents[1] / "docs" / "duet-models.md"
DUET = PACKAGE_WEIGHTS / "duet"
LARGEST = 25_000_000  # bytes of all of them
PARTS = {
    "interaction": ("denoiser", "statistics"),
    "individual": ("denoiser", "statistics"),
    "mixer": ("mixer",),
    "evaluator_interaction": ("evaluator",),
    "evaluator_individual": ("evaluator",),
    "evaluator_interaction_select": ("evaluator", "meanings"),
    "evaluator_individual_select": ("evaluator", "meanings"),
}
MAKES = {
    "interaction": "two people from a sentence for both and one for each",
    "individual": "one person from a sentence",
    "mixer": "how much of which of the two, for each step, person, frame and joint",
    "evaluator_interaction": "scores pairs, and nothing else",
    "evaluator_individual": "scores the people in pairs, and nothing else",
    "evaluator_interaction_select": "chooses guidance by pairs of the validation side, and from drafts; scores nothing",
    "evaluator_individual_select": "chooses guidance by the people in them, and from drafts; scores nothing",
}


def ship(sources: dict[str, Path]) -> None:
    """Check everything, then copy it. Raises ``WeightsError``; the package is as it was then."""
    for role, parts in PARTS.items():
        evaluates = "select" if role.endswith("select") else "score"
        wanted = evaluates if role.startswith("evaluator") else "generate"
        for part in parts:
            card, _ = read_weights(sources[role], part)
            if card.role != wanted:
                raise WeightsError(f"{sources[role]}: its card says role {card.role}; {role} has the role {wanted}")
    between = read_card(sources["mixer"] / "mixer.yaml").extra["trained_between"]
    for role in ("interaction", "individual"):
        if between[role] != weights_version(sources[role]):
            raise WeightsError(f"{sources['mixer']}: was trained with another {role} model; train the Mixer again")
    size = sum(
        (sources[role] / f"{part}.safetensors").stat().st_size for role, parts in PARTS.items() for part in parts
    )
    if size > LARGEST:
        raise WeightsError(f"{size / 1e6:.1f} MB are more than {LARGEST / 1e6:.0f}; train smaller models")
    for role, parts in PARTS.items():
        (DUET / role).mkdir(parents=True, exist_ok=True)
        for part in parts:
            for suffix in (".safetensors", ".yaml"):
                copy = DUET / role / f"{part}{suffix}"
                shutil.copyfile(sources[role] / f"{part}{suffix}", copy)
                copy.chmod(0o644)


def page() -> str:
    """The card for people, from the package's own cards."""
    cards = {role: read_card(DUET / role / f"{parts[0]}.yaml") for role, parts in PARTS.items()}
    credit = list(dict.fromkeys(line for card in cards.values() for line in card.credit))
    sizes = {role: sum(path.stat().st_size for path in (DUET / role).glob("*.safetensors")) for role in PARTS}
    lines = [
        "# Models of two people",
        "",
        "Written by `python scripts/ship_duets.py` from the cards beside the weights; do not edit. `motifmix duet` takes them.",
        "",
        "| part | what it does | network | data | recipe | commit | MB |",
        "|---|---|---|---|---|---|---:|",
        *(_row(role, card, sizes[role]) for role, card in cards.items()),
        "",
        f"Together {sum(sizes.values()) / 1e6:.1f} MB in fp16. The pairs of `duets` are **choreographed**: put together out of real "
        "single recordings, and the CMU takes that show two people ([data](data.md)). What each model knows that the other does "
        "not: [what there is to gain](composition-gain.md); how they do together: [compositions](composition.md).",
        "",
        "Licence: " + "; ".join(dict.fromkeys(card.licence for card in cards.values())) + ".",
        "",
        *(f"- {line}" for line in credit),
        "",
        "| file | sha256 |",
        "|---|---|",
        *(
            f"| {role}/{part}.safetensors | `{read_card(DUET / role / f'{part}.yaml').sha256}` |"
            for role, parts in PARTS.items()
            for part in parts
        ),
        "",
    ]
    return "\n".join(lines)


def _row(role: str, card: Card, size: int) -> str:
    net = card.architecture.split(":")[1]
    sizes = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in card.sizes.items() if k in ("width", "blocks", "heads"))
    return (
        f"| `{role}` | {MAKES[role]} | {net}, {sizes} | {', '.join(card.data)} | `{card.recipe}` | {card.commit[:10]} | "
        f"{size / 1e6:.1f} |"
    )


def main() -> None:
    """Ship, or write the page alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mixer", default=SHIPPED, help="the folder of the Mixer that is shipped")
    parser.add_argument("--page", action="store_true", help="write docs/duet-models.md from the package")
    chosen = parser.parse_args()
    sources = {role: home() / f"weights-duets-{role.replace('_', '-')}" for role in PARTS}
    sources["mixer"] = home() / chosen.mixer
    try:
        if not chosen.page:
            ship(sources)
        PAGE.write_text(page(), encoding="utf-8")
    except MotifmixError as error:
        raise SystemExit(f"ship_duets: {error}") from None
    print(PAGE)


if __name__ == "__main__":
    main()
