"""Each source is named once, however many motions owe it."""

import numpy as np

from motifmix.credits import BANDAI_NAMCO, CMU, together
from motifmix.motion import MOTIFMIX, Motion, credit_line


def test_sources_that_several_motions_owe_are_named_once():
    both = f"{BANDAI_NAMCO.line}; {CMU.line}"
    assert together([both, CMU.line, "", "somebody's recording"]) == f"{both}; somebody's recording"
    rotations = np.tile([0.0, 0.0, 0.0, 1.0], (2, len(MOTIFMIX.names), 1))
    people = [Motion(MOTIFMIX, rotations, np.zeros((2, 3)), 30.0).with_labels(credit=line) for line in (both, CMU.line)]
    assert credit_line(people) == both
