"""SWE-bench: the report of one evaluation, which lists instances by what became of them.

::

    {"total_instances": 300, "submitted_instances": 2, "resolved_instances": 1,
     "submitted_ids": ["a__a-1", "b__b-2"], "resolved_ids": ["a__a-1"], "error_ids": []}

An instance counts as resolved or not; one whose evaluation failed is not resolved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError
from muscle_metrics.runs.about import SCORES, About
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.log_fields import list_at
from muscle_metrics.runs.logs import ErrorsAt, LogFiles, count_share, known_parts
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.runs.values import id_of
from muscle_metrics.words.place import list_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.runs.choice import Choice
    from muscle_metrics.runs.files.glimpse import Glimpse

__all__ = ["ABOUT", "read", "recognise"]

ABOUT = About(
    "SWE-bench",
    "the report of an evaluation, `.json`",
    frozenset({SCORES}),
    page="results",
)

_RESOLVED = "resolved"
# Lists of a report of the leaderboard's repository, which has no submitted_ids.
_SUBMITTED = ("submitted_ids", "generated", "no_generation")
# Without one of these a report does not say which instances failed.
_EVALUATED = {"submitted_ids", "generated"}
_SIGNS = (
    ((b'"submitted_instances":', b'"resolved_instances":'), "it counts resolved instances"),
    ((b'"submitted_ids":[', b'"resolved_ids":['), "it lists resolved instances"),
    ((b'"no_generation":[', b'"resolved":['), "it lists resolved instances"),
)
_NO_FAILURES = (
    "expected the list submitted_ids or generated, which says what was evaluated, got resolved "
    "instances alone: name the report that the evaluation itself wrote"
)


def _reason_of(glimpse: Glimpse) -> str | None:
    """Recognise a report by its counts of instances, or by its lists."""
    start = b"".join(glimpse.start.split())
    if not start.startswith(b"{"):
        return None
    return next((reason for keys, reason in _SIGNS if all(key in start for key in keys)), None)


_LOGS = LogFiles("report of SWE-bench", ("*.json",), _reason_of, "it holds a report")
recognise = _LOGS.recognise


def read(glimpse: Glimpse, choice: Choice) -> Run:
    """Read one record per instance that was submitted.

    Parameters
    ----------
    glimpse : Glimpse
        A report, or a folder that holds one.
    choice : Choice
        A report holds one task and one score.

    Raises
    ------
    FileError
        If the file is damaged, lists resolved instances alone, or one that was not submitted.
    """
    path = _LOGS.only(glimpse).path
    report = read_json_object(path)
    with ErrorsAt(path):
        submitted = {name for field in _SUBMITTED for name in _ids(report, field)}
        resolved = _ids(report, "resolved_ids") or _ids(report, _RESOLVED)
        failed = _ids(report, "error_ids") or _ids(report, "test_errored")
        if not (submitted and _EVALUATED.intersection(report)):
            raise InputError(_NO_FAILURES)
        strange = sorted({*resolved, *failed} - submitted)
        if strange:
            raise InputError(
                f"expected each instance among those that were submitted, got {list_ids(strange)} "
                f"elsewhere: run the evaluation again"
            )
        records = tuple(
            Record(name, scores={_RESOLVED: name in resolved}) for name in sorted(submitted)
        )
        return Run(records, path.stem, _fingerprint(report, len(submitted), len(failed)))


def _ids(report: Mapping[str, object], field: str) -> frozenset[str]:
    """Read the ids of a list; an id that stands twice is one instance."""
    return frozenset(id_of(value, field) for value in list_at(report, field))


def _fingerprint(report: Mapping[str, object], submitted: int, failed: int) -> Mapping[str, str]:
    total = report.get("total_instances")
    is_partial = isinstance(total, int) and total > submitted
    return known_parts(
        {
            "partial": f"{submitted} of {total} instances" if is_partial else None,
            "errors": count_share(failed, submitted, "instances"),
        }
    )
