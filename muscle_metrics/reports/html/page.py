"""The page as a whole: its sections and their data."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import numpy as np

from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.comparison.answer_forms import form_lines
from muscle_metrics.comparison.chain_bounds import survival_bounds
from muscle_metrics.comparison.near_misses import near_miss_lines
from muscle_metrics.comparison.ranking import (
    MOST_UNFOLDED,
    RankedPart,
    distinct_parts,
    rank_parts,
)
from muscle_metrics.comparison.remarks import dependence_text
from muscle_metrics.comparison.secrets import (
    hide_comparison_secrets,
    redact_comparison,
    secret_names,
)
from muscle_metrics.comparison.story import leading_score, story, story_details
from muscle_metrics.comparison.uncertainty import (
    cell_bounds,
    decoding_noise,
    rate_bounds,
    score_bounds,
)
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.rate_table import RATES
from muscle_metrics.gate.verdict import hide_verdict_secrets
from muscle_metrics.reports.charts import (
    Axis,
    Tile,
    answer_table,
    axis_from_zero,
    mosaic_tiles,
    score_charts,
)
from muscle_metrics.reports.html.certainty import reachable_limits
from muscle_metrics.reports.html.environment import render, script_of
from muscle_metrics.reports.html.explorer import explore
from muscle_metrics.words.secrets import hide_secrets

if TYPE_CHECKING:
    from muscle_metrics.comparison.chains import Chain
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.units import Kind
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.gate.verdict import Verdict
    from muscle_metrics.slices.found import FoundSlice, FoundSlices

__all__ = ["EXAMPLES", "Page", "html_report", "make_page"]

# Items of each view, and bytes of all items: a page of 10 000 items stays below 5 MB.
EXAMPLES = 1000
ITEM_BYTES = 4_000_000
MOST_PARTS = 100
# The other rates follow from these, or are accuracies, which the headline shows.
RATES_SHOWN = (
    "negative_flip_rate",
    "positive_flip_rate",
    "inconsistency_flip_rate",
    "wrong_to_different_wrong_rate",
    "right_to_different_right_rate",
    "churn",
    "conditional_negative_flip_rate",
    "fix_rate",
    "negative_flip_impact",
    "avoidable_negative_flip_rate",
)


class Page(NamedTuple):
    """A page, and how many of the items that changed did not fit into it."""

    text: str
    left_out: int


def html_report(
    comparison: Comparison,
    *,
    verdict: Verdict | None = None,
    chain: Chain | None = None,
    found: FoundSlices | None = None,
    examples: int = EXAMPLES,
    redact: bool = False,
    script: bool = True,
    command: str | None = None,
    items_file: str | None = None,
    like: str | None = None,
) -> str:
    """Show a comparison as one page to be opened, printed, sent or archived.

    Parameters
    ----------
    comparison : Comparison
        Old against new.
    verdict : Verdict, optional
        The verdict of a gate on it, shown first.
    chain : Chain, optional
        Versions of the model, of which the new one is the last.
    found : FoundSlices, optional
        Kinds of items that broke more often, as `find_slices` found them.
    examples : int
        Largest number of items of each kind of change that are listed; 0 lists none, and publishes
        neither prompts nor answers nor references.
    redact : bool
        Whether to replace every prompt, answer and reference by its length and a hash. Ids and
        names stay.
    script : bool
        Whether the page has a script, for search, order, steps from item to item, and a file of
        marked ids. Its hash stands in the page's security policy, so that nothing else can run.
    command : str, optional
        The command that makes the page again.
    items_file : str, optional
        Name of a file beside the page that holds all items, to link to where not all are listed;
        `muscle_metrics.reports.csv.items_csv` makes its content.
    like : str, optional
        Family or task of the public updates to place this one among, as in `atlas.place`.

    Returns
    -------
    str
        HTML without anything to be loaded from elsewhere.

    Raises
    ------
    UsageError
        If `examples` is negative, or the atlas has no such family or task.
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
        found=found,
        examples=examples,
        redact=redact,
        script=script,
        command=command,
        items_file=items_file,
        like=like,
    ).text


def make_page(
    comparison: Comparison,
    *,
    verdict: Verdict | None,
    chain: Chain | None,
    examples: int,
    redact: bool,
    script: bool = True,
    command: str | None,
    items_file: str | None,
    like: str | None = None,
    found: FoundSlices | None = None,
) -> Page:
    """Make the page of `html_report`, and count the items that did not fit."""
    if examples < 0:
        raise UsageError(f"expected examples to be at least 0, got {examples!r}: 0 lists no items")
    comparison, secrets = hide_comparison_secrets(comparison)
    secrets += secret_names(comparison)
    # Before texts are replaced; a page that lists no items and a redacted one quote none.
    hints = near_miss_lines(comparison, texts=bool(examples) and not redact)
    # Hashes in place of answers would have no form.
    forms = form_lines(comparison)
    if redact:
        comparison = redact_comparison(comparison)
    counts = None if comparison.correctness is None else comparison.counts
    explorer = None
    if examples:
        explorer = explore(
            comparison,
            most=examples,
            room=ITEM_BYTES,
            labels=_labels(comparison),
            pinned=() if verdict is None else verdict.broken_pins,
            chain=chain if _ends_in(chain, comparison) else None,
            script=script,
        )
    secrets += 0 if explorer is None else explorer.secrets
    if explorer is not None and explorer.problem:
        hints = [*hints, explorer.problem]
    noise = decoding_noise(comparison)
    is_invalid = verdict is not None and verdict.outcome == "INVALID"
    placed = [] if is_invalid else place_lines(comparison, like)
    text = render(
        "page.html",
        comparison=comparison,
        counts=counts,
        verdict=None if verdict is None else hide_verdict_secrets(verdict),
        chain=chain,
        found=found,
        findings=[] if found is None else _findings(found, hidden=redact or not examples),
        story=story(comparison),
        details=[*story_details(comparison), *map(_sentence, placed)],
        notes=[
            *map(_sentence, [*hints, *forms]),
            *_notes(comparison, redact=redact, secrets=secrets),
        ],
        panels=_panels(comparison),
        most_unfolded=MOST_UNFOLDED,
        script=script_of("page.js") if script and explorer is not None else None,
        tiles=[] if counts is None else _tiles(comparison, counts),
        rates=[
            (RATES[key], getattr(counts, key), rate_bounds(comparison, key))
            for key in RATES_SHOWN
            if counts is not None
        ],
        forests=[] if counts is None else _forests(comparison),
        scores={
            name: (one, score_charts(one), partial(score_bounds, comparison, name))
            for name, one in comparison.changes.items()
        },
        answers=answer_table(comparison) if examples else None,
        noise=noise_parts(noise),
        passes=[] if comparison.prompts is None else comparison.prompts.pass_changes(),
        prompts=None if comparison.prompts is None else comparison.prompts.summary(),
        least_loss=0.0 if noise is None else noise.regression_lower_bound(),
        survival=[]
        if chain is None
        else [(rate, survival_bounds(chain, i)) for i, rate in enumerate(chain.survival)],
        limits=reachable_limits(comparison, verdict),
        explorer=explorer,
        items_file=items_file,
        items_link=quote(items_file or "", errors="backslashreplace"),
        recorded=sorted(set().union(*comparison.fingerprints)),
        command=None if command is None else hide_secrets(command).value,
    )
    return Page(str(text), 0 if explorer is None else explorer.left_out)


def _ends_in(chain: Chain | None, comparison: Comparison) -> bool:
    """Whether a comparison is the last update of a chain, over the same items."""
    judged = comparison.correctness
    return (
        chain is not None
        and judged is not None
        and list(chain.keys) == comparison.table.keys
        and np.array_equal(chain.right[-2:], [judged.old_right, judged.new_right])
    )


class _Forest(NamedTuple):
    """Slices or tasks on one axis, those that differ, and how many of them did not fit."""

    kind: str
    parts: list[tuple[RankedPart, Bounds | None]]
    axis: Axis
    distinct: dict[str, str]
    left_out: int


def _forests(comparison: Comparison) -> list[_Forest]:
    forests = []
    kinds: tuple[tuple[Kind, dict[str, FlipCounts]], ...] = (
        ("slice", comparison.slices),
        ("task", comparison.tasks),
    )
    for kind, parts in kinds:
        ranked = rank_parts(parts)
        shown = [
            (part, rate_bounds(comparison, "negative_flip_rate", Part(kind, part.name)))
            for part in ranked[:MOST_PARTS]
        ]
        if shown:
            axis = axis_from_zero(max(bounds.high for _, bounds in shown if bounds))
            distinct = {} if comparison.is_clustered else distinct_parts(parts, comparison.counts)
            forests.append(_Forest(kind, shown, axis, distinct, len(ranked) - len(shown)))
    return forests


def _panels(comparison: Comparison) -> list[str | None]:
    """Scores that changed, and None for right and wrong; the leading one comes first."""
    judged = [] if comparison.correctness is None else [None]
    lead = leading_score(comparison)
    return sorted([*judged, *comparison.changes], key=lambda name: name != lead)


class _Findings(NamedTuple):
    """Found slices of one kind with their names, on one axis."""

    kind: str
    slices: list[tuple[str, FoundSlice]]
    axis: Axis


def _findings(found: FoundSlices, *, hidden: bool) -> list[_Findings]:
    """Found slices of items and of answers; `hidden` hides what they quote."""
    return [
        _Findings(
            kind,
            [(one.shown(hidden=hidden), one) for one in slices],
            axis_from_zero(max((one.bounds.high for one in slices), default=0.0)),
        )
        for kind, slices in (("item", found.items), ("answer", found.answers))
    ]


def _tiles(comparison: Comparison, counts: FlipCounts) -> list[tuple[Tile, Bounds | None]]:
    """Tiles of the mosaic, each with the interval of its share."""
    return [(tile, cell_bounds(comparison, tile.quadrant)) for tile in mosaic_tiles(counts)]


def _labels(comparison: Comparison) -> list[str]:
    """Slices, or tasks where there are none, in the order in which the page shows them."""
    table = comparison.table
    column = table.slices if any(table.slices) else table.tasks
    if comparison.correctness is None:
        return sorted({label for label in column if label})
    parts = comparison.slices if any(table.slices) else comparison.tasks
    return [part.name for part in rank_parts(parts) if part.name]


def _sentence(line: str) -> str:
    return f"{line[:1].upper()}{line[1:]}."


def _notes(comparison: Comparison, *, redact: bool, secrets: int) -> list[str]:
    notes = [
        f"{count:,} left out: {reason}." for reason, count in comparison.dropped.items() if count
    ]
    if comparison.reading is not None:
        notes += map(_sentence, comparison.reading.notes())
    if comparison.table.is_clustered:
        notes.append(_sentence(dependence_text(comparison)))
    if secrets:
        notes.append(f"What looks like a key or a password is hidden: {secrets:,} in all.")
    if redact:
        notes.append("Prompts, answers and references are replaced by their lengths and hashes.")
    return notes
