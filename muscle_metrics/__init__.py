"""muscle-metrics: what a model update broke, item by item, with its uncertainty."""

__version__ = "0.1.0"
