"""InterCLIP and the metrics of two-person generation."""

from collections.abc import Callable

import numpy as np
import torch
from golden import Case

from motifmix.evaluation import interaction, metrics
from motifmix.evaluation.transport import sinkhorn
from motifmix.models.interclip import InterCLIP
from motifmix.pretrained.maps.interclip import EVALUATOR
from motifmix.training.objectives.published.interclip import contrastive_loss
from runners.intergen import loaded, tensors

Outputs = dict[str, np.ndarray]


@torch.no_grad()
def interclip_evaluator(case: Case) -> Outputs:
    config, given = case.config, tensors(case)
    net = InterCLIP(
        features=config["input_feats"],
        width=config["latent_dim"],
        feed_forward=config["ff_size"],
        layers=config["num_layers"],
        heads=config["num_heads"],
        text_width=config["text_dim"],
        text_feed_forward=config["text_ff_size"],
        text_layers=config["text_num_layers"],
        text_heads=config["text_num_heads"],
        embedding=config["output_dim"],
        vocabulary=config["vocab_size"],
        context_length=config["context_length"],
    )
    net = loaded(case, net, EVALUATOR)
    first, second, lengths, ids = (given[name] for name in ("motion1", "motion2", "lengths", "token_ids"))

    def embedded(order: torch.Tensor | slice) -> tuple[torch.Tensor, torch.Tensor]:
        own = lengths[order]
        most = int(own.max())
        valid = torch.arange(most) < own[:, None]
        return net(first[order, :most], second[order, :most], valid, ids[order])

    texts, motions = embedded(slice(None))
    order = torch.from_numpy(interaction.published_order(lengths.numpy()))
    sorted_texts, sorted_motions = embedded(order)
    loss = contrastive_loss(texts, motions)
    return {
        "text_embedding": texts.numpy(),
        "motion_embedding": motions.numpy(),
        "wrapper_text_embedding": sorted_texts.numpy(),
        "wrapper_motion_embedding": sorted_motions.numpy(),
        "wrapper_motion_only_embedding": sorted_motions.numpy(),
        "contrastive_loss": loss.total[None].numpy(),
        "loss_motion_to_text": loss.motion_to_text[None].numpy(),
        "loss_text_to_motion": loss.text_to_motion[None].numpy(),
    }


def metrics_interaction(case: Case) -> Outputs:
    config, given = case.config, case.inputs
    if config.get("metric") == "sinkhorn":
        plan = sinkhorn(given["x"], given["y"], config["epsilon"], config["max_iterations"], config["stop_threshold"])
        return {"distance": np.array([plan.distance]), "match_x": plan.match_of_first, "match_y": plan.match_of_second}
    texts, motions, scale = given["text_embeddings"], given["motion_embeddings"], config["embedding_scale"]
    size = config["retrieval_batch_size"]
    scores = interaction.interaction_scores(
        texts,
        motions,
        given["ground_truth_embeddings"],
        (given["diversity_first"], given["diversity_second"]),
        pool=size,
        top=config["top_k"],
        scale=scale,
    )
    moments = interaction.scaled_moments(motions, scale)
    repeats = [metrics.over_repeats(column, published=True) for column in given["replications"].T]
    varied = metrics.multimodality(
        given["multimodal_embeddings"], given["multimodality_first"], given["multimodality_second"]
    )
    return {
        "mm_distance": np.array([scores.multimodal_distance]),
        "r_precision": scores.r_precision,
        "fid": np.array([scores.frechet_distance]),
        "diversity": np.array([scores.diversity]),
        "multimodality": np.array([varied]),
        "distance_matrix_first_batch": metrics.euclidean_distances(texts[:size], motions[:size]),
        "statistics_mean": moments.mean,
        "statistics_covariance": moments.covariance,
        "replication_mean": np.array([interval.mean for interval in repeats]),
        "replication_interval": np.array([interval.half_width for interval in repeats]),
    }


RUNNERS: dict[str, Callable[[Case], Outputs]] = {
    "interclip_evaluator": interclip_evaluator,
    "metrics_interaction": metrics_interaction,
}
