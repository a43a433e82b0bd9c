"""Steps that readers of logs share."""

from __future__ import annotations

from pathlib import Path

import pytest

from muscle_metrics.errors import FileError, InputError
from muscle_metrics.runs.logs import ErrorsAt, TaskFile, digest_settings, newest_of_tasks
from muscle_metrics.words.place import line_of

LOG = Path("old.jsonl")


@pytest.mark.parametrize(
    ("context", "place"),
    [
        (ErrorsAt(LOG), "old.jsonl"),
        (ErrorsAt(LOG, 3), "old.jsonl, row 3"),
        (ErrorsAt(LOG, 3, line_of), "old.jsonl:3"),
    ],
)
def test_an_error_of_a_row_names_its_place(context, place):
    with pytest.raises(FileError) as caught, context:
        raise InputError("expected a score")
    assert str(caught.value) == f"{place}: expected a score"


@pytest.mark.parametrize("error", [FileError("other.json: expected JSON"), KeyError("x")])
def test_errors_with_a_place_and_errors_of_others_pass_unchanged(error):
    with pytest.raises(type(error)) as caught, ErrorsAt(LOG, 3):
        raise error
    assert caught.value is error


def test_a_rerun_replaces_the_file_of_its_task():
    files = [TaskFile(Path(name), *name.split("@")) for name in ("b@1", "a@2", "b@3", "b@2")]
    assert [str(file.path) for file in newest_of_tasks(files)] == ["a@2", "b@3"]


def test_digests_of_settings_stay_as_committed_baselines_hold_them():
    assert digest_settings([["exact_match", None], {"b": 1, "a": Path("x")}]) == "b76fcd85a85e"
    assert digest_settings([[], None, [None, ""]]) == ""
