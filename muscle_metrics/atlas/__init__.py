"""The atlas: what public model updates broke, counted item by item, to place an update among them.

The tables hold counts, names of models, and where the counts come from; no text of any source.
"""

from __future__ import annotations

from muscle_metrics.atlas.limits import UsualRates, usual_rates
from muscle_metrics.atlas.placing import Place, place
from muscle_metrics.atlas.table import frame

__all__ = ["Place", "UsualRates", "frame", "place", "usual_rates"]
