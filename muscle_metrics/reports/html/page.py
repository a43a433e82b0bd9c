"""The page as a whole: what it holds, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from muscle_metrics.comparison.secrets import hide_comparison_secrets
from muscle_metrics.errors import UsageError
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.reports.html.answers import answer_table
from muscle_metrics.reports.html.environment import render
from muscle_metrics.reports.html.explorer import explore
from muscle_metrics.reports.html.headline import decision, story, story_details
from muscle_metrics.reports.html.limits import noise_rows, reachable_limits
from muscle_metrics.reports.html.quadrants import quadrant_cells
from muscle_metrics.reports.html.rate_rows import flip_rows
from muscle_metrics.reports.html.redaction import redacted
from muscle_metrics.reports.html.score_charts import score_charts
from muscle_metrics.reports.html.slices import slice_forest
from muscle_metrics.reports.html.versions import describe_chain
from muscle_metrics.reports.html.wording import brief
from muscle_metrics.reports.ranking import rank_parts
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.reports.html.entries import Entry
    from muscle_metrics.reports.html.explorer import Explorer, View

__all__ = ["EXAMPLES", "Page", "html_report", "make_page"]

# Of each view of items, and of all of them together: a page of 10 000 items stays below 5 MB.
EXAMPLES = 1000
ITEM_BYTES = 4_000_000


class Page(NamedTuple):
    """A page, and how many of the items that changed did not fit into it.

    Examples
    --------
    >>> Page("<!doctype html>", 0).left_out
    0
    """

    text: str
    left_out: int


def html_report(
    comparison: Comparison,
    *,
    verdict: Verdict | None = None,
    chain: Chain | None = None,
    examples: int = EXAMPLES,
    redact: bool = False,
    command: str | None = None,
    items_file: str | None = None,
) -> str:
    """Show a comparison as one page to be opened, printed, sent or archived.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    verdict : Verdict, optional
        What a gate decided about it; then it comes first.
    chain : Chain, optional
        The versions that the new one is the last of.
    examples : int
        Largest number of items of each kind of change that are listed; 0 lists none, and publishes
        neither prompts nor answers nor references.
    redact : bool
        Whether the length and a hash stand in place of every prompt, answer and reference. Ids and
        names stay.
    command : str, optional
        The command that makes the page again.
    items_file : str, optional
        Name of a file beside the page that holds all items, to link to where not all are listed;
        `muscle_metrics.reports.csv.items_csv` makes its content.

    Returns
    -------
    str
        HTML without scripts, and without anything to be loaded from elsewhere.

    Raises
    ------
    UsageError
        If `examples` is negative.
    MissingDependencyError
        If jinja2 is not installed: ``pip install 'muscle-metrics[report]'``.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> page = html_report(compare(old=["A"], new=["B"], references=["A"]))
    >>> page.startswith("<!doctype html>")
    True
    """
    return make_page(
        comparison,
        verdict=verdict,
        chain=chain,
        examples=examples,
        redact=redact,
        command=command,
        items_file=items_file,
    ).text


def make_page(
    comparison: Comparison,
    *,
    verdict: Verdict | None,
    chain: Chain | None,
    examples: int,
    redact: bool,
    command: str | None,
    items_file: str | None,
) -> Page:
    """Make the page of `html_report`, and count what did not fit.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A", "A"], new=["B", "B"], references=["A", "A"])
    >>> nothing = {"verdict": None, "chain": None, "command": None, "items_file": None}
    >>> make_page(comparison, examples=1, redact=False, **nothing).left_out
    1
    """
    if examples < 0:
        raise UsageError(f"expected examples to be at least 0, got {examples!r}: 0 lists no items")
    comparison, secrets = hide_comparison_secrets(comparison)
    if redact:
        comparison = redacted(comparison)
    pinned = () if verdict is None else verdict.broken_pins
    explorer = _explorer(comparison, examples, pinned) if examples else None
    judged = comparison.correctness is not None
    counts = comparison.counts if judged else None
    text = render(
        "page.html",
        names=[brief(name) for name in comparison.names],
        total=comparison.total,
        decision=None if verdict is None else decision(hide_verdict_secrets(verdict)),
        story=story(comparison),
        details=story_details(comparison),
        notes=_notes(comparison, redact=redact, secrets=secrets),
        cells=[] if counts is None else quadrant_cells(counts),
        rates=[] if counts is None else flip_rows(counts),
        forests=[
            forest
            for kind, parts in (("slice", "slices"), ("task", "tasks"))
            if counts and (forest := slice_forest(kind, getattr(comparison, parts), counts))
        ],
        scores=[score_charts(brief(name), one) for name, one in comparison.changes.items()],
        answers=answer_table(comparison) if examples else None,
        noise=noise_rows(comparison),
        limits=reachable_limits(comparison, verdict),
        versions=None if chain is None else describe_chain(chain),
        explorer=explorer,
        examples=examples,
        items_file=items_file,
        items_link=quote(items_file or "", errors="backslashreplace"),
        fingerprints=_fingerprints(comparison.fingerprints),
        signature=comparison.signature,
        command=None if command is None else hide_secrets(command).value,
    )
    return Page(str(text), 0 if explorer is None else explorer.left_out)


def _explorer(comparison: Comparison, examples: int, pinned: tuple[str, ...]) -> Explorer:
    def write(entry: Entry, view: View) -> str:
        return render("item.html", entry=entry, view=view)

    return explore(
        comparison,
        write,
        most=examples,
        room=ITEM_BYTES,
        labels=_labels(comparison),
        pinned=pinned,
    )


def _labels(comparison: Comparison) -> list[str]:
    """Slices, or tasks where there are none, in the order in which the page shows them."""
    table = comparison.table
    column = table.slices if any(table.slices) else table.tasks
    if comparison.correctness is None:
        return sorted({label for label in column if label})
    parts = comparison.slices if any(table.slices) else comparison.tasks
    return [part.name for part in rank_parts(parts) if part.name] if parts else []


def _notes(comparison: Comparison, *, redact: bool, secrets: int) -> list[str]:
    notes = [
        f"{count:,} left out: {reason}." for reason, count in comparison.dropped.items() if count
    ]
    if comparison.table.is_clustered:
        notes.append(
            "Items share prompts or groups. The intervals on this page treat them as independent; "
            "a gate does not."
        )
    if secrets:
        notes.append(f"What looks like a key or a password is hidden: {secrets:,} in all.")
    if redact:
        notes.append("Prompts, answers and references are replaced by their lengths and hashes.")
    return notes


def _fingerprints(
    fingerprints: tuple[Mapping[str, str], Mapping[str, str]],
) -> list[tuple[str, str, str]]:
    old, new = fingerprints
    return [
        (brief(part), brief(old.get(part, "not recorded")), brief(new.get(part, "not recorded")))
        for part in sorted({*old, *new})
    ]
