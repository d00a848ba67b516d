"""`python -m flows.cli`: the same as `jepa`."""

import sys

from flows.cli.main import main

sys.exit(main())
