"""What can go wrong through no fault of the program.

MotifmixError            the root: one sentence that says what happened, where, and what to do
|- FileError             a file that cannot be read or written as asked
|  `- ParseError         its text is not what its suffix promises (the line is named)
|- RequestError          a request that cannot be met (length, text, style, options)
|- WeightsError          weights or their card are missing, altered, or do not fit
`- DataError             a dataset that is not in the layout that its reader knows

The command line prints such an error in one line and exits with 2; everything else is a bug and shows its traceback.
"""


class MotifmixError(Exception):
    """Root of all errors that a person can cause and mend."""


class FileError(MotifmixError):
    """A file that cannot be read or written as asked."""


class ParseError(FileError):
    """A file whose content is not what its suffix promises."""


class RequestError(MotifmixError):
    """A request that cannot be met as it stands."""


class WeightsError(MotifmixError):
    """Weights or their card are missing, altered, or do not fit the network."""


class DataError(MotifmixError):
    """A dataset that is not in the layout that its reader knows."""
