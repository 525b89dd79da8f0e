"""``python -m neuroanp``."""

import sys

from neuroanp.cli.main import main

sys.exit(main())
