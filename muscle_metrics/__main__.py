"""`python -m muscle_metrics` is the command `muscle-metrics`."""

from __future__ import annotations

from muscle_metrics.cli import run

if __name__ == "__main__":
    run()
