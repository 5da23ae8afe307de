"""The options that say how files become styles, the same in every command that takes ``--style``."""

from typing import Annotated

import typer

StyleFrom = Annotated[
    str, typer.Option(help="What of a video is its style: pose (the person's movement) or content (what it shows).")
]
StyleBy = Annotated[
    str, typer.Option(help="Of pictures, sounds and contents: retrieval (the nearest motion's style) or projection.")
]
