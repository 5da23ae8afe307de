"""How the default model samples: everything beside texts, styles, lengths and seeds, with what suits nearly everybody.

``strength`` is the one knob for people; these are for those who look inside. Nothing here imports torch.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from motifmix.errors import RequestError

STEPS = 8  # of second order; benchmarks/solvers.py shows what fewer and more change
SHIFT = 1.5
TEXT_SCALE, STYLE_SCALE = 2.0, 1.5
LATE, LATE_TEXT = 0.6, 2.0
"""Where a style joins whose content hardly any training clip shows in styles, and how many times as strongly its text guides
there. What is known of such a style is how one walks and waves in it: told from the first step on, an old man who should sit
down walks (docs/late_style.md). The style's own length is left out for the same reason: he would get up again to fill it."""
IN_STYLES = 5  # a content that training showed in fewer styles is not known in them
CHOSEN = (STEPS, SHIFT, TEXT_SCALE, STYLE_SCALE, LATE, LATE_TEXT, IN_STYLES)
"""What nobody has to say: part of what kept clips are called by, as other choices make other clips of the same weights."""
TRANSFER_STEPS, TRANSFER_DEPTH = 16, 0.72  # of a style transfer; chosen by `benchmarks/transfer.py --judge select`
_RANGES = {
    "steps": (1, 1000, f"denoising steps; {STEPS} suit, {TRANSFER_STEPS} in a transfer"),
    "shift": (0.1, 10.0, f"above 1 spends more of the steps near the noise; {SHIFT:g} suits"),
    "text_scale": (0.0, 20.0, f"how strongly the text guides; {TEXT_SCALE:g} suits"),
    "style_scale": (0.0, 20.0, f"how strongly the style guides; {STYLE_SCALE:g} suits"),
    "style_start": (0.3, 1.0, "1 is from the first step on; later than 0.3 its scale would tear the motion"),
    "gamma": (0.0, 10.0, "how much of the style is fused; 0.6 was trained"),
    "block": (1, 64, "the fusion stands after one of the denoiser's blocks, 1 is the first"),
    "gradient": (0.0, 2.0, "0 is none"),
    "depth": (0.01, 1.0, f"how far towards the noise a motion is taken; {TRANSFER_DEPTH:g} suits"),
}
_WHOLE = ("steps", "block")
MEASURED = {"gamma": 1.0, "style_scale": 4.0, "gradient": 1.0}
"""The most of a setting that docs/ablation.md measured. More is allowed, for who wants to see it, but not in silence."""
BY_STRENGTH, BY_STRENGTH_IN_TRANSFER = ("gamma", "gradient"), ("style_scale", "gradient")
"""The settings that the strength is a factor on, in a motion made from nothing and in a transfer."""


@dataclass(frozen=True)
class Sampling:
    """Settings of a sampling; None stands for what the weights were trained with, or for a learned one.

    ``text_scale`` (None: ``TEXT_SCALE``) and ``style_scale`` guide without a classifier. The style joins where the noise
    has sunk to the time ``style_start`` and then has its scale divided by it, so that it says as much in fewer steps; None:
    as the content asks, and so does then a text's scale that nobody gives (:data:`LATE`, :data:`LATE_TEXT`). ``gamma`` is
    the fusion's share of the style and ``block`` the block after which it stands (m); ``gradient`` is the classifier's part
    of the hybrid guidance (see ``style/style_pull.py``). Raises ``RequestError`` for what is out of range.
    """

    steps: int = STEPS
    shift: float = SHIFT
    text_scale: float | None = None
    style_scale: float = STYLE_SCALE
    style_start: float | None = None
    gamma: float | None = None
    block: int | None = None
    gradient: float = 0.0

    @property
    def text_guidance(self) -> float:
        """The text's scale where no style joins late."""
        return TEXT_SCALE if self.text_scale is None else self.text_scale

    def __post_init__(self) -> None:
        for field in fields(self):
            check(field.name, getattr(self, field.name))


NAMES = tuple(field.name for field in fields(Sampling))
"""The settings by name, as batch tables have them for columns."""


def check(name: str, value: Any) -> float | int | None:
    """Return one setting as a number. Raises ``RequestError`` where it is none, or out of range."""
    if value is None:
        return None
    low, high, meaning = _RANGES[name]
    limits = f"{name.replace('_', '-')} goes from {low:g} to {high:g} ({meaning})"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RequestError(f"{limits}; {str(value)[:80]!r} is no number") from None
    if not isfinite(number) or not low <= number <= high:
        raise RequestError(f"{limits}; {number:g} was asked")
    if name in _WHOLE and number != int(number):
        raise RequestError(f"{limits}, as a whole number; {number:g} was asked")
    return int(number) if name in _WHOLE else number


def beyond_measured(
    given: Mapping[str, float | int], strength: float = 1.0, by_strength: Collection[str] = BY_STRENGTH
) -> str | None:
    """Return a sentence where settings, with the strength on those that it scales, go beyond :data:`MEASURED`."""
    far = []
    for name, most in MEASURED.items():
        factor = strength if name in by_strength else 1.0
        times = f" times the strength {strength:g}" if factor != 1 else ""
        if (
            name == "style_scale" and given.get("style_start", 1.0) < 1.0
        ):  # a style that joins late has its scale divided
            factor, times = factor / given["style_start"], f"{times} over the style's start {given['style_start']:g}"
        if name in given and given[name] * factor > most:
            far.append(f"--{name.replace('_', '-')} {given[name]:g}{times} (measured up to {most:g})")
    if not far:
        return None
    return f"{' and '.join(far)}: this is beyond what was measured (docs/ablation.md), and bodies may break"
