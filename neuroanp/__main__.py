"""``python -m neuroanp``."""

import sys

from neuroanp.cli import main

sys.exit(main())
