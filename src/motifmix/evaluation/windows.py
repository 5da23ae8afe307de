"""Windows of the content set's test side on which captions are judged: whole short takes, pieces of long ones."""

from dataclasses import dataclass

from motifmix.data.prepared import Prepared
from motifmix.data.sample import Clip
from motifmix.motion.motion import Motion
from motifmix.pretrained.judges import LONGEST_SECONDS

SHORTEST_SECONDS = 1.0
PIECE_SECONDS = 6.0  # where a caption holds for any window, a long take is cut into pieces of about this length


@dataclass(frozen=True)
class CaptionedWindow:
    """Frames ``first`` to ``first + frames`` of a clip, at the clip's own rate, with a caption that is true of them."""

    clip: Clip
    first: int
    frames: int
    caption: str

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.clip.fps

    def motion(self, folder: Prepared) -> Motion:
        """Return the real motion."""
        return folder.motion(self.clip, self.first, self.frames)


def captioned_windows(folder: Prepared, split: str = "test") -> list[CaptionedWindow]:
    """Return the windows of all captioned clips of one side, in the order of the clips, mirrored twins left out.

    A caption that holds for the whole clip gets one window; one that holds for any window gets as many pieces of about
    six seconds as fit. The captions of a clip take turns over its windows.
    """
    windows = []
    for clip in folder.select(split=split, mirrored=False, captioned=True):
        if clip.role != "content" or clip.text_rule == "none" or clip.seconds < SHORTEST_SECONDS:
            continue
        longest = int(LONGEST_SECONDS * clip.fps)
        if clip.text_rule == "whole":
            if clip.frames <= longest:
                windows += [CaptionedWindow(clip, 0, clip.frames, caption) for caption in clip.captions]
            continue
        shortest = max(clip.text_seconds, SHORTEST_SECONDS)
        pieces = max(1, round(clip.seconds / max(PIECE_SECONDS, shortest)))
        length = min(clip.frames // pieces, longest)
        windows += [
            CaptionedWindow(clip, piece * length, length, clip.captions[piece % len(clip.captions)])
            for piece in range(pieces)
        ]
    return windows
