"""``python -m motifmix``."""

import sys

from motifmix.apps.cli.main import main

sys.exit(main())
