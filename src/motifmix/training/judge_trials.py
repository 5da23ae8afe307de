"""How far a judge can be trusted: what it reads on real clips that it never saw, in ever less familiar surroundings.

Held-out takes of known cells come first. Then probes, judges of the same making that are shown less: contents left out
altogether, one set only. Style, actor and recording day are confounded in the style set, so a probe that reads 100 %
within one set and far less in the other has learnt the day as well; the figures stand in the judge's card.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.evaluation.classes import CONTENT_CLASSES, STYLE_CLASSES
from motifmix.evaluation.metrics import distinct_pools, multimodal_distance, r_precision, share_bounds
from motifmix.evaluation.windows import captioned_windows
from motifmix.models.recogniser import Recogniser, TemporalConfig
from motifmix.models.retrieval_evaluator import RetrievalEvaluator
from motifmix.pretrained.judges import embed_motion_joints, joint_positions, read_joints
from motifmix.training.judge_pool import FPS, JudgePool, PoolClip, mirrored_joints
from motifmix.training.objectives.recognition import UNKNOWN, recognition_loss

# Left out together with their mirror images: a gait, a wave, a raised hand, a turn.
CONTENTS_LEFT_OUT = (
    "run", "wave-both-hands", "raise-up-left-hand", "raise-up-right-hand", "walk-turn-left", "walk-turn-right",
)  # fmt: skip
PROBE_BATCH = 32
PROBE_LEARNING_RATE = 2e-3
SHARED_STYLES = ("active", "elderly", "exhausted", "feminine", "masculine", "normal", "youthful")

Figures = dict[str, Any]


def real_clips(
    folder: Prepared, split: str | None, source: str, keep: Callable[[Clip], bool] = lambda clip: True
) -> JudgePool:
    """Gather original (not mirrored) clips of one source; ``split`` None means both sides."""
    sides = ("train", "test") if split is None else (split,)

    def wanted(clip: Clip) -> bool:
        return clip.source == source and clip.mirror_of is None and keep(clip)

    pools = [
        JudgePool.of([folder], CONTENT_CLASSES, STYLE_CLASSES, side, wanted)
        for side in sides
        if any(clip.split == side and wanted(clip) for clip in folder.clips)
    ]
    clips = [clip for pool in pools for clip in pool.clips]
    return JudgePool(clips, np.ones(len(clips)))


def reading_of(model: Recogniser, clips: Sequence[PoolClip]) -> Figures:
    """Return the shares of right contents and styles with their 95 % bounds and the number of clips behind each."""
    joints = [mirrored_joints(item.joints) if item.clip.mirror_of else item.joints for item in clips]
    reading = read_joints(model, joints)
    figures: Figures = {}
    for kind, seen in (("content", reading.content), ("style", reading.style)):
        truth = np.array([getattr(item, kind) for item in clips])
        known = truth != UNKNOWN
        if known.any():
            hits, count = int((seen.argmax(axis=1) == truth)[known].sum()), int(known.sum())
            low, high = share_bounds(hits, count)
            figures[kind] = {
                "share": round(hits / count, 4),
                "low": round(low, 4),
                "high": round(high, 4),
                "clips": count,
            }
    return figures


def trust(model: Recogniser, bandai: Prepared, cmu: Prepared | None) -> Figures:
    """Measure a finished judge on the held-out side of all sets."""
    figures: Figures = {
        "set 2, held-out takes": reading_of(model, real_clips(bandai, "test", "bandai-2").clips),
        "set 1, held-out takes": reading_of(model, real_clips(bandai, "test", "bandai-1").clips),
    }
    if cmu is not None:
        named = real_clips(cmu, "test", "cmu")
        clips = [item for item in named.clips if item.content != UNKNOWN]
        figures["content set, held-out subjects, one action named"] = reading_of(model, clips)
    return figures


def train_probe(config: TemporalConfig, pool: JudgePool, seed: int, steps: int, augment: bool) -> Recogniser:
    """Train a recogniser for a trial, without checkpoints: AdamW, one cycle, no averaging."""
    torch.manual_seed(seed)
    model = Recogniser(config, len(CONTENT_CLASSES), len(STYLE_CLASSES))
    generator = torch.Generator().manual_seed(seed)
    batches = pool.batches(PROBE_BATCH, np.random.default_rng(seed), vary_speed=augment)
    first = next(batches)
    model.net.fit_inputs(first.joint_positions, first.valid_mask)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PROBE_LEARNING_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PROBE_LEARNING_RATE, total_steps=steps, pct_start=0.1)
    model.train()
    for _ in range(steps):
        loss, _ = recognition_loss(model, next(batches), generator, augment)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def probes(
    config: TemporalConfig,
    seed: int,
    steps: int,
    bandai: Prepared,
    progress: Callable[[str], None] = lambda line: None,
) -> Figures:
    """Train probes that saw less, with and without augmentation, and read what they did not see.

    Styles are counted over all fifteen classes in "contents left out"; between the sets only clips of the seven styles
    that both sets have can be read.
    """
    figures: Figures = {}
    for augment in (True, False):
        way = "augmented" if augment else "not augmented"

        def probe(
            what: str,
            keep: Callable[[Clip], bool],
            unseen: dict[str, JudgePool],
            way: str = way,
            augment: bool = augment,
        ) -> None:
            pool = JudgePool.of([bandai], CONTENT_CLASSES, STYLE_CLASSES, "train", keep)
            model = train_probe(config, pool, seed, steps, augment)
            for name, clips in unseen.items():
                figures.setdefault(f"{what}: {name}", {})[way] = reading_of(model, clips.clips)
                progress(f"{way}: {what}: {name}: {figures[f'{what}: {name}'][way]}")

        probe(
            "contents left out",
            lambda clip: clip.source == "bandai-2" and clip.content not in CONTENTS_LEFT_OUT,
            {
                "held-out takes of those contents": real_clips(
                    bandai, "test", "bandai-2", lambda clip: clip.content in CONTENTS_LEFT_OUT
                ),
                "held-out takes of the others": real_clips(
                    bandai, "test", "bandai-2", lambda clip: clip.content not in CONTENTS_LEFT_OUT
                ),
            },
        )
        probe(
            "set 2 to set 1",
            lambda clip: clip.source == "bandai-2",
            {
                "walk and run": real_clips(
                    bandai, None, "bandai-1", lambda c: c.style in SHARED_STYLES and c.content in ("walk", "run")
                ),
                "contents that set 2 lacks": real_clips(
                    bandai, None, "bandai-1", lambda c: c.style in SHARED_STYLES and c.content not in ("walk", "run")
                ),
            },
        )
        probe(
            "set 1 to set 2",
            lambda clip: clip.source == "bandai-1",
            {
                "walk and run": real_clips(bandai, "test", "bandai-2", lambda c: c.content in ("walk", "run")),
                "contents that set 1 lacks": real_clips(
                    bandai, "test", "bandai-2", lambda c: c.content not in ("walk", "run")
                ),
            },
        )
    return figures


def retrieval_trust(model: RetrievalEvaluator, cmu: Prepared, encode: Callable[[Sequence[str]], np.ndarray]) -> Figures:
    """Measure the motion-text evaluator on windows of held-out subjects."""
    windows = captioned_windows(cmu)
    with torch.inference_mode():
        texts = model.embed_texts(torch.as_tensor(encode([w.caption for w in windows]))).double().numpy()
    motions = embed_motion_joints(model, [joint_positions(w.motion(cmu), FPS) for w in windows])
    pools = distinct_pools([w.caption for w in windows], np.random.default_rng(0))
    top = r_precision(texts, motions, pools)
    return {
        "windows": len(windows),
        "pools of 32 distinct captions": len(pools),
        "r_precision": [round(float(v), 4) for v in top],
        "multimodal_distance": round(multimodal_distance(texts, motions, pools), 4),
    }
