"""Records of a harness: one item, and all items of one model."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.runs.origin import Origin

__all__ = ["JUDGING", "OF_ANSWERS", "Record", "Run", "make_records"]

JUDGING = "judging"
"""Part of the fingerprint by which a baseline says how it was judged."""
OF_ANSWERS = "exact_match, key"
"""How that part begins where answers were compared with references."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_SCORES: Mapping[str, float] = MappingProxyType({})


def _no_scores() -> Mapping[str, float]:
    return _NO_SCORES


def _nothing() -> Mapping[str, str]:
    return _NOTHING


@dataclass(frozen=True, slots=True)
class Record:
    """The answer of one model to one item.

    Parameters
    ----------
    id : str
        Names the item; text even where the file holds a number.
    prediction : str, int, float, bool or None
        The answer. None means that the model gave none; the empty text is an answer.
    reference : str, int, float, bool, list or None
        The right answer, or a list of accepted answers. None means that none was recorded.
    scores : mapping of str to float or bool
        One finite score per metric that the harness computed.
    task, slice, group, repeat : str, optional
        The task the item belongs to, the slice it is reported in, the cluster it is drawn with
        and the repeat of the generation. An item is known by its task, id and repeat.
    prompt : str, optional
        The question to the model: the same id with another prompt is another item.
    filter : str, optional
        How the harness extracted the answer, such as a filter of lm-evaluation-harness;
        `narrow_run` keeps one filter.
    choices : str, optional
        Letters of the options that the item offers, such as "ABCD", where they are known.

    Raises
    ------
    InputError
        If the id is not text, or empty.

    Examples
    --------
    >>> Record("7", prediction="Paris", reference="Paris").prediction
    'Paris'
    """

    id: str
    prediction: object = None
    reference: object = None
    scores: Mapping[str, float] = field(default_factory=_no_scores)
    task: str | None = None
    slice: str | None = None
    group: str | None = None
    repeat: str | None = None
    prompt: str | None = None
    filter: str | None = None
    choices: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise InputError(f"expected text as id of a record, got {self.id!r}: use str(...)")


def make_records(ids: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> list[Record]:
    """Make many records, in a third of the time of a call of `Record` for each.

    Parameters
    ----------
    ids : sequence of str, shape (N,)
        Texts, none of them empty.
    columns : mapping of str to sequence, shape (N,)
        Values of other attributes; a missing attribute has its default.
    """
    defaults = {"scores": _NO_SCORES}
    values = [columns.get(name) or repeat(defaults.get(name)) for name in Record.__slots__[1:]]
    records = list(map(_Draft, ids, *values))
    for record in records:
        record.__class__ = Record
    return records


# Slow: a frozen class sets each attribute by a call. A mutable class with the same slots is fast.
_Draft: Any = make_dataclass("_Draft", Record.__slots__, slots=True)


@dataclass(frozen=True, slots=True)
class Run:
    """All items of one model, in the order in which they were recorded.

    Parameters
    ----------
    records : tuple of Record
        The items.
    name : str
        The model, or the file its answers come from.
    fingerprint : mapping of str to str
        Other facts that must be equal in comparable runs: versions, dataset, scorer. Its parts
        "errors", "partial" and "status" are faults of the run itself.
    lower_is_better : frozenset of str
        Metrics whose smaller score is better.
    is_log : bool
        Whether a harness recorded the run, so that scores are to be expected in it.
    main_first : bool
        Whether the harness lists the main score of a task first.
    origin : Origin, optional
        The log of a harness that the run was read from.
    own_field : str, optional
        The one field of its answers and its references, so that every answer is right by itself.

    Examples
    --------
    >>> len(Run((Record("1"), Record("2")), name="old"))
    2
    """

    records: tuple[Record, ...]
    name: str
    fingerprint: Mapping[str, str] = field(default_factory=_nothing)
    lower_is_better: frozenset[str] = frozenset()
    is_log: bool = False
    main_first: bool = False
    origin: Origin | None = field(default=None, compare=False, repr=False)
    own_field: str | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def has_verdicts(self) -> bool:
        """Whether its score is this package's own verdict on answers that are not kept."""
        # A run to be compared with a baseline tells how it will be judged, and has no verdicts yet.
        is_ours = self.fingerprint.get(JUDGING, "").startswith(OF_ANSWERS)
        return is_ours and all("exact_match" in record.scores for record in self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)
