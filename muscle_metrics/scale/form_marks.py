"""SQL of the mark of joined items whose answers may be anything but plain texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muscle_metrics.scale.joining import Joining

__all__ = ["OTHER_FORM", "other_form"]

OTHER_FORM = "other_form"
"""Mark of an item of which an answer may be anything but a plain text without a marker."""

# Whatever `look_at` can take for another form, or for a marker, holds one of these. Letters that
# lower-case or fold to ASCII are among them: RE2 and Python fold them differently.
_TELLING = (
    r"(?i)```|~~~|####|box|answer|[<\[{◁İıſK]|sorry|apologi|unfortunately|can|able|will|won|must|"
    r"have to| ai\b|artificial|model|assistant"
)


def other_form(joining: Joining) -> str:
    """Write the SQL of the mark: cheap, and true rather too often."""
    if not joining.has_answers:
        return f"FALSE AS {OTHER_FORM}"
    plain = " AND ".join(
        f"ascii({run}) = 34 AND regexp_matches(substr({run}, 2), '[\\p{{L}}\\p{{N}}]') "
        f"AND NOT regexp_matches({run}, '{_TELLING}')"
        for run in ("old", "new")
    )
    return f"NOT coalesce({plain}, FALSE) AS {OTHER_FORM}"
