"""``python -m motifmix``."""

import sys

from motifmix.apps.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
