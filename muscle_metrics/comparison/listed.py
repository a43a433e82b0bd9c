"""Items that are listed, with the texts that only their logs hold: question, response, options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.comparison.items import answer_text
from muscle_metrics.errors import MuscleMetricsError
from muscle_metrics.words.secrets import Hidden, hide_secrets

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.runs.details import Details
    from muscle_metrics.runs.origin import Origin
    from muscle_metrics.runs.rereading import Key

__all__ = [
    "ItemTexts",
    "ListedTexts",
    "hide_text_secrets",
    "log_texts",
    "prompted_texts",
    "shown_answers",
    "texts_of",
]


class ItemTexts(NamedTuple):
    """Texts of one item; each is None where the logs do not hold it.

    Parameters
    ----------
    number : str, optional
        Number of the document, where its id is a hash; both logs give the same one.
    question : str, optional
        The question, by the old log if it holds one.
    old_response, new_response : str, optional
        What each model wrote, where the answer is only a part of it.
    old_option, new_option, reference_option : str, optional
        Text of the option that an answer, or the reference, names.
    old_mismatch, new_mismatch : str, optional
        Why a wrong answer is not its reference, where a reader of answers knows a reason.
    generations : str, optional
        Of repeats: right generations of the prompt before and now, and how sure the change is.
    """

    number: str | None = None
    question: str | None = None
    old_response: str | None = None
    new_response: str | None = None
    old_option: str | None = None
    new_option: str | None = None
    reference_option: str | None = None
    old_mismatch: str | None = None
    new_mismatch: str | None = None
    generations: str | None = None

    def described(self) -> dict[str, dict[str, str]]:
        """Texts that are known as plain data: nothing, or by name as the member "texts"."""
        # Numbers of generations are a member of their own, "prompt".
        known = {
            name: text
            for name, text in self._asdict().items()
            if text is not None and name != "generations"
        }
        return {"texts": known} if known else {}


class ListedTexts(NamedTuple):
    """Texts of listed items, in their order, and why there are none if a log changed."""

    items: list[ItemTexts]
    problem: str | None = None


def texts_of(comparison: Facts, items: Sequence[Item]) -> ListedTexts:
    """Read the logs of a comparison again, for the texts of some of its items.

    Parameters
    ----------
    comparison : Comparison or CountedComparison
        Items that an engine counted, and runs that are no logs, have no such texts.
    items : sequence of Item, shape (N,)
        Items of the comparison.

    Returns
    -------
    ListedTexts
        Texts of every item, shape (N,). Without texts where a log changed since it was read, or
        cannot be read any more.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"])
    >>> texts_of(comparison, list(comparison.flips())).items[0].described()
    {}
    """
    read = log_texts(comparison, items)
    pairs = zip(items, read.items, strict=True)
    return read._replace(items=[_with_facts(comparison, item, one) for item, one in pairs])


def log_texts(comparison: Facts, items: Sequence[Item]) -> ListedTexts:
    """Texts as `texts_of` reads them, without why answers are wrong, which takes long for many.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"])
    >>> log_texts(comparison, list(comparison.flips())).problem is None
    True
    """
    nothing = [ItemTexts()] * len(items)
    if comparison.in_memory is None or not items or not any(comparison.in_memory.origins):
        return ListedTexts(nothing)
    origins = comparison.in_memory.origins
    ids = {item.id for item in items}
    known = comparison.in_memory.texts_read
    try:
        old, new = (_read(known, origin, ids) for origin in origins)
    except (MuscleMetricsError, OSError) as error:
        return ListedTexts(nothing, f"texts of the logs are not shown: {error}")
    return ListedTexts([_texts(item, _found(old, item), _found(new, item)) for item in items])


def _with_facts(comparison: Facts, item: Item, texts: ItemTexts) -> ItemTexts:
    """Add how the prompt of repeats changed, and why answers are wrong."""
    change = None if comparison.prompts is None else comparison.prompts.change_of(item)
    if change is not None:
        texts = texts._replace(generations=str(change))
    reading = None if comparison.reading is None else comparison.reading.reading
    if reading is None:
        return texts
    old, new = (reading.mismatch(answer, item.reference) for answer in (item.old, item.new))
    return texts._replace(old_mismatch=old, new_mismatch=new)


def prompted_texts(comparison: Facts, items: Sequence[Item]) -> ListedTexts:
    """Texts as `texts_of` reads them, with the prompts that a run itself recorded.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> comparison = compare(old=["A"], new=["B"], references=["A"], prompts=["Which?"])
    >>> prompted_texts(comparison, list(comparison.flips())).items[0].question
    'Which?'
    """
    listed = texts_of(comparison, items)
    held = comparison.in_memory
    asked = None if held is None else held.table.asked
    if held is None or asked is None or asked.count(None) == len(asked):
        return listed
    rows = [held.table.position_of(item) for item in items]
    found = [
        texts if texts.question is not None else texts._replace(question=asked[row])
        for texts, row in zip(listed.items, rows, strict=True)
    ]
    return listed._replace(items=found)


def shown_answers(item: Item, texts: ItemTexts) -> tuple[Any, Any, Any]:
    """Both answers and the reference of an item, with the texts of the options they name.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> (item,) = compare(old=["B"], new=["A"], references=["B"]).items()
    >>> shown_answers(item, ItemTexts(old_option="Paris", reference_option="Paris"))
    ('B (Paris)', 'A', 'B (Paris)')
    """
    return (
        _with_option(item.old, texts.old_option),
        _with_option(item.new, texts.new_option),
        _with_option(item.reference, texts.reference_option),
    )


def hide_text_secrets(texts: ItemTexts) -> Hidden:
    """Replace secrets in every text of an item.

    Examples
    --------
    >>> hide_text_secrets(ItemTexts(question="password=hunter22")).value.question
    'password=[hidden secret]'
    """
    hidden = hide_secrets(tuple(texts))
    return Hidden(ItemTexts._make(hidden.value), hidden.number)


def _with_option(answer: Any, option: str | None) -> Any:
    """Answer with the text of the option that it names; others stay as they are."""
    return answer if option is None or option == answer else f"{answer_text(answer)} ({option})"


def _read(
    known: dict[Origin, Mapping[Key, Details]], origin: Origin | None, ids: Collection[str]
) -> Mapping[Key, Details]:
    """Texts of items from one log, which is read again unless all of them are known."""
    from muscle_metrics.runs.rereading import read_details

    if origin is None:
        return {}
    if not {id_ for _, id_, _ in known.get(origin, ())}.issuperset(ids):
        known[origin] = read_details(origin, ids)
    return known[origin]


def _found(details: Mapping[Key, Details], item: Item) -> Details | None:
    """Texts of an item; one run may name its task, and the other not."""
    found = details.get((item.task, item.id, item.repeat))
    return details.get((None, item.id, item.repeat)) if found is None else found


def _texts(item: Item, old: Details | None, new: Details | None) -> ItemTexts:
    known = [details for details in (old, new) if details is not None]
    numbers = {details.number for details in known}
    return ItemTexts(
        numbers.pop() if len(numbers) == 1 else None,
        next((details.question for details in known if details.question is not None), None),
        _response(item.old, old),
        _response(item.new, new),
        _option(item.old, old),
        _option(item.new, new),
        _option(item.reference, known[0] if known else None),
    )


def _response(answer: object, details: Details | None) -> str | None:
    """Return the response, unless the answer is all of it."""
    return None if details is None or details.response == answer else details.response


def _option(answer: object, details: Details | None) -> str | None:
    if details is None:
        return None
    accepted = answer if isinstance(answer, list | tuple) else [answer]
    texts = [details.options.get(one) for one in accepted if isinstance(one, str)]
    return " | ".join(text for text in texts if text is not None) or None
