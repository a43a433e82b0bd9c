"""Readers that remove reasoning blocks and the fences of code."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from muscle_metrics.answers.reading.reader import Reader

__all__ = ["READERS", "Fences", "fences_of", "without_fence", "without_reasoning"]

_WORDS = "think|thinking|thought|thoughts|reasoning|seed:think"
# In the order of the groups: what opens a block, what closes one. The first character stands alone,
# because `re` searches for a set of characters fast.
_MARKS = re.compile(
    rf"[<\[◁Aa](?i:((?<=<)(?:(?:{_WORDS})>|\|begin_of_thought\|>|\|START_THINKING\|>"
    r"|\|channel\|>(?:analysis|commentary)\b[^<]{0,200}+<\|message\|>)"
    # gpt-oss, where its special tokens were left out.
    r"|(?<=\[)THINK\]|(?<=◁)think▷|(?<=\Aa)nalysis(?=[A-Z]))"
    rf"|((?<=<)(?:/(?:{_WORDS})>|\|end_of_thought\|>|\|END_THINKING\|>"
    r"|\|channel\|>final\b[^<]{0,200}+<\|message\|>)"
    r"|(?<=\[)/THINK\]|(?<=◁)/think▷|(?<=a)ssistantfinal(?=\S)))"
)
# Marks of a chat format that stay behind at the ends of an answer.
_REST = re.compile(
    r"<(?i:\|(?:start|end|return|call|im_start|im_end|eot_id|endoftext|(?:begin|end)_of_solution"
    r"|(?:START|END)_RESPONSE)\|>(?:assistant\b)?)"
)
_DEEPEST = 8
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)


def without_reasoning(text: str) -> str | None:
    """Text outside reasoning blocks; None where nothing is left of it.

    A block that is never closed ends with the text. A mark that closes a block which the prompt
    opened ends all that stands before it.

    Examples
    --------
    >>> without_reasoning("<think>Is it 4?</think> It is 5."), without_reasoning("<think>so 5")
    ('It is 5.', None)
    """
    kept: list[str] = []
    start, is_inside = 0, False
    for mark in _MARKS.finditer(text):
        if mark[1]:
            if not is_inside:
                kept.append(text[start : mark.start()])
            is_inside = True
        else:
            # Without an opening mark, all text so far was reasoning.
            kept = kept if is_inside else []
            is_inside, start = False, mark.end()
    if not is_inside:
        kept.append(text[start:])
    # Joined by a line break, the text around a block makes no new mark.
    parts = [part for piece in kept if (part := _REST.sub("\n", piece).strip())]
    return "\n".join(parts) or None


def without_fence(text: str) -> str | None:
    r"""Content of the last fenced block; the text itself where there is none.

    Examples
    --------
    >>> without_fence("Here it is:\n```json\n[1]\n```"), without_fence(" [1]")
    ('[1]', '[1]')
    """
    # A block may hold another one, behind a shorter fence.
    for _ in range(_DEEPEST):
        block = _last_block(text)
        if block is None:
            return text.strip() or None
        text = block
    return None


class Fences(NamedTuple):
    """Fenced blocks of a text, by the places of their content.

    `closed` holds start and end of each block that is closed; `opened` is the start of the one
    that ends with the text.
    """

    closed: list[tuple[int, int]]
    opened: int | None

    @property
    def is_open(self) -> bool:
        """Whether the text ends inside a block."""
        return self.opened is not None


def fences_of(text: str) -> Fences:
    r"""Find the fenced blocks of a text.

    Examples
    --------
    >>> fences_of("```\nx\n```\n~~~ py\ny")
    Fences(closed=[(3, 6)], opened=16)
    """
    opened: re.Match[str] | None = None
    closed: list[tuple[int, int]] = []
    for fence in _FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif fence[1].startswith(opened[1]) and not fence[2].strip():
            closed.append((opened.end(), fence.start()))
            opened = None
    return Fences(closed, None if opened is None else opened.end())


def _last_block(text: str) -> str | None:
    closed, opened = fences_of(text)
    if opened is not None:
        return text[opened:]
    return text[slice(*closed[-1])] if closed else None


READERS: Final = (
    Reader(
        name="no-think",
        does="the text outside reasoning blocks, closed or not; with none left it is unanswered",
        prediction=without_reasoning,
        reference=without_reasoning,
        unanswered=True,
    ),
    Reader(
        name="no-fence",
        does="the content of the last fenced block of code; the text itself where there is none",
        prediction=without_fence,
        reference=without_fence,
    ),
)
