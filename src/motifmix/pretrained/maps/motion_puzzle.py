"""Published names of Motion Puzzle: ``gen_*.pt`` under ``gen_ema`` (the averaged weights, used for tests) or ``gen``."""

import torch
from torch import Tensor

from motifmix.models.motion_puzzle import MotionPuzzle
from motifmix.pretrained.maps.key_map import KeyMap

_NETWORKS = {"enc_content": "content_encoder", "enc_style": "style_encoder", "dec": "decoder"}
_LEVELS = {"joint": "joint", "mid": "mid", "bodypart": "part", r"bottleneck\.res\.([01])": r"bottleneck.\1"}
_PARTS = {
    "leftleg": "left_leg",
    "rightleg": "right_leg",
    "spine": "spine",
    "leftarm": "left_arm",
    "rightarm": "right_arm",
}
_IN_ENCODERS = {r"gcn\.conv": "graph.channels", "tcn": "temporal"}
_IN_DECODER = {
    **{rf"gcn{n}\.conv": f"graph{n}.channels" for n in (1, 2)},
    **{f"tcn{n}": f"temporal{n}" for n in (1, 2)},
    **{
        rf"adain_{old}\.{within}": f"norms.{new}.{name}"
        for old, new in _PARTS.items()
        for within, name in ((r"to_latent\.1", "latent"), (r"inject\.0", "hidden"), (r"inject\.2", "statistics"))
    },
    **{
        rf"astyle_{old}\.{letter}": f"attentions.{new}.{name}"
        for old, new in _PARTS.items()
        for letter, name in (("f", "query"), ("g", "key"), ("h", "value"), ("k", "output"))
    },
}


def _renames() -> list[tuple[str, str]]:
    renames = []
    for old, new in _NETWORKS.items():
        renames += [
            *(
                (rf"{old}\.A_{letter}", f"{new}.graphs.{name}")
                for letter, name in zip("jmb", ("joint", "mid", "part"), strict=True)
            ),
            *(
                (rf"{old}\.edge_importance_{letter}", f"{new}.graphs.{name}_importance")
                for letter, name in zip(("j", "m", "b", "bt"), ("joint", "mid", "part", "bottleneck"), strict=True)
            ),
            (rf"{old}\.from_mot\.(weight|bias)", rf"{new}.input.\1"),
            (rf"{old}\.to_mot\.1\.(weight|bias)", rf"{new}.output.\1"),
            (rf"{old}\.down_JointToMid\.weight", f"{new}.to_mid"),
            (rf"{old}\.down_MidToBodypart\.weight", f"{new}.to_parts"),
            (rf"{old}\.up_BodypartToMid\.weight", f"{new}.to_mid"),
            (rf"{old}\.up_MidToJoint\.weight", f"{new}.to_joints"),
        ]
        for level, place in _LEVELS.items():
            last = 2 if "(" in level else 1  # number of the last group
            renames += [
                (rf"{old}\.{level}\.{within}\.(weight|bias)", rf"{new}.{place}.{name}.\{last}")
                for within, name in (_IN_DECODER if old == "dec" else _IN_ENCODERS).items()
            ]
    return renames


GENERATOR = KeyMap(renames=_renames(), computed=[r".*\.graphs\.(joint|mid|part)", r".*\.to_(mid|parts|joints)"])


def try_generator(model: MotionPuzzle) -> Tensor:
    """Restyle the shortest clip, its spine in its own style."""
    clip = torch.ones(1, model.content_encoder.input.in_channels, 21, model.content_encoder.shortest)
    return model(clip, 0.5 * clip, own_parts=[2])
