"""A report of a comparison as a file, in the format that the ending of its name says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.secrets import redact_comparison
from muscle_metrics.errors import UsageError
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.reports.files import check_target, is_file, write_text
from muscle_metrics.reports.html.page import EXAMPLES, make_page
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.reports.html.page import Page

__all__ = ["write_page", "write_report"]

_OF_VERDICTS = {".json": verdict_json, ".md": verdict_markdown, ".xml": verdict_junit}
_OF_ITEMS = (".html", ".csv")


def write_report(
    comparison: Facts,
    path: str | os.PathLike[str],
    *,
    verdict: Verdict | None = None,
    **options: Any,
) -> None:
    """Write a report of a comparison.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Old against new.
    path : str or path
        A file ``.html``, ``.csv``, ``.json``, ``.md`` or ``.xml``.
    verdict : Verdict, optional
        The verdict of a gate on it; ``.md`` and ``.xml`` need one.
    **options
        Those of `html_report` for a page; for a verdict ``examples``, in Markdown ``like``.

    Raises
    ------
    UsageError
        If the ending is none of these, the file cannot be written, or the format needs items that
        an engine did not keep.
    """
    name = os.fspath(path)
    ending = Path(name).suffix.lower()
    known = [".html", ".csv", ".json"] if verdict is None else [*_OF_ITEMS, *_OF_VERDICTS]
    if ending not in known:
        needed = " (which shows a verdict)" if ending in _OF_VERDICTS else ""
        raise UsageError(
            f"expected a report that ends in {', '.join(known)}, got {visible(name)!r}{needed}: "
            f"name it so, or pass verdict=comparison.gate(policy)"
        )
    check_target(name)
    held = comparison.in_memory
    if ending in _OF_ITEMS:
        if held is None:
            raise UsageError(
                f"expected items in memory for {ending}, got counts of an engine: write .json, or "
                f"compare in memory with --engine memory"
            )
        if ending == ".html":
            _write_html(held, name, verdict, options)
        else:
            write_text(name, _table(held, **options))
    elif verdict is None:
        write_text(name, comparison.to_json(**options) + "\n")
    else:
        write_text(name, _OF_VERDICTS[ending](verdict, comparison, **options))


def write_page(
    page: Page, path: str, items_file: str | None, comparison: Comparison, *, redact: bool
) -> bool:
    """Write a page, and beside it the table of all items where not all fit into the page.

    Returns
    -------
    bool
        Whether the table was written.
    """
    has_table = bool(page.left_out and items_file)
    # The table first: a page must not link to a file that could not be written.
    if page.left_out and items_file:
        write_text(items_file, _table(comparison, redact=redact))
    write_text(path, page.text)
    return has_table


def _table(comparison: Comparison, *, redact: bool = False) -> str:
    return items_csv(redact_comparison(comparison) if redact else comparison)


def _write_html(
    comparison: Comparison, path: str, verdict: Verdict | None, options: dict[str, Any]
) -> None:
    items_file = str(Path(path).with_suffix(".csv")) if is_file(path) else None
    defaults = {"chain": None, "examples": EXAMPLES, "redact": False, "command": None}
    chosen = {**defaults, **options}
    page = make_page(
        comparison, verdict=verdict, items_file=items_file and Path(items_file).name, **chosen
    )
    write_page(page, path, items_file, comparison, redact=chosen["redact"])
