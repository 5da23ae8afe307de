"""Losses of StyleMotif at the paper's size (Guo et al., ICCV 2025; no code is published).

Stage 1 trains a VAE on contents and then on styles (``mld.vae_losses``) and keeps its encoder. Stage 2 trains that encoder
alone, AdamW at 1e-5, through the frozen denoiser: the noise of a style set with its own motion as the style, and of a
content set likewise (as SMooDi's prior preservation). Stage 3 brings ImageBind's text features to the style features.
"""

from torch import Tensor
from torch.nn import functional

from motifmix.diffusion.discrete import DiscreteSchedule
from motifmix.models.motion_style_encoder import MotionStyleEncoder
from motifmix.style.stylemotif import StyleMotifDenoiser
from motifmix.training.objectives.published.mld import denoising_loss, noised_latents
from motifmix.training.objectives.published.smoodi import StyledBatch

STYLE_DROPOUT = 0.1  # as the text's; a dropped style is a skipped fusion
TEMPERATURE = 0.07


def styled_denoising_loss(
    denoiser: StyleMotifDenoiser,
    style_encoder: MotionStyleEncoder,
    batch: StyledBatch,
    timesteps: Tensor,
    schedule: DiscreteSchedule,
    kept: Tensor,
) -> Tensor:
    """Return the loss of one batch; the style of an item is fused where ``kept`` [B]. Add it up over both sets."""
    style = style_encoder(batch.style, batch.valid_mask)
    noisy = noised_latents(batch.latents, batch.noise, timesteps, schedule)
    return denoising_loss(denoiser(noisy, timesteps, batch.text, style, kept.to(noisy.dtype)), batch.noise)


def alignment_loss(texts: Tensor, styles: Tensor, paired: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the symmetric contrastive loss of projected ``texts`` [N, D] and style features ``styles`` [M, D].

    ``paired`` [N, M]: which belong together (the identity for distinct styles, or all of equal label). As printed in the
    paper, the second logarithm would be minimised with the wrong sign; here both stand inside the bracket.
    """
    logits = functional.normalize(texts, dim=-1) @ functional.normalize(styles, dim=-1).T / temperature
    both = logits.log_softmax(dim=1) + logits.log_softmax(dim=0)
    return -0.5 * both[paired].mean()
