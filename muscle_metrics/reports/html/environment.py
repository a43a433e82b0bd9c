"""The templates and their filters; every value in a template is made visible and escaped."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.errors import require
from muscle_metrics.flips.rate_table import MCNEMAR, RATES, SCORE_MEANS, SCORE_RATES
from muscle_metrics.reports.charts import TITLES, check_axis
from muscle_metrics.words.escape import json_source, lines, markup_source, shorten
from muscle_metrics.words.numbers import (
    counted,
    percent,
    percent_range,
    plural,
    points,
    points_range,
    ratio,
    score,
    score_range,
    true_minus,
)
from muscle_metrics.words.secrets import brief_name, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment
    from markupsafe import Markup

__all__ = ["Script", "page_environment", "render", "script_of"]

# Ids may be whole questions.
NAME_LIMIT = 160
ID_LIMIT = 20
LINE_LIMIT = 90


@cache
def page_environment() -> Environment:
    r"""Templates in which every value is made visible and then escaped as markup.

    Raises
    ------
    MissingDependencyError
        If jinja2 is not installed.

    Examples
    --------
    >>> template = page_environment().from_string("<p>{{ text }}</p>")
    >>> print(template.render(text="<b>\x1b{{ 7 * 7 }}"))
    <p>&lt;b&gt;\u001b{{ 7 * 7 }}</p>
    """
    jinja2 = require("jinja2", "report")
    environment: Environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        finalize=_visible,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "answer_text": answer_text,
        "brief": partial(brief_name, limit=NAME_LIMIT),
        "as_json": _as_json,
        "counted": partial(counted, separator=","),
        "css": _css,
        "one_line": _one_line,
        "percent": partial(percent, digits=1),
        "percent_range": partial(percent_range, digits=1),
        "plural": plural,
        "points": _typeset(points),
        "points_range": _typeset(points_range),
        "ratio": ratio,
        "score": _typeset(score),
        "score_range": _typeset(score_range),
        "short_id": _short_id,
        "shorten": lambda text, limit: shorten(without_secrets(text), limit),
        "true_minus": true_minus,
    }
    environment.globals |= {
        "check_axis": check_axis,
        "infinity": math.inf,
        "mcnemar": MCNEMAR,
        "relative": RATES["relative_negative_flip_rate"],
        "score_means": SCORE_MEANS,
        "score_rates": SCORE_RATES,
        "titles": TITLES,
    }
    return environment


def render(template: str, **values: Any) -> Markup:
    """Fill in a template; the result is markup, for a page or for another template."""
    markup: type[Markup] = require("markupsafe", "report").Markup
    return markup(page_environment().get_template(template).render(**values))


class Script(NamedTuple):
    """The script of a page, and its hash for the page's security policy."""

    source: Markup
    digest: str


@lru_cache(maxsize=4)
def script_of(name: str) -> Script:
    """Read the script of a page, which holds no data and is the same on every such page."""
    markup: type[Markup] = require("markupsafe", "report").Markup
    source = Path(__file__).with_name("templates").joinpath(name).read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return Script(markup(source), digest)


def _short_id(text: str) -> str:
    """Name of an item for a narrow column; the item itself shows all of it."""
    from muscle_metrics.words.table import cut_middle

    return cut_middle(brief_name(text, NAME_LIMIT), ID_LIMIT)


def _as_json(value: Any) -> str:
    """Write texts as JSON in ASCII, from which the script of a page gets them back exactly."""
    return json_source(json.dumps(value))


def _visible(value: Any) -> Any:
    """Make text visible, hide its secrets and escape it; markup is escaped already."""
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, str):
        markupsafe = require("markupsafe", "report")
        shown = markupsafe.escape(lines(without_secrets(value)))
        return markupsafe.Markup(markup_source(str(shown)))
    if isinstance(value, int):
        return f"{value:,}"
    raise TypeError(f"expected text or a count in a template, got {type(value).__name__}")


def _typeset(write: Callable[..., str]) -> Callable[..., str]:
    """Write numbers with true minus signs."""
    return lambda *values, **options: true_minus(write(*values, **options))


def _css(share: float) -> str:
    """Share of a chart as a length for CSS or SVG; a share outside of [0, 1] is cut."""
    return f"{100 * min(max(share, 0.0), 1.0):.3f}%"


def _one_line(value: Any) -> str:
    """First words of an answer."""
    if value is None:
        return "no answer"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = " ".join(without_secrets(answer_text(value)[: 10 * LINE_LIMIT]).split())
    return shorten(text, LINE_LIMIT) or "empty"
