"""How far few steps end from where 200 end: Euler against the two-step solver, and levels shifted towards the noise.

    python benchmarks/solvers.py

Every content in some style, one noise each; prints the root mean square distance of the normalised latents.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from motifmix.data.captions import captions
from motifmix.data.labels import SET_2_CONTENTS, SET_2_STYLES
from motifmix.diffusion.condition import Condition, Part
from motifmix.diffusion.denoiser import Guided, Solver, sample_along
from motifmix.diffusion.solvers import TwoStep, ddim_step
from motifmix.pipelines.sampling import STYLE_SCALE, TEXT_SCALE
from motifmix.pipelines.text_to_motion import load

TOKENS = 20  # 4 s
STEPS = (5, 6, 8, 10, 12, 20)
SHIFTS = (1.0, 1.5, 2.0)
SOLVERS: dict[str, Callable[[], Solver]] = {"Euler": lambda: ddim_step, "two-step": TwoStep}


def main() -> None:
    model = load()
    count = len(SET_2_CONTENTS)
    everyone, valid = torch.ones(count, dtype=torch.bool), torch.ones(count, TOKENS, dtype=torch.bool)
    with torch.no_grad():
        texts = [captions(content)[0] for content in SET_2_CONTENTS]
        text, style, _ = model.vectors(texts, [SET_2_STYLES[n % len(SET_2_STYLES)] for n in range(count)])
    parts = {"text": Part(text, everyone), "style": Part(style, everyone)}
    condition = Condition({**parts, "strength": Part(torch.ones(count), everyone)})
    noise = torch.randn(count, TOKENS, model.vae.latent, generator=torch.Generator().manual_seed(0))
    guided = Guided(model.denoiser, [("text", TEXT_SCALE), ("style", STYLE_SCALE)])

    def end(steps: int, shift: float, solver: Solver) -> Tensor:
        *_, last = sample_along(guided, model.schedule.levels(steps, shift), noise, condition, valid, solver=solver)
        return last.noisy

    goal = end(200, 1.0, ddim_step)
    print("steps  " + "  ".join(f"{name}, shift {shift:g}" for name in SOLVERS for shift in SHIFTS))
    for steps in STEPS:
        distances = [
            float((end(steps, shift, make()) - goal).square().mean().sqrt())
            for make in SOLVERS.values()
            for shift in SHIFTS
        ]
        print(f"{steps:5d}  " + "  ".join(f"{distance:16.4f}" for distance in distances), flush=True)


if __name__ == "__main__":
    main()
