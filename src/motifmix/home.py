"""Where motifmix keeps what it makes: ``MOTIFMIX_HOME``, by default the platform's folder for user data."""

import os
from pathlib import Path

PACKAGE_WEIGHTS = Path(__file__).parent / "weights"


def home() -> Path:
    """Return the folder for caches, prepared data and training runs; it need not exist yet."""
    chosen = os.environ.get("MOTIFMIX_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("motifmix", appauthor=False)
