"""Rows of a samples file of lm-evaluation-harness: one per document and filter.

::

    {"doc_id": 3, "doc_hash": "e3b0...", "target": "4", "filtered_resps": ["4"],
     "filter": "strict-match", "metrics": ["exact_match"], "exact_match": 1.0}

In a file, targets and log-likelihoods are text. In memory they have their own types.
"""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.answers.reading.options import option_letters
from muscle_metrics.answers.scores import is_score
from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.columns import find
from muscle_metrics.runs.files.bytestream import explain_encoding, read_byte_lines
from muscle_metrics.runs.files.jsonl import decode_row
from muscle_metrics.runs.files.strict_json import BAD_JSON
from muscle_metrics.runs.values import id_of, score_of
from muscle_metrics.words.place import describe, line_of, show

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.runs.details import Details

__all__ = [
    "LOWER_IS_BETTER",
    "OPTIONS",
    "Sample",
    "choices_of",
    "holds_sample_list",
    "is_sample",
    "needs_choices",
    "read_sample",
    "read_sample_lines",
]

# Marks between which a line is cut, as Python's json writes them.
_START = b'{"doc_id": '
_DOCUMENT = b', "doc": '
_TARGET = b', "target": "'
_ARGUMENTS = b', "arguments": {"gen_args_0": '
_ANSWERS = b'], "filtered_resps": ['
_RESPONSES = b'}, "resps": ['
_KEY = '": '

# The decoder without its search for white space.
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

# Fields of a document that list its options.
OPTIONS = ("choices", "options", "endings")
_OPTIONS = tuple(f'"{name}": '.encode() for name in OPTIONS)

# Fields of a row that are no metrics; rows before version 0.4.7 do not name their metrics.
_FIELDS = frozenset(
    {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}
    | {"doc_hash", "prompt_hash", "target_hash"}
)
# Fields that --predict_only writes in place of a score.
_NO_SCORES = frozenset({"bypass"})
# Corpus metrics whose rows hold a log-likelihood, alone or with its number of words or bytes. The
# harness takes the mean over the corpus first; this is the same metric of one item.
_OF_ONE_ITEM: Mapping[str, Callable[[float], float]] = {
    "perplexity": lambda mean: math.exp(-mean),
    "word_perplexity": lambda mean: math.exp(-mean),
    "byte_perplexity": lambda mean: math.exp(-mean),
    "bits_per_byte": lambda mean: -mean / math.log(2),
}
# As the harness registers them; for a samples file without results beside it.
LOWER_IS_BETTER = frozenset({*_OF_ONE_ITEM, "brier_score", "ter"})

# Metrics that are 1 where the most likely choice is right, with the divisor of log-likelihoods.
_CHOSEN_BY: Mapping[str, Callable[[str], int]] = {
    "acc": lambda choice: 1,
    "acc_norm": len,
    "acc_bytes": lambda choice: len(choice.encode("utf-8", "surrogatepass")),
}
# Metrics with a divisor need the texts of the choices.
_DIVIDED = frozenset({"acc_norm", "acc_bytes"})
# Whether an answer is the greedy one: text in a file, a bool in memory.
_TRUTH_VALUES = frozenset({"True", "False", True, False})
# A flat list as Python writes it. Only such a text is evaluated.
_ITEM = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?[0-9][0-9.e+-]*|True|False|None)"""
_LIST = re.compile(rf"\[{_ITEM}(?:, {_ITEM})*\]", re.DOTALL)


_NO_LABELS: Mapping[str, str | None] = MappingProxyType({})


class Sample(NamedTuple):
    """The fields that are read from one row.

    Parameters
    ----------
    document : str
        Hash of the document.
    number : str
        The ``doc_id``, which the harness mislabels if it was run with unsorted ``--samples``.
    filter : str, optional
        Filter of the answers.
    prediction : str, optional
        Generated text, or index of the choice.
    reference : str, list of str or None
        The accepted answers; None where the target is null.
    scores : mapping of str to float
        Scores of this item.
    prompt : str, optional
        Hash of the prompt.
    is_contradicted : bool
        Whether the score of the deciding metric contradicts the choice that was read.
    labels : mapping of str to str
        Slice, group and prompt by the fields that a user named.
    details : Details, optional
        Texts of an item that is listed.
    choices : str, optional
        Letters of the options of a document to which a model wrote its answer.
    """

    document: str
    number: str
    filter: str | None
    prediction: str | None
    reference: str | list[str] | None
    scores: Mapping[str, float]
    prompt: str | None
    is_contradicted: bool
    labels: Mapping[str, str | None] = _NO_LABELS
    details: Details | None = None
    choices: str | None = None


def is_sample(row: Mapping[str, object]) -> bool:
    """Tell whether a row has the fields of a sample.

    Examples
    --------
    >>> is_sample({"id": 1, "prediction": "A"})
    False
    """
    return row.keys() >= {"doc_id", "filtered_resps", "target"}


def holds_sample_list(start: bytes) -> bool:
    r"""Tell whether a file starts as a JSON list of samples, as old versions wrote them.

    Examples
    --------
    >>> holds_sample_list(b'[\n  {"doc_id": 0, "target": 1, "filtered_resps": [[-1, false]]}]')
    True
    >>> holds_sample_list(b'{"doc_id": 0, "target": 1, "filtered_resps": [[-1, false]]}')
    False
    """
    names = (b'"doc_id":', b'"filtered_resps":', b'"target":')
    return start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and all(n in start for n in names)


def read_sample_lines(
    path: Path, *, whole: bool, wanted: Collection[str] = ()
) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Rows of a samples file with their line numbers; blank lines are skipped.

    Prompts, repeated for each choice, fill most of a line. The harness writes its fields in one
    order: documents, prompts and raw responses are cut out before the line is decoded, and are not
    validated. A line in another form is decoded as a whole.

    Parameters
    ----------
    path : Path
        The file.
    whole : bool
        Whether ``arguments`` is needed as well.
    wanted : collection of str
        Hashes of documents whose rows are decoded as a whole.

    Yields
    ------
    int
        Number of the line.
    mapping
        The fields; without ``doc``, ``arguments`` and ``resps`` where the line was cut.

    Raises
    ------
    FileError
        If a line is not one JSON object in UTF-8.
    """
    for number, line in read_byte_lines(path):
        row = None if whole else _decode_cut(line)
        if row is not None and row.get("doc_hash") not in wanted:
            yield number, row
            continue
        try:
            text = line.decode().strip(" \t\r\n")
        except UnicodeDecodeError as error:
            raise FileError(f"{line_of(path, number)}: {explain_encoding(error)}") from error
        yield number, decode_row(text, path, number)


def _decode_cut(line: bytes) -> dict[str, Any] | None:
    """Decode the fields that are read; None if the harness did not write the line in this form."""
    arguments = line.find(_ARGUMENTS)
    target = line.rfind(_TARGET, 0, arguments)
    answers = line.rfind(_ANSWERS)
    responses = line.rfind(_RESPONSES, arguments, answers)
    if not (0 < target < responses and line.startswith(_START)):
        return None
    head = line[: line.find(_DOCUMENT)] + line[target:arguments]
    try:
        text = (head + line[answers + 1 :].rstrip(b"\r\n")).decode()
        row, end = _scan(text, 0)
    except (*BAD_JSON, StopIteration):
        return None
    # Fewer keys than marks of keys: a key is repeated, or a text holds the mark.
    if end != len(text) or text.count(_KEY) != len(row):
        return None
    # A document may hold a target of its own. The hash proves that this is the target of the row.
    digest = hashlib.sha256(row["target"].encode("utf-8", "surrogatepass")).hexdigest()
    if row.get("target_hash") != digest:
        return None
    document = line[line.find(_DOCUMENT) + len(_DOCUMENT) : target]
    # Without its hash, an absent document is a fault that is told later.
    if "doc_hash" in row and _likelihoods_of(row["filtered_resps"]) is None:
        row["doc"] = _options_in(document)
    return dict(row)


def _options_in(document: bytes) -> object:
    """Decode a document that lists options; None for any other."""
    try:
        return json.loads(document) if any(name in document for name in _OPTIONS) else None
    except BAD_JSON:
        return None


def needs_choices(row: Mapping[str, object], metric: str | None) -> bool:
    """Whether the deciding metric divides log-likelihoods by the lengths of the choices."""
    names = row.get("metrics")
    if metric is None and isinstance(names, list) and len(names) == 1:
        metric = names[0]
    return metric in _DIVIDED


def read_sample(row: Mapping[str, Any], metric: str | None = None) -> Sample:
    """Read a row of a file or of results in memory.

    Parameters
    ----------
    row : mapping
        The row.
    metric : str, optional
        The deciding metric; it decides which choice is the prediction.

    Raises
    ------
    InputError
        If the row lacks a field, or a value is not one that the harness writes.
    """
    name = row.get("filter")
    answers = row["filtered_resps"] if "filtered_resps" in row else find(row, "filtered_resps", "")
    if not isinstance(answers, (list, tuple)) or not (name is None or isinstance(name, str)):
        wrong = "filter" if isinstance(answers, (list, tuple)) else "filtered_resps"
        raise InputError(
            f"expected the list filtered_resps and a filter by name, got {describe(row[wrong])} in "
            f"the field {show(wrong)}: evaluate the task again"
        )
    scores = _scores_of(row)
    if metric is None and len(scores) == 1:
        (metric,) = scores
    reference = _reference_of(find(row, "target", "reference_field"))
    likelihoods = _likelihoods_of(answers)
    is_contradicted = False
    if likelihoods is not None:
        prediction = _choice_of(likelihoods, row, metric)
        if metric in _CHOSEN_BY and metric in scores:
            is_contradicted = _is_accepted(prediction, reference) != (scores[metric] == 1)
    elif scores and scores.keys() <= _OF_ONE_ITEM.keys():
        prediction = None
    else:
        prediction = _text_of(answers)
    prompt = row.get("prompt_hash")
    return Sample(
        _document_of(row),
        id_of(find(row, "doc_id", "id_field"), "doc_id"),
        name,
        prediction,
        reference,
        scores,
        prompt if isinstance(prompt, str) else None,
        is_contradicted,
        choices=None if likelihoods is not None else _letters_of(row.get("doc")),
    )


def _letters_of(document: object) -> str | None:
    """Letters of the options of a document, by the first field that lists any."""
    held = document if isinstance(document, dict) else {}
    return next(filter(None, (option_letters(held.get(name)) for name in OPTIONS)), None)


def _document_of(row: Mapping[str, Any]) -> str:
    """Hash of the document; the oldest logs hold the document alone, hashed here the same way."""
    if "doc_hash" in row or "doc" not in row:
        return id_of(find(row, "doc_hash", "id_field"), "doc_hash")
    text = json.dumps(row["doc"], indent=2, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _scores_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Read each metric that has a score of this item; NaN and null are no scores."""
    names = row.get("metrics")
    if names is None:
        names = [name for name in row if name not in _FIELDS]
    elif not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"expected a list of names in the field 'metrics', got {describe(names)}: evaluate the "
            f"task again"
        )
    scores = {}
    for name in names:
        value = row[name] if name in row else find(row, name, "metric")
        # Fast path: most scores are floats.
        if name not in _OF_ONE_ITEM and type(value) is float and is_score(value):
            scores[name] = value
        elif name not in _NO_SCORES and (score := _score_of(value, name)) is not None:
            scores[name] = score
    return scores


def _score_of(value: Any, name: str) -> float | None:
    if hasattr(value, "item"):
        value = value.item()
    if name in _OF_ONE_ITEM and value is not None:
        return _score_of_one_item(value, name)
    if isinstance(value, (list, tuple, dict, str)):
        # Input of a corpus metric, such as reference and prediction of bleu.
        return None
    return None if isinstance(value, float) and math.isnan(value) else score_of(value, name)


def _score_of_one_item(value: object, name: str) -> float | None:
    pair = value if isinstance(value, (list, tuple)) else (value, 1)
    likelihood, size = (score_of(part, name) or 0.0 for part in pair) if len(pair) == 2 else (0, 0)
    try:
        score = _OF_ONE_ITEM[name](likelihood / size)
    except (OverflowError, ZeroDivisionError):
        return None
    return score if is_score(score) else None


def _likelihoods_of(answers: Sequence[Any]) -> list[float] | None:
    """Log-likelihoods of the choices, from pairs such as ``["-1.5", "False"]``."""
    try:
        if not {answer[1] for answer in answers} <= _TRUTH_VALUES:
            return None
        return [float(answer[0]) for answer in answers] or None
    except (TypeError, ValueError, LookupError, OverflowError):
        # Generated text, another value that is no pair, or a number beyond all floats.
        return None


def _choice_of(
    likelihoods: Sequence[float], row: Mapping[str, Any], metric: str | None
) -> str | None:
    """Index of the choice that the model made; None where the row does not show it."""
    values = likelihoods
    if metric in _DIVIDED:
        sizes = [_CHOSEN_BY[metric](choice) for choice in choices_of(row.get("arguments"))]
        if len(sizes) != len(likelihoods) or not all(sizes):
            return None
        values = [value / size for value, size in zip(likelihoods, sizes, strict=True)]
    if len(values) < 2 or any(map(math.isnan, values)):
        return None
    return str(values.index(max(values)))


def choices_of(arguments: object) -> list[str]:
    """Texts of the choices, without the space before them; none where one of them is damaged."""
    if isinstance(arguments, dict):
        arguments = [
            [part.get("arg_0"), part.get("arg_1")] if isinstance(part, dict) else []
            for part in arguments.values()
        ]
    if not isinstance(arguments, list):
        return []
    pairs = [part for part in arguments if isinstance(part, list | tuple) and len(part) > 1]
    texts = [text.removeprefix(" ") for _, text, *_ in pairs if isinstance(text, str)]
    # Without one of them the others would stand for the wrong choices.
    return texts if len(texts) == len(arguments) else []


def _text_of(answers: Sequence[Any]) -> str | None:
    """Return the generated text; None where there are several."""
    answer = answers[0] if len(answers) == 1 else None
    if isinstance(answer, (list, tuple)) and len(answer) == 1:
        answer = answer[0]
    return answer if isinstance(answer, str) else None


def _reference_of(target: Any) -> str | list[str] | None:
    """Text of the target, or the accepted answers of a list such as ``"['Paris', 'paris']"``."""
    if target is None:
        return None
    if isinstance(target, str) and target.startswith("[") and _LIST.fullmatch(target):
        try:
            return [str(accepted) for accepted in ast.literal_eval(target)]
        except (ValueError, SyntaxError):
            return target
    if isinstance(target, (list, tuple)):
        return [str(accepted) for accepted in target]
    return str(target)


def _is_accepted(prediction: str | None, reference: str | list[str] | None) -> bool:
    return prediction == reference or (isinstance(reference, list) and prediction in reference)
