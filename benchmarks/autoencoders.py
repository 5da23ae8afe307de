"""The default autoencoder beside the paper's kind: what is left of held-out clips.

    python benchmarks/autoencoders.py           # writes docs/autoencoders.json and docs/autoencoders.md
    python benchmarks/autoencoders.py --page    # writes the page again from the JSON

Every held-out clip of both sets, its first ten seconds, through the posterior mean: mean local joint error, as
`motifmix evaluate default` has it. Needs the prepared sets bandai and cmu and the weights that are named below.
"""

from pathlib import Path

import numpy as np
import page_of
import torch

from motifmix.data.feature_cache import FeatureCache
from motifmix.data.prepared import Prepared
from motifmix.features.space import Normaliser
from motifmix.home import PACKAGE_WEIGHTS, home
from motifmix.models.mld_vae import MotionVAE
from motifmix.models.temporal_vae import STRIDE
from motifmix.pretrained.build import load_part
from motifmix.training.objectives.vae import reconstruction_error

SETS = {"bandai": "style set", "cmu": "content set"}
LEAST = 20  # frames of a clip


def rows() -> dict[str, tuple[Path, str]]:
    """Return title, folder and part of every autoencoder."""
    return {
        "default": (PACKAGE_WEIGHTS / "default", "vae"),
        "one token a clip (`vae_one_token.yaml`)": (home() / "weights-one-token", "vae_one_token"),
    }


def measured() -> dict:
    """Reconstruct every held-out clip."""
    caches = {name: FeatureCache(Prepared(home() / "data" / name)) for name in SETS}
    found = {}
    for title, (folder, part) in rows().items():
        card, network, statistics = load_part(folder, part)
        normaliser = Normaliser(statistics["mean"].numpy(), statistics["std"].numpy())
        network.eval()
        errors = {}
        for name, cache in caches.items():
            entries = cache.entries(cache.prepared.select(split="test", mirrored=False))
            each = [reconstruction_error(network, normaliser, cache.window(e)) for e in entries if e.frames >= LEAST]
            errors[name] = {
                "mean": float(np.mean(each)),
                "half_width": float(1.96 * np.std(each) / len(each) ** 0.5),
                "clips": len(each),
            }
        numbers = latent_numbers(network)
        found[title] = {
            "errors": errors,
            "parameters": sum(p.numel() for p in network.parameters()),
            "numbers": numbers,
            "commit": card.commit,
        }
        print(title, {name: round(own["mean"], 1) for name, own in errors.items()}, flush=True)
    return found


def latent_numbers(network: torch.nn.Module) -> int:
    """Return how many numbers a clip of ten seconds becomes."""
    if isinstance(network, MotionVAE):
        return network.latent_tokens * network.width
    latent = network.latent
    assert isinstance(latent, int)
    return 200 // STRIDE * latent


def page(found: dict) -> str:
    """Return the page."""
    first, second = found.values()
    ratios = [second["errors"][name]["mean"] / first["errors"][name]["mean"] for name in SETS]
    lines = [
        "# One token a clip, or one every 0.2 s",
        "",
        "`python benchmarks/autoencoders.py` wrote this page; all figures are in [autoencoders.json](autoencoders.json).",
        "",
        "MLD and StyleMotif make one token of a whole clip; the default model has one every 0.2 s "
        "([why](adr/0003-temporal-latents.md)). Here the paper's kind stands beside it: MLD's network at a laptop's size, with the same "
        "losses, the same data and about as many parameters, trained about as long as `vae.yaml` (the default's decoder went on "
        "for 25 minutes more, `vae_decoder.yaml`). Mean local joint error of all held-out clips "
        f"of {LEAST} frames and more, their first ten seconds, with 95 % intervals over clips.",
        "",
        "| autoencoder | " + " | ".join(SETS.values()) + " | numbers for ten seconds | parameters |",
        "|---|" + "---|" * (len(SETS) + 2),
    ]
    for title, row in found.items():
        cells = [
            f"{own['mean']:.1f} ± {own['half_width']:.1f} mm ({own['clips']} clips)"
            for own in (row["errors"][name] for name in SETS)
        ]
        lines.append(f"| {title} | {' | '.join(cells)} | {row['numbers']:,} | {row['parameters']:,} |")
    lines += [
        "",
        f"The error of one token is {min(ratios):.1f} to {max(ratios):.1f} times the default's: at this size and in this time a clip "
        "does not fit into one token. Longer training would narrow that; how far, this page does not say.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    page_of.run("autoencoders", __doc__, measured, page)
