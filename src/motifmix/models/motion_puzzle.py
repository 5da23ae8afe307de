"""Motion Puzzle (Jang, Park and Lee, TOG 2022): style transfer by body part, with graphs over the joints.

Two encoders of the same form read content and style on three levels of a body graph, from the joints to 10 nodes to five
body parts, halving the frame rate at each step. The decoder goes back up; at each level every body part takes the style
features of its own part of any motion, as statistics (adaptive instance norm) and in time (attention). Motions are
[batch, 12, joints, T], T a multiple of 4; inside, feature maps are [batch, channels, T, nodes]. The published body has 21
joints at 60 fps (``features/motion_puzzle.py`` makes the arrays), our own 22 at 20 fps (``features/restyling.py``).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from motifmix.features import cmu_skeleton
from motifmix.motion.skeleton import JOINT_PARENTS
from motifmix.quirks import Quirk

UNSCALED_ATTENTION = Quirk(
    "unscaled_attention",
    "Motion Puzzle: the products of queries and keys are not divided by the root of the width before the softmax; its "
    "published weights were trained so",
)
BODY_PARTS = ("left_leg", "right_leg", "spine", "left_arm", "right_arm")
MIDS_OF_PARTS = ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9))
PARTS_OF_PARTS = ((0,), (1,), (2,), (3,), (4,))
MIDS_OF_POOLED_PARTS = ((0, 1, 4), (2, 3, 4), (4, 5), (6, 7, 4), (8, 9, 4))
MID_EDGES = ((4, 0), (4, 2), (4, 5), (4, 6), (4, 8), (0, 1), (2, 3), (6, 7), (8, 9))
PART_EDGES = ((2, 0), (2, 1), (2, 3), (2, 4))
JOINT_CENTRE, MID_CENTRE, PART_CENTRE = 0, 4, 2
BodyName = Literal["cmu_21", "motifmix_22"]
SLOPE = 0.2

Partition = Literal["distance", "uniform", "spatial"]
Features = tuple[Tensor, Tensor, Tensor, Tensor]  # of joints, mid nodes, body parts and bottleneck


@dataclass(frozen=True)
class Body:
    """Joints as the networks count them: which are a body part's, and of which finer nodes a coarser one is the mean."""

    parents: tuple[int, ...]
    joints_of_parts: tuple[tuple[int, ...], ...]
    joints_of_mids: tuple[tuple[int, ...], ...]


BODIES: dict[str, Body] = {
    "cmu_21": Body(
        cmu_skeleton.KEPT_PARENTS,
        ((1, 2, 3, 4), (5, 6, 7, 8), (0, 9, 10, 11, 12), (13, 14, 15, 16), (17, 18, 19, 20)),
        ((0, 1, 2), (2, 3, 4), (0, 5, 6), (6, 7, 8), (0, 9, 10), (10, 11, 12), (10, 13, 14), (14, 15, 16),
         (10, 17, 18), (18, 19, 20)),
    ),
    "motifmix_22": Body(  # the spine has a joint more, and its lower half takes it
        JOINT_PARENTS,
        ((1, 4, 7, 10), (2, 5, 8, 11), (0, 3, 6, 9, 12, 15), (13, 16, 18, 20), (14, 17, 19, 21)),
        ((0, 1, 4), (4, 7, 10), (0, 2, 5), (5, 8, 11), (0, 3, 6, 9), (9, 12, 15), (9, 13, 16), (16, 18, 20),
         (9, 14, 17), (17, 19, 21)),
    ),
}  # fmt: skip


def adjacency(
    nodes: int, edges: Iterable[tuple[int, int]], centre: int, partition: Partition, max_hop: int
) -> np.ndarray:
    """Return the graph as matrices ``[K, from, to]`` that average what is at most ``max_hop`` edges away.

    ``distance`` has a matrix for each number of edges, ``uniform`` one for all, ``spatial`` one for the node itself and
    two for each further number of edges: towards the centre (or beside it), and away from it. Raises ``ValueError``
    for another partition.
    """
    linked = np.eye(nodes, dtype=bool)
    for a, b in edges:
        linked[a, b] = linked[b, a] = True
    hops = np.full((nodes, nodes), np.inf)
    reached = np.eye(nodes, dtype=bool)
    hops[reached] = 0
    for hop in range(1, max_hop + 1):
        reached = reached @ linked
        hops[reached & np.isinf(hops)] = hop
    reachable = np.isfinite(hops)
    mean = reachable / reachable.sum(axis=0)
    if partition == "uniform":
        return mean[None]
    by_hop = [np.where(hops == hop, mean, 0.0) for hop in range(max_hop + 1)]
    if partition == "distance":
        return np.stack(by_hop)
    if partition != "spatial":
        raise ValueError(f"a graph is divided by distance, uniformly or spatially, not by {partition!r}")
    away = hops[:, centre][:, None] < hops[:, centre][None]
    return np.stack([by_hop[0], *(part for whole in by_hop[1:] for part in (whole * ~away, whole * away))])


def membership(groups: Sequence[Sequence[int]], finer: int) -> np.ndarray:
    """Return ``[finer, coarser]`` of 0 and 1: which finer nodes a coarser one is made of."""
    matrix = np.zeros((finer, len(groups)))
    for coarse, members in enumerate(groups):
        matrix[list(members), coarse] = 1.0
    return matrix


def averaging(matrix: np.ndarray) -> Tensor:
    """Scale ``[from, to]`` so that every target is a mean."""
    return torch.tensor(matrix / matrix.sum(axis=0), dtype=torch.float32)


TO_PARTS = membership(MIDS_OF_POOLED_PARTS, 10)


def to_mid(body: Body) -> np.ndarray:
    """``[joints, 10]``: which joints a mid node is made of."""
    return membership(body.joints_of_mids, len(body.parents))


class BodyGraphs(nn.Module):
    """The graphs of the three levels, and how much each of their edges counts, which is learned."""

    def __init__(
        self, body: Body, joint: tuple[Partition, int], mid: tuple[Partition, int], part: tuple[Partition, int]
    ) -> None:
        super().__init__()
        self.body = body
        bones = [(child, parent) for child, parent in enumerate(body.parents) if parent >= 0]
        self.joint: Tensor
        self.mid: Tensor
        self.part: Tensor
        for name, matrices in (
            ("joint", adjacency(len(body.parents), bones, JOINT_CENTRE, *joint)),
            ("mid", adjacency(len(body.joints_of_mids), MID_EDGES, MID_CENTRE, *mid)),
            ("part", adjacency(len(BODY_PARTS), PART_EDGES, PART_CENTRE, *part)),
        ):
            self.register_buffer(name, torch.tensor(matrices, dtype=torch.float32))
        self.joint_importance = nn.Parameter(torch.ones_like(self.joint))
        self.mid_importance = nn.Parameter(torch.ones_like(self.mid))
        self.part_importance = nn.Parameter(torch.ones_like(self.part))
        self.bottleneck_importance = nn.Parameter(torch.ones_like(self.part))

    def forward(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the weighted graphs [K, V, V] of joints, mid nodes, body parts and bottleneck."""
        return (
            self.joint * self.joint_importance,
            self.mid * self.mid_importance,
            self.part * self.part_importance,
            self.part * self.bottleneck_importance,
        )


class GraphConvolution(nn.Module):
    """[B, incoming, T, V] to [B, outgoing, T, V] along a graph [K, V, V]."""

    def __init__(self, incoming: int, outgoing: int, matrices: int) -> None:
        super().__init__()
        self.channels = nn.Conv2d(incoming, matrices * outgoing, 1)

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        """Mix channels for each matrix and nodes along it, on the side that has fewer channels: the sum is the same."""
        matrices, incoming = len(graph), x.shape[1]
        outgoing = self.channels.out_channels // matrices
        if incoming >= outgoing:
            mixed = self.channels(x).unflatten(1, (matrices, outgoing))  # [B, K, outgoing, T, V]
            parts = [mixed[:, k] @ matrix for k, matrix in enumerate(graph)]
            return reduce(torch.add, parts)
        spread = torch.cat([x @ matrix for matrix in graph], dim=1)  # [B, K incoming, T, V]
        weight = self.channels.weight.view(matrices, outgoing, incoming).transpose(0, 1)
        assert self.channels.bias is not None
        bias = self.channels.bias.view(matrices, outgoing).T @ graph.sum(dim=1)  # [outgoing, V]
        return functional.conv2d(spread, weight.reshape(outgoing, -1, 1, 1)) + bias[:, None]


def temporal_convolution(channels: int, kernel: int) -> nn.Conv2d:
    """Convolution over frames that keeps their number, by reflection."""
    return nn.Conv2d(channels, channels, (kernel, 1), padding=((kernel - 1) // 2, 0), padding_mode="reflect")


class EncoderBlock(nn.Module):
    """Norm, activation, graph convolution, temporal convolution."""

    def __init__(
        self, incoming: int, outgoing: int, matrices: int, kernel: int, *, normalised: bool, activated: bool = True
    ) -> None:
        super().__init__()
        self.graph = GraphConvolution(incoming, outgoing, matrices)
        self.temporal = temporal_convolution(outgoing, kernel)
        self.normalised = normalised
        self.activated = activated

    def forward(self, x: Tensor, graph: Tensor) -> Tensor:
        """[B, incoming, T, V] to [B, outgoing, T, V]."""
        x = functional.instance_norm(x) if self.normalised else x
        x = functional.leaky_relu(x, SLOPE) if self.activated else x
        return self.temporal(self.graph(x, graph))


class Encoder(nn.Module):
    """[B, 12, joints, T] to four feature maps; the content's forgets statistics by instance norm, the style's keeps them."""

    def __init__(
        self, incoming: int, width: int, graphs: BodyGraphs, kernels: Sequence[int], residual: float, *, content: bool
    ) -> None:
        super().__init__()
        joint, mid, part, bottleneck = kernels
        matrices = [len(graph) for graph in (graphs.joint, graphs.mid, graphs.part)]
        self.graphs = graphs
        self.input = nn.Conv2d(incoming, width, 1)
        self.joint = EncoderBlock(width, 2 * width, matrices[0], joint, normalised=content)
        self.mid = EncoderBlock(2 * width, 4 * width, matrices[1], mid, normalised=content)
        self.part = EncoderBlock(4 * width, 8 * width, matrices[2], part, normalised=content)
        self.bottleneck = nn.ModuleList(
            EncoderBlock(8 * width, 8 * width, matrices[2], bottleneck, normalised=content, activated=activated)
            for activated in (True, False)
        )
        self.residual = residual
        self.shortest = 4 * ((max(part, bottleneck) - 1) // 2 + 1)
        self.to_mid: Tensor
        self.to_parts: Tensor
        self.register_buffer("to_mid", averaging(to_mid(graphs.body)))
        self.register_buffer("to_parts", averaging(TO_PARTS))

    def forward(self, motion: Tensor) -> Features:
        """Return the maps of joints [B, 2 C, T, 21], mid nodes [B, 4 C, T / 2, 10], parts and bottleneck [B, 8 C, T / 4, 5].

        Raises ``ValueError`` when T is no multiple of 4, or shorter than the reflection at its ends (12 as published).
        """
        if motion.shape[-1] % 4 or motion.shape[-1] < self.shortest:
            raise ValueError(
                f"a clip needs a multiple of 4 frames, at least {self.shortest}, not {motion.shape[-1]}; lengthen it"
            )
        graphs = self.graphs()
        joint = self.joint(self.input(motion.transpose(2, 3)), graphs[0])
        mid = self.mid(functional.avg_pool2d(joint @ self.to_mid, (2, 1)), graphs[1])
        part = self.part(functional.avg_pool2d(mid @ self.to_parts, (2, 1)), graphs[2])
        inner = part
        for block in self.bottleneck:
            inner = block(inner, graphs[3])
        return joint, mid, part, part + self.residual * inner


class PartNorm(nn.Module):
    """Adaptive instance norm of one body part: its statistics become what the style features of that part say."""

    def __init__(self, channels: int, latent: int) -> None:
        super().__init__()
        self.latent = nn.Conv2d(channels, latent, 1)
        self.hidden = nn.Linear(latent, latent)
        self.statistics = nn.Linear(latent, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """``x`` [B, C, T, n] and ``style`` [B, C, T', n] to [B, C, T, n]."""
        latent = functional.leaky_relu(self.latent(style.mean(dim=(2, 3), keepdim=True)), SLOPE).flatten(1)
        statistics = self.statistics(functional.leaky_relu(self.hidden(latent), SLOPE))  # [B, 2 C]
        scale, shift = statistics[..., None, None].chunk(2, dim=1)
        return (1.0 + scale) * functional.instance_norm(x) + shift


def pointwise(layer: nn.Conv2d, tokens: Tensor) -> Tensor:
    """Apply a 1 x 1 convolution to [B, N, C]: as a product it is several times faster on maps this small."""
    return functional.linear(tokens, layer.weight.flatten(1), layer.bias)


class PartAttention(nn.Module):
    """Every frame and node of a body part looks up the style's frames and nodes of that part."""

    def __init__(self, channels: int, scale: float | None) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels, 1)
        self.key = nn.Conv2d(channels, channels, 1)
        self.value = nn.Conv2d(channels, channels, 1)
        self.output = nn.Conv2d(channels, channels, 1)
        self.scale = scale

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """``x`` [B, C, T, n] and ``style`` [B, C, T', n] to [B, C, T, n]."""
        normed = functional.instance_norm(style)
        query, key, value = (
            pointwise(layer, part.flatten(2).transpose(1, 2))[:, None]  # [B, 1, T n, C]
            for layer, part in (
                (self.query, functional.instance_norm(x)), (self.key, normed), (self.value, style),
            )
        )  # fmt: skip
        found = functional.scaled_dot_product_attention(query, key, value, scale=self.scale)
        return x + pointwise(self.output, found[:, 0]).transpose(1, 2).reshape(x.shape)


class StyleBlock(nn.Module):
    """A level of the decoder: part norms, graph and time, part attention, graph and time again."""

    def __init__(
        self,
        incoming: int,
        outgoing: int,
        matrices: int,
        kernel: int,
        latent: int,
        nodes: Sequence[Sequence[int]],
        *,
        scale: float | None,
        activated: bool = True,
    ) -> None:
        super().__init__()
        self.norms = nn.ModuleDict({part: PartNorm(incoming, latent) for part in BODY_PARTS})
        self.graph1 = GraphConvolution(incoming, incoming, matrices)
        self.temporal1 = temporal_convolution(incoming, kernel)
        self.attentions = nn.ModuleDict({part: PartAttention(incoming, scale) for part in BODY_PARTS})
        self.graph2 = GraphConvolution(incoming, outgoing, matrices)
        self.temporal2 = temporal_convolution(outgoing, kernel)
        self.nodes = [list(part) for part in nodes]
        order = [node for part in self.nodes for node in part]
        self.back = [order.index(node) for node in range(len(order))]
        self.activated = activated

    def forward(self, x: Tensor, styles: Sequence[Tensor], graph: Tensor) -> Tensor:
        """``x`` [B, incoming, T, V]; ``styles`` has a map [B, incoming, T', V] for each body part, of any length."""
        x = self._by_part(self.norms, x, styles)
        x = functional.leaky_relu(x, SLOPE) if self.activated else x
        x = self.temporal1(self.graph1(x, graph))
        x = self._by_part(self.attentions, x, styles)
        return self.temporal2(self.graph2(x, graph))

    def _by_part(self, modules: nn.ModuleDict, x: Tensor, styles: Sequence[Tensor]) -> Tensor:
        parts = [
            module(x[..., nodes], style[..., nodes])
            for module, nodes, style in zip(modules.values(), self.nodes, styles, strict=True)
        ]
        return torch.cat(parts, dim=-1)[..., self.back]


class Decoder(nn.Module):
    """The content's bottleneck and the styles of five body parts to a motion [B, 12, 21, T]."""

    def __init__(
        self,
        outgoing: int,
        width: int,
        latent: int,
        graphs: BodyGraphs,
        kernels: Sequence[int],
        residual: float,
        *,
        scaled: bool,
    ) -> None:
        super().__init__()
        joint, mid, part, bottleneck = kernels
        matrices = [len(graph) for graph in (graphs.joint, graphs.mid, graphs.part)]
        scale = None if scaled else 1.0
        self.graphs = graphs
        self.bottleneck = nn.ModuleList(
            StyleBlock(
                8 * width, 8 * width, matrices[2], bottleneck, latent, PARTS_OF_PARTS, scale=scale, activated=activated
            )
            for activated in (True, False)
        )
        self.part = StyleBlock(8 * width, 4 * width, matrices[2], part, latent, PARTS_OF_PARTS, scale=scale)
        self.mid = StyleBlock(4 * width, 2 * width, matrices[1], mid, latent, MIDS_OF_PARTS, scale=scale)
        self.joint = StyleBlock(2 * width, width, matrices[0], joint, latent, graphs.body.joints_of_parts, scale=scale)
        self.output = nn.Conv2d(width, outgoing, 1)
        self.residual = residual
        self.to_mid: Tensor
        self.to_joints: Tensor
        self.register_buffer("to_mid", averaging(TO_PARTS.T))
        self.register_buffer("to_joints", averaging(to_mid(graphs.body).T))

    def forward(self, content: Tensor, styles: Sequence[Features]) -> Tensor:
        """``content`` [B, 8 C, T / 4, 5]; ``styles`` has the four maps that give each body part its style."""
        joint, mid, part, bottleneck = zip(*styles, strict=True)
        graphs = self.graphs()
        inner = content
        for block in self.bottleneck:
            inner = block(inner, bottleneck, graphs[3])
        x = self.part(content + self.residual * inner, part, graphs[2])
        x = self.mid((x @ self.to_mid).repeat_interleave(2, dim=2), mid, graphs[1])
        x = self.joint((x @ self.to_joints).repeat_interleave(2, dim=2), joint, graphs[0])
        return self.output(functional.leaky_relu(x, SLOPE)).transpose(2, 3)


class MotionPuzzle(nn.Module):
    """The whole generator; the defaults are the published size (39,501,073 parameters).

    A graph is (partition, number of edges); ``temporal_kernels`` are those of joints, mid nodes, body parts and
    bottleneck. ``body`` is one of ``BODIES``; raises ``ValueError`` for another.
    """

    def __init__(
        self,
        in_channels: int = 12,
        base_channels: int = 64,
        style_latent_dim: int = 128,
        joint_graph: tuple[Partition, int] = ("distance", 2),
        mid_graph: tuple[Partition, int] = ("distance", 1),
        part_graph: tuple[Partition, int] = ("distance", 1),
        temporal_kernels: Sequence[int] = (7, 5, 5, 3),
        residual_scale: float = 0.1,
        body: BodyName = "cmu_21",
        *,
        quirks: Collection[Quirk] = (),
    ) -> None:
        super().__init__()

        if body not in BODIES:
            raise ValueError(f"a body is one of {', '.join(BODIES)}, not {body!r}")

        def graphs() -> BodyGraphs:
            return BodyGraphs(BODIES[body], joint_graph, mid_graph, part_graph)

        sizes = (in_channels, base_channels)
        self.content_encoder = Encoder(*sizes, graphs(), temporal_kernels, residual_scale, content=True)
        self.style_encoder = Encoder(*sizes, graphs(), temporal_kernels, residual_scale, content=False)
        self.decoder = Decoder(
            *sizes,
            style_latent_dim,
            graphs(),
            temporal_kernels,
            residual_scale,
            scaled=UNSCALED_ATTENTION not in quirks,
        )

    def forward(self, content: Tensor, style: Tensor, own_parts: Collection[int] = ()) -> Tensor:
        """Give ``content`` [B, 12, joints, T] the style of ``style`` [B, 12, joints, T'], both normalised.

        ``own_parts`` are the numbers of body parts (see ``BODY_PARTS``) that keep the content's own style.
        """
        given = self.style_encoder(style)
        own = self.style_encoder(content) if own_parts else given
        return self.decoder(self.content_encoder(content)[-1], by_part(given, own, own_parts))


def by_part(style: Features, own: Features, own_parts: Collection[int]) -> list[Features]:
    """Choose each body part's style: ``own`` for the parts in ``own_parts``, ``style`` for the others."""
    return [own if part in own_parts else style for part in range(len(BODY_PARTS))]
