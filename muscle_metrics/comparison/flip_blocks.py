"""Listed items for a terminal: a block for each, with one line for each of its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from muscle_metrics.comparison.items import Item, answer_text
from muscle_metrics.comparison.listed import hide_text_secrets, prompted_texts, shown_answers
from muscle_metrics.comparison.worst import count_worst, worst_items
from muscle_metrics.words.escape import brief, one_line, shorten, terminal
from muscle_metrics.words.numbers import counted, score
from muscle_metrics.words.place import item_name
from muscle_metrics.words.secrets import hide_secrets, plain_line, without_secrets
from muscle_metrics.words.table import cut_end, cut_middle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.listed import ItemTexts

__all__ = ["Block", "FlipBlocks", "block_lines", "flip_block", "flip_blocks"]

NAME_LIMIT = 400
# Without an indent an id such as "PASS" would look like a verdict.
INDENT = "  "
# Characters before the first difference of two long texts that are shown.
CONTEXT = 16
LEAST_ROOM = 20


class Block(NamedTuple):
    """One item: its names as "item" and perhaps "slice", and its texts, with a label each."""

    names: Sequence[tuple[str, str]]
    texts: Sequence[tuple[str, str]]


class FlipBlocks:
    """Blocks under a title, cut to the width of the screen, or of the page behind a pipe."""

    def __init__(self, title: str, blocks: Sequence[Block]) -> None:
        self.title = title
        self.blocks = blocks

    def __rich_console__(
        self, _console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        """Yield the title and the lines; in a pipe names stay whole, as in tables."""
        yield Text(plain_line(self.title))
        for block in self.blocks:
            name, *texts = block_lines(block, options.max_width, cuts_names=options.is_terminal)
            yield Text(name, style="bold")
            yield from map(Text, texts)


def flip_blocks(comparison: Facts, most: int) -> FlipBlocks:
    """Blocks of the items that broke or got worse, at most so many, the largest loss first."""
    total, worst = count_worst(comparison), worst_items(comparison)
    items = worst[:most]
    listed = prompted_texts(comparison, items)
    names_task = len(comparison.part_names("task")) > 1
    blocks = []
    for item, texts in zip(items, listed.items, strict=True):
        shown = Item._make(hide_secrets(tuple(item)).value)
        hidden = hide_text_secrets(texts).value
        repeat = shown.repeat if comparison.prompts is None else None
        name = item_name(shown.task if names_task else None, hidden.number or shown.id, repeat)
        block = flip_block(shown, hidden, name=name)
        blocks.append(block._replace(texts=[*block.texts, *_score_line(comparison, item)]))
    return FlipBlocks(_title(comparison, len(items), total, listed.problem), blocks)


def flip_block(item: Item, texts: ItemTexts, *, name: str | None = None) -> Block:
    r"""Block of an item whose secrets are hidden: prompt, both answers and reference.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> from muscle_metrics.comparison.listed import ItemTexts
    >>> (item,) = compare(old=["A"], new=["two\nlines"], references=["A"]).items()
    >>> print("\n".join(block_lines(flip_block(item, ItemTexts()), 60)))
      0
        old        A
        new        two↵lines
        reference  A
    """
    absent = ("not recorded" if item.quadrant else "no answer", "no answer", "not recorded")
    old, new, reference = (
        nothing if answer is None else answer_text(answer)
        for answer, nothing in zip(shown_answers(item, texts), absent, strict=True)
    )
    prompt = [] if texts.question is None else [("prompt", texts.question)]
    names = [("item", item.name if name is None else name)]
    names += [("slice", item.slice)] if item.slice else []
    change = [] if texts.generations is None else [("right", texts.generations)]
    answers = [*change, ("old", old), ("new", new), ("reference", reference)]
    mismatch = [] if texts.new_mismatch is None else [("mismatch", texts.new_mismatch)]
    return Block(names, [*prompt, *answers, *mismatch])


def block_lines(block: Block, width: int, *, cuts_names: bool = False) -> list[str]:
    """Lines of a block without any control character; only a name may be wider than `width`.

    Where two long answers begin alike, both are shown from shortly before they differ.
    """
    labels = [plain_line(label) for label, _ in block.texts]
    edge = max(map(len, [*labels, "reference"])) + 2
    room = max(width - 2 * len(INDENT) - edge, LEAST_ROOM)
    starts = _starts(dict(block.texts), room)
    (_, item), *names = block.names
    shown = [_name(one, room if cuts_names else None) for _, one in names]
    for label, text in block.texts:
        start = starts.get(label, 0)
        # Cut before escaping too: a text may be megabytes long.
        part = one_line(("…" if start else "") + text[start : start + room + 1])
        shown.append(cut_end(part, room))
    labels = [label for label, _ in names] + labels
    return [
        INDENT + _name(item, width - len(INDENT) if cuts_names else None),
        *(
            f"{2 * INDENT}{label:{edge}}{text}".rstrip()
            for label, text in zip(labels, shown, strict=True)
        ),
    ]


def _name(name: str, room: int | None) -> str:
    whole = terminal(brief(name, NAME_LIMIT))
    return whole if room is None else cut_middle(whole, room)


def _starts(texts: dict[str, str], room: int) -> dict[str, int]:
    """Where to begin both answers so that their first difference is seen."""
    old, new = texts.get("old", ""), texts.get("new", "")
    pairs = enumerate(zip(old, new, strict=False))
    alike = next((i for i, (one, other) in pairs if one != other), min(len(old), len(new)))
    if old == new or alike < room - CONTEXT or max(len(old), len(new)) <= room:
        return {}
    return dict.fromkeys(("old", "new"), alike - CONTEXT)


def _title(comparison: Facts, shown: int, total: int, problem: str | None) -> str:
    if comparison.prompts is not None:
        what = f"{counted(total, 'prompt')} with fewer right answers than before"
    elif comparison.is_judged:
        what = f"{counted(total, 'item')} that broke"
    else:
        name = shorten(without_secrets(next(iter(comparison.changes))), NAME_LIMIT)
        what = f"{counted(total, 'item')} that got worse in {name}"
    if comparison.prompts is not None and shown > 1:
        what += ", the surest first"
    elif comparison.changes and shown > 1:
        what += ", the largest loss first"
    if not total and comparison.prompts is not None:
        title = "no prompt has fewer right answers than before"
    elif not total:
        title = f"no item {'broke' if comparison.is_judged else 'got worse'}"
    elif shown < total:
        title = f"{shown} of {what}; all of them: --flips {total} (flips=)"
    else:
        title = f"all {what}" if total > 1 else what
    return f"{title}; {problem}" if problem else title


def _score_line(comparison: Facts, item: Item) -> Iterable[tuple[str, str]]:
    """Both scores of the metric that items are sorted by, unless they are the answers shown."""
    held = comparison.in_memory
    if held is None or not held.changes:
        return []
    metric, changes = next(iter(held.changes.items()))
    row = held.table.position_of(item)
    old, new = float(changes.old[row]), float(changes.new[row])
    if (item.old, item.new) == (old, new):
        return []
    return [(shorten(without_secrets(metric), 40), f"{score(old)} to {score(new)}")]
