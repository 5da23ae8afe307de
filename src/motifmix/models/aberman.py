"""Unpaired motion style transfer (Aberman et al., SIGGRAPH 2020): generator and discriminator.

A content code whose instance norms take the style out, a style code that is the maximum over time of a 3D or 2D clip's
features, and a decoder into which the style enters once, by adaptive instance norm. The decoder gives quaternions,
w x y z as published and not of unit length; root path and heading are always the content's. Everything is channel
first, [batch, channels, frames], normalised by the statistics of the data (``features/aberman.py`` makes the arrays).
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

import roma
import torch
from torch import Tensor, nn
from torch.nn import functional

from motifmix.features import cmu_skeleton
from motifmix.models.layers.forward_kinematics import ForwardKinematics
from motifmix.quirks import Quirk

IN_PLACE_ACTIVATIONS = Quirk(
    "in_place_activations",
    "Aberman et al.: the discriminator's activations overwrite their input, so that blocks without projection add the "
    "activated input and the features to be matched are activated; its published weights were trained so",
)
SLOPE = 0.2  # of every leaky relu
NORM_EPSILON = 1e-5
SHORTEST_QUATERNION = 1e-10


def padded_convolution(incoming: int, outgoing: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Reflection padding that keeps the length (at stride 1), and the convolution."""
    left = (kernel - 1) // 2
    return [nn.ReflectionPad1d((left, kernel - 1 - left)), nn.Conv1d(incoming, outgoing, kernel, stride)]


def adaptive_instance_norm(x: Tensor, parameters: Tensor, epsilon: float = NORM_EPSILON) -> Tensor:
    """Give ``x`` [B, C, T] the mean and scale over time that ``parameters`` [B, 2 C] name: shifts, then scales."""
    shift, scale = parameters[..., None].chunk(2, dim=1)
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return scale * ((x - mean) * torch.rsqrt(variance + epsilon)) + shift


class Residual(nn.Module):
    """``x + f(x)``."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, T] to the same shape."""
        return x + self.layers(x)


class ContentEncoder(nn.Sequential):
    """[B, content, T] to [B, C, ceil(T / strides)]: convolutions and residual blocks, all with instance norm."""

    def __init__(
        self,
        incoming: int,
        channels: Sequence[int],
        kernel: int,
        stride: int,
        residual_blocks: int,
        slope: float = SLOPE,
        epsilon: float = NORM_EPSILON,
    ) -> None:
        def norm(width: int) -> nn.Module:
            return nn.InstanceNorm1d(width, eps=epsilon, affine=True)

        layers: list[nn.Module] = []
        for width in channels:
            layers += [*padded_convolution(incoming, width, kernel, stride), norm(width), nn.LeakyReLU(slope)]
            incoming = width
        for _ in range(residual_blocks):
            layers.append(
                Residual(
                    *padded_convolution(incoming, incoming, kernel),
                    norm(incoming),
                    nn.LeakyReLU(slope),
                    *padded_convolution(incoming, incoming, kernel),
                    norm(incoming),
                )
            )
        super().__init__(*layers)


class StyleEncoder(nn.Module):
    """A clip of any length, [B, channels, T], to its style code [B, C]: the maximum over all frames."""

    def __init__(self, incoming: int, channels: Sequence[int], kernel: int, stride: int, slope: float = SLOPE) -> None:
        super().__init__()
        self.incoming = incoming
        layers: list[nn.Module] = []
        for width in channels:
            layers += [*padded_convolution(incoming, width, kernel, stride), nn.LeakyReLU(slope)]
            incoming = width
        self.layers = nn.Sequential(*layers)

    def forward(self, clip: Tensor) -> Tensor:
        """Return [B, C]."""
        return self.layers(clip).amax(dim=-1)


class Decoder(nn.Module):
    """Content code [B, C, T / s] and style parameters [B, 2 C] to quaternions [B, 4 J, T]."""

    def __init__(
        self,
        channels: Sequence[int],
        outgoing: int,
        kernel: int,
        residual_blocks: int,
        bottleneck: int,
        slope: float = SLOPE,
        epsilon: float = NORM_EPSILON,
    ) -> None:
        super().__init__()
        self.epsilon = epsilon
        width = channels[-1]
        self.blocks = nn.ModuleList(
            Residual(
                *padded_convolution(width, bottleneck, kernel),
                nn.LeakyReLU(slope),
                *padded_convolution(bottleneck, width, kernel),
            )
            for _ in range(residual_blocks)
        )
        self.levels = nn.ModuleList()
        for following in [*reversed(channels[:-1]), outgoing]:
            self.levels.append(
                nn.Sequential(nn.Upsample(scale_factor=2), *padded_convolution(width, following, kernel))
            )
            width = following
        self.slope = slope

    def forward(self, content: Tensor, parameters: Tensor) -> Tensor:
        """Return [B, 4 J, T]."""
        x = adaptive_instance_norm(content, parameters, self.epsilon)
        for block in self.blocks:
            x = block(x)
        for number, level in enumerate(self.levels):
            x = level(x if number == 0 else functional.leaky_relu(x, self.slope))  # twice the frames
        return x


class AbermanGenerator(nn.Module):
    """The whole generator; the defaults are the published size on the 31-joint CMU skeleton (1,409,900 parameters).

    ``offsets`` [J][3], ``parents`` and ``kept_joints`` (the first is the root) describe the skeleton that the positions
    are computed with.
    """

    def __init__(
        self,
        content_channels: int = 128,
        style3d_channels: int = 64,
        style2d_channels: int = 42,
        content_encoder_channels: Sequence[int] = (144,),
        style_encoder_channels: Sequence[int] = (96, 144),
        mlp_hidden: Sequence[int] = (192, 256),
        kernel_size: int = 8,
        content_encoder_stride: int = 2,
        style_encoder_stride: int = 2,
        content_residual_blocks: int = 1,
        decoder_residual_blocks: int = 1,
        decoder_bottleneck_channels: int = 144,
        *,
        parents: Sequence[int] = cmu_skeleton.PARENTS,
        offsets: Sequence[Sequence[float]] = cmu_skeleton.OFFSETS,
        kept_joints: Sequence[int] = cmu_skeleton.KEPT,
        norm_eps: float = NORM_EPSILON,
        leaky_relu_slope: float = SLOPE,
    ) -> None:
        super().__init__()
        style = (style_encoder_channels, kernel_size, style_encoder_stride, leaky_relu_slope)
        self.content_encoder = ContentEncoder(
            content_channels, content_encoder_channels, kernel_size, content_encoder_stride, content_residual_blocks,
            leaky_relu_slope, norm_eps,
        )  # fmt: skip
        self.style_encoder_3d = StyleEncoder(style3d_channels, *style)
        self.style_encoder_2d = StyleEncoder(style2d_channels, *style)
        widths = [style_encoder_channels[-1], *mlp_hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.LeakyReLU(leaky_relu_slope)]
        self.style_mlp = nn.Sequential(*layers, nn.Linear(widths[-1], 2 * content_encoder_channels[-1]))
        self.decoder = Decoder(
            content_encoder_channels, 4 * len(parents), kernel_size, decoder_residual_blocks,
            decoder_bottleneck_channels, leaky_relu_slope, norm_eps,
        )  # fmt: skip
        self.kinematics = ForwardKinematics(tuple(parents), torch.tensor(offsets, dtype=torch.float32))
        self.kept = list(kept_joints)

    def decode(self, content_code: Tensor, style_code: Tensor) -> Tensor:
        """Content code [B, C, T / s] and style code [B, S] to quaternions [B, 4 J, T], wxyz, of any length."""
        return self.decoder(content_code, self.style_mlp(style_code))

    def positions(self, rotations: Tensor) -> Tensor:
        """Quaternions [B, 4 J, T] to positions [B, 3 (kept - 1), T] of the kept joints about the root."""
        quaternions = rotations.unflatten(1, (-1, 4)).permute(0, 3, 1, 2)  # [B, T, J, 4]
        quaternions = quaternions / quaternions.norm(dim=-1, keepdim=True).clamp(min=SHORTEST_QUATERNION)
        joints = self.kinematics.from_matrices(roma.unitquat_to_rotmat(quaternions.roll(-1, dims=-1)))
        return joints[:, :, self.kept[1:]].flatten(2).transpose(1, 2)

    def forward(self, content: Tensor, style: Tensor) -> Tensor:
        """Give ``content`` [B, content, T] the style of a 3D or 2D clip [B, style3d or style2d, T'].

        Which encoder reads the style, its number of channels says. Returns quaternions [B, 4 J, T]; an odd number of
        content frames gives one frame more.
        """
        encoders = {encoder.incoming: encoder for encoder in (self.style_encoder_2d, self.style_encoder_3d)}
        if style.shape[1] not in encoders:
            raise ValueError(f"a style clip has {' or '.join(map(str, encoders))} channels, not {style.shape[1]}")
        return self.decode(self.content_encoder(content), encoders[style.shape[1]](style))


class DiscriminatorBlock(nn.Module):
    """Activation first, two convolutions, and a shortcut that is projected where the widths differ."""

    def __init__(self, incoming: int, outgoing: int, kernel: int, slope: float, *, activated_shortcut: bool) -> None:
        super().__init__()
        middle = min(incoming, outgoing)
        self.first = nn.Sequential(*padded_convolution(incoming, middle, kernel))
        self.second = nn.Sequential(*padded_convolution(middle, outgoing, kernel))
        left = (kernel - 1) // 2
        self.shortcut = (
            nn.Sequential(
                nn.ConstantPad1d((left, kernel - 1 - left), 0.0), nn.Conv1d(incoming, outgoing, kernel, bias=False)
            )
            if incoming != outgoing
            else None
        )
        self.slope = slope
        self.activated_shortcut = activated_shortcut

    def forward(self, x: Tensor) -> Tensor:
        """[B, incoming, T] to [B, outgoing, T]."""
        active = functional.leaky_relu(x, self.slope)
        changed = self.second(functional.leaky_relu(self.first(active), self.slope))
        if self.shortcut is not None:
            return self.shortcut(x) + changed
        return (active if self.activated_shortcut else x) + changed


class AbermanDiscriminator(nn.Module):
    """Judges clips of 3D positions, a patch of time and a style class at a time (1,009,752 parameters as published)."""

    def __init__(
        self,
        incoming: int = 64,
        channels: Sequence[int] = (96, 144),
        num_classes: int = 8,
        kernel_size: int = 6,
        pool_size: int = 3,
        pool_stride: int = 2,
        *,
        leaky_relu_slope: float = SLOPE,
        quirks: Collection[Quirk] = (),
    ) -> None:
        super().__init__()
        self.incoming = incoming
        self.slope = leaky_relu_slope
        self.activated = IN_PLACE_ACTIVATIONS in quirks
        excess = pool_size - pool_stride

        def block(before: int, after: int) -> nn.Module:
            return DiscriminatorBlock(before, after, kernel_size, leaky_relu_slope, activated_shortcut=self.activated)

        layers: list[nn.Module] = [*padded_convolution(incoming, incoming, kernel_size)]
        width = incoming
        for following in channels:
            layers += [
                block(width, width),
                block(width, following),
                nn.ReflectionPad1d((excess // 2, excess - excess // 2)),
                nn.AvgPool1d(pool_size, pool_stride),
            ]
            width = following
        self.features = nn.Sequential(*layers, block(width, width), block(width, width))
        self.classes = nn.Sequential(*padded_convolution(width, num_classes, kernel_size))

    def forward(self, motion: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """``motion`` [B, incoming, T] (see :func:`discriminator_input`) judged as the style ``label`` [B] (int64).

        Returns the response [B, T'] and the features to be matched [B, C, T'].
        """
        features = self.features(motion)
        active = functional.leaky_relu(features, self.slope)
        response = self.classes(active)  # [B, classes, T']
        return response[torch.arange(len(label), device=label.device), label], active if self.activated else features


def discriminator_input(motion: Tensor) -> Tensor:
    """[B, channels, T] of 3D positions, root and heading: the first frame, then what changes from frame to frame."""
    return torch.cat([motion[..., :1], motion.diff(dim=-1)], dim=-1)
