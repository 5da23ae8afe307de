"""Where the clips lie that ImageBind takes of a video or a sound: evenly from the beginning to the end."""

from fractions import Fraction


def clip_times(duration: float, clips: int, seconds: float) -> list[tuple[Fraction, Fraction]]:
    """Return start and end in seconds of each clip, exact fractions; a short recording gives the same clip again.

    As in the video library at the commit that ImageBind pins. Its release 0.1.5 divides by ``clips`` instead of
    ``clips - 1``.
    """
    step = max(Fraction(duration) - Fraction(seconds), Fraction(0)) / max(clips - 1, 1)
    return [(step * i, step * i + Fraction(seconds)) for i in range(clips)]
