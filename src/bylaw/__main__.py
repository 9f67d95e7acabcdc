"""`python -m bylaw`."""

import sys

from bylaw.cli import main

sys.exit(main())
