"""The text-to-motion evaluators of Guo et al."""

import numpy as np
import torch
from golden import Case

from motifmix.features.space import Normaliser
from motifmix.models.t2m_evaluator import EVALUATOR_SEES_PADDING, SNIPPET, TextMotionEvaluator
from motifmix.pretrained.maps import t2m_evaluator as maps
from motifmix.pretrained.maps.key_map import load_published
from runners.mld import arrays, given, weights


@torch.no_grad()
def t2m_evaluator(case: Case) -> dict[str, np.ndarray]:
    x, config = given(case), case.config
    assert config["unit_length"] == SNIPPET
    evaluator = TextMotionEvaluator(
        features=config["nfeats"],
        word_dim=config["word_dim"],
        tag_dim=config["pos_dim"],
        text_hidden=config["text_hidden"],
        movement_hidden=config["movement_hidden"],
        movement_latent=config["movement_latent"],
        motion_hidden=config["motion_hidden"],
        embedding=config["embed_dim"],
        dropout=config["conv_dropout"],
        quirks=[EVALUATOR_SEES_PADDING],
    ).eval()
    load_published(evaluator, weights(case), maps.EVALUATOR)
    metres = Normaliser(case.inputs["data_mean"], case.inputs["data_std"]).restore(case.inputs["motion"])
    seen = Normaliser(case.inputs["eval_mean"], case.inputs["eval_std"]).normalise(metres)
    order = torch.from_numpy(np.argsort(case.inputs["lengths"])[::-1].copy())  # the published order of embeddings
    features, lengths = torch.from_numpy(seen).float()[order], x["lengths"][order]
    longest = int(lengths[0]) // SNIPPET * SNIPPET
    return arrays(
        {
            "order": order,
            "motion_evaluator_input": features,
            "movement": evaluator.snippets(features, lengths),
            "motion_embedding": evaluator.embed_motions(features, lengths),
            "text_embedding": evaluator.embed_texts(x["word_embs"], x["pos_onehot"], x["text_lengths"])[order],
            "motion_embedding_direct": evaluator.embed_motions(features[:1, :longest], torch.tensor([longest])),
        }
    )


RUNNERS = {"t2m_evaluator": t2m_evaluator}
