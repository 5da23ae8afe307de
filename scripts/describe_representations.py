"""Write the tables of ``docs/representations.md`` from the blocks that the code uses.

python scripts/describe_representations.py            # rewrites what stands between the markers
python scripts/describe_representations.py --check    # exits with 1 where the page is out of date
"""

import re
import sys
from pathlib import Path

from motifmix.features.humanml3d import HumanML3DSpace
from motifmix.features.interhuman import InterHumanSpace
from motifmix.features.own import MotifmixSpace
from motifmix.features.space import FeatureSpace

PAGE = Path(__file__).resolve().parents[1] / "docs" / "representations.md"
SPACES: tuple[FeatureSpace, ...] = (MotifmixSpace(), HumanML3DSpace(), InterHumanSpace())


def table(space: FeatureSpace) -> str:
    rows = [
        f"`{space.name}`: {space.dim} numbers a frame at {space.fps:g} fps",
        "",
        "| block | numbers | columns |",
        "|---|---:|---|",
    ]
    for name, part in space.blocks.items():
        columns = str(part.start) if part.stop == part.start + 1 else f"{part.start} to {part.stop - 1}"
        rows.append(f"| `{name}` | {part.stop - part.start} | {columns} |")
    return "\n".join(rows)


def rewritten(page: str) -> str:
    for space in SPACES:
        begin, end = f"<!-- blocks of {space.name} -->", "<!-- end of blocks -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(page):
            raise SystemExit(f"{PAGE} has no markers for {space.name}; add '{begin}' and '{end}'")
        page = pattern.sub(f"{begin}\n{table(space)}\n{end}", page)
    return page


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    fresh = rewritten(page)
    if "--check" in sys.argv[1:]:
        raise SystemExit(
            None if fresh == page else f"{PAGE} is out of date: run python scripts/describe_representations.py"
        )
    PAGE.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
