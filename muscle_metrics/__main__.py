"""`python -m muscle_metrics` is the command `muscle-metrics`."""

from __future__ import annotations

import sys

from muscle_metrics.cli import main

if __name__ == "__main__":
    sys.exit(main())
