"""Sounds, read and prepared as ImageBind was trained on them: three clips of log-mel energies.

The filterbank is Kaldi's (25 ms symmetric Hann windows every 10 ms, pre-emphasis 0.97, mean of each window removed), the
resampler a Hann-windowed sinc of width 6; both are written here in double precision.
"""

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motifmix.encoders.clip_times import clip_times
from motifmix.errors import FileError, RequestError
from motifmix.quirks import Quirk

SAMPLE_RATE = 16000
CLIPS = 3
CLIP_SECONDS = 2
MEL_BINS = 128
FRAMES = 204
LOG_MEL_MEAN, LOG_MEL_STD = -4.268, 9.138
WINDOW_MILLISECONDS, SHIFT_MILLISECONDS = 25.0, 10.0
PRE_EMPHASIS = 0.97
LOWEST_HZ = 20.0
SILENCE = 1e-4  # of full scale, -80 dB: below it nothing can be heard
LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 1_000, 768_000, 16
MOST_NUMBERS = 64_000_000  # of all channels: 11 minutes of stereo at 48 kHz
ROWS_AT_ONCE = 1 << 16  # of the resampler's windows, which would take many times the sound's memory
USUAL_KERNEL = 1 << 20  # numbers of the resampler's filter; one from 44,100 Hz has 76,000
LOG_FLOOR = float(np.finfo(np.float32).eps)
SINC_WIDTH, ROLLOFF = 6, 0.99

CLIP_MEANS_ADD_UP = Quirk(
    "clip_means_add_up",
    "ImageBind subtracts each clip's mean from the recording itself, so a clip that overlaps an earlier one is shifted twice.",
)


def prepared_sound(
    waveform: np.ndarray,
    rate: int,
    clips: int = CLIPS,
    seconds: float = CLIP_SECONDS,
    sample_rate: int = SAMPLE_RATE,
    mel_bins: int = MEL_BINS,
    frames: int = FRAMES,
    mean: float = LOG_MEL_MEAN,
    std: float = LOG_MEL_STD,
    quirks: Collection[Quirk] = (),
) -> Tensor:
    """Return a recording ``[channels, samples]`` as normalised clips ``[clips, 1, mel_bins, frames]``."""
    samples = resampled(waveform, rate, sample_rate)
    return torch.from_numpy(
        (clip_energies(samples, sample_rate, clips, seconds, mel_bins, frames, quirks) - mean) / std
    ).float()


def clip_energies(
    waveform: np.ndarray,
    rate: int,
    clips: int = CLIPS,
    seconds: float = CLIP_SECONDS,
    mel_bins: int = MEL_BINS,
    frames: int = FRAMES,
    quirks: Collection[Quirk] = (),
) -> np.ndarray:
    """Return log-mel energies ``[clips, 1, mel_bins, frames]`` of the first channel, filled up with zeros or cut.

    The zeros stand for nothing in particular (silence is about -16), but the published network knows them.
    """
    waveform = np.array(waveform, np.float64)  # our own copy
    made = np.zeros((clips, 1, mel_bins, frames))
    for clip, (start, end) in zip(made, clip_times(waveform.shape[1] / rate, clips, seconds), strict=True):
        part = waveform[:, int(start * rate) : int(end * rate)]
        mean = part.mean() if part.size else 0.0
        if CLIP_MEANS_ADD_UP in quirks:
            part -= mean
        else:
            part = part - mean
        energies = log_mel(part[0], rate, mel_bins)[:frames]
        clip[0, :, : len(energies)] = energies.T
    return made


def log_mel(samples: np.ndarray, rate: int, mel_bins: int) -> np.ndarray:
    """Return log-mel energies ``[frames, mel_bins]`` of one channel, whole windows only.

    Raises ``RequestError`` where there is not even one.
    """
    window, shift = (int(rate * milliseconds * 0.001) for milliseconds in (WINDOW_MILLISECONDS, SHIFT_MILLISECONDS))
    if len(samples) < window:
        raise RequestError(f"a sound of {len(samples) / rate:.3f} s is shorter than one window of 25 ms")
    pieces = np.lib.stride_tricks.sliding_window_view(samples, window)[::shift]  # [frames, window]
    pieces = pieces - pieces.mean(1, keepdims=True)
    pieces = pieces - PRE_EMPHASIS * np.concatenate([pieces[:, :1], pieces[:, :-1]], axis=1)
    size = 1 << (window - 1).bit_length()
    power = np.abs(np.fft.rfft(pieces * np.hanning(window), size)) ** 2  # [frames, size / 2 + 1]
    return np.log(np.maximum(power @ mel_filters(rate, size, mel_bins).T, LOG_FLOOR))


def mel_filters(rate: int, size: int, mel_bins: int) -> np.ndarray:
    """Return triangles on the mel axis ``[mel_bins, size / 2 + 1]``; the last frequency counts for none."""

    def mel(hertz: np.ndarray | float) -> np.ndarray:
        return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)

    lowest, step = mel(LOWEST_HZ), (mel(rate / 2) - mel(LOWEST_HZ)) / (mel_bins + 1)
    left = lowest + step * np.arange(mel_bins)[:, None]
    place = (mel(np.arange(size // 2) * rate / size) - left) / step  # 0 at the left foot, 1 at the top, 2 at the right
    filters = np.maximum(np.minimum(place, 2.0 - place), 0.0)
    return np.pad(filters, ((0, 0), (0, 1)))


def resampled(waveform: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Return a recording ``[channels, samples]`` at another rate by a windowed sinc, ``[channels, samples']``."""
    if rate == target:
        return waveform
    common = math.gcd(rate, target)
    old, new = rate // common, target // common
    cutoff = ROLLOFF * min(old, new)
    reach = math.ceil(SINC_WIDTH * old / cutoff)
    offsets = np.arange(-reach, reach + old) / old - np.arange(new)[:, None] / new  # [new, 2 reach + old]
    x = np.clip(cutoff * offsets, -SINC_WIDTH, SINC_WIDTH)
    kernel = cutoff / old * np.sinc(x) * np.cos(np.pi * x / (2 * SINC_WIDTH)) ** 2
    padded = np.pad(np.asarray(waveform, np.float64), ((0, 0), (reach, reach + old)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1], axis=1)[:, ::old]
    pieces = [windows[:, i : i + ROWS_AT_ONCE] @ kernel.T for i in range(0, windows.shape[1], ROWS_AT_ONCE)]
    samples = np.concatenate(pieces, axis=1).reshape(len(waveform), -1)
    return samples[:, : math.ceil(new * waveform.shape[1] / old)]


def read_sound(path: Path | str) -> tuple[np.ndarray, int]:
    """Return the first sound of a file, also of a video, as ``[channels, samples]`` in -1 to 1, and its rate.

    A rate that has next to nothing in common with 16 kHz is changed to it while reading. Raises ``FileError``, also for
    a sound too long to keep.
    """
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise FileError(f"{path}: there is no sound in this file")
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise FileError(f"{path}: this sound is coded in a way that cannot be read")
            if not LOWEST_RATE <= stream.rate <= HIGHEST_RATE or stream.layout.nb_channels > MOST_CHANNELS:
                raise FileError(
                    f"{path}: a sound of {stream.rate:,} Hz and {stream.layout.nb_channels} channels is not read; save it "
                    "with 44,100 Hz and one or two channels"
                )
            rate = stream.rate if _is_usual(stream.rate) else SAMPLE_RATE
            converter = av.AudioResampler(format="fltp", layout=stream.layout, rate=rate)
            pieces: list[np.ndarray] = []
            left = MOST_NUMBERS
            for frame in container.decode(stream):
                for piece in converter.resample(frame):
                    pieces.append(piece.to_ndarray())
                    left -= pieces[-1].size
                if left < 0:
                    minutes = MOST_NUMBERS / (60 * rate * len(pieces[-1]))
                    raise FileError(f"{path}: this sound is longer than {minutes:.0f} minutes; cut out what matters")
            pieces += [piece.to_ndarray() for piece in converter.resample(None)]
    except (FFmpegError, OSError, ValueError) as error:
        raise FileError(f"{path}: this sound cannot be read ({error})") from error
    if not sum(piece.shape[1] for piece in pieces):
        raise FileError(f"{path}: there is no sound in this file")
    if len({len(piece) for piece in pieces}) > 1:
        raise FileError(f"{path}: this sound is damaged, its number of channels changes; save it again")
    return np.concatenate(pieces, axis=1), rate


def check_heard(path: Path | str, waveform: np.ndarray, rate: int) -> None:
    """Raise ``RequestError`` for a sound ``[channels, samples]`` in which nothing can be heard: silent, or too short."""
    seconds = waveform.shape[1] / rate
    if seconds < 0.001 * WINDOW_MILLISECONDS:
        count = "1 sample" if waveform.shape[1] == 1 else f"{waveform.shape[1]} samples"
        raise RequestError(
            f"{path}: a sound of {count} ({seconds:.4f} s) is shorter than one window of 25 ms; give one of a second or more"
        )
    # A constant offset of the recording is nothing that can be heard.
    if not np.isfinite(waveform).all() or np.ptp(waveform, axis=1).max() < 2 * SILENCE:
        raise RequestError(f"{path}: this sound is silent (nothing above -80 dB); give one in which something is heard")


def _is_usual(rate: int) -> bool:
    common = math.gcd(rate, SAMPLE_RATE)
    old, new = rate // common, SAMPLE_RATE // common
    return new * (old + 2 * math.ceil(SINC_WIDTH * old / (ROLLOFF * min(old, new)))) <= USUAL_KERNEL
