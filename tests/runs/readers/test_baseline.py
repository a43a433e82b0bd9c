"""A baseline file is read back as it was written, or not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.readers.baseline import baseline_text, is_baseline, read_baseline
from muscle_metrics.runs.record import Record, Run

Write = Callable[..., Path]

RUN = Run(
    (
        Record("q1", scores={"acc": True}, task="t", slice="s", group="g", repeat="1"),
        Record("q2", scores={"f1": 1 / 3, "acc": False}),
    ),
    "v1",
    {"judging": "score acc, f1", "judge": "ü\ud800"},
)
TEXT = baseline_text(RUN)

anything = st.text(st.characters(exclude_categories=()), min_size=1)


def test_what_is_written_is_read(write: Write) -> None:
    assert read_baseline(write(TEXT)) == RUN
    assert read_run(write(TEXT)) == RUN
    assert read_run(write(TEXT), format="jsonl", id_field="question_id") == RUN
    assert read_run(write(TEXT), name="other").name == "other"
    assert read_baseline(write(gzip.compress(TEXT.encode()))) == RUN


@given(anything, anything, st.floats(-1e100, 1e100))
def test_any_text_and_score_come_back(tmp_path_factory, text: str, name: str, score: float) -> None:
    run = Run((Record(text, scores={name: score}, slice=text),), name, {name: text})
    path = tmp_path_factory.mktemp("baseline") / "v1.baseline"
    path.write_text(baseline_text(run), encoding="ascii")
    assert read_baseline(path) == run


def test_only_a_baseline_is_one(write: Write) -> None:
    assert is_baseline(Glimpse(write(TEXT)).row)
    for other in ('{"id": 1, "prediction": "A"}', "[1]", "id,prediction\n", "", "\x00", b"\xff"):
        assert not is_baseline(Glimpse(write(other)).row)
        with pytest.raises(FileError):
            read_baseline(write(other))


def test_it_says_what_to_do_with_another_file(write: Write) -> None:
    with pytest.raises(FileError, match="another file: write one with 'muscle-metrics baseline"):
        read_baseline(write('{"id": 1}'))


@pytest.mark.parametrize("end", range(len(TEXT) - 1))
def test_no_part_of_it_is_taken_for_the_whole(write: Write, end: int) -> None:
    with pytest.raises(FileError):
        read_baseline(write(TEXT[:end].encode()))


HEAD, FIRST, SECOND = TEXT.splitlines()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEAD.replace(":1,", ":2,", 1), FIRST, SECOND], "version 1, got version 2"),
        ([HEAD, FIRST], "expected 2 items as the first line says, got 1"),
        ([HEAD, FIRST, SECOND, SECOND], "got 3"),
        ([HEAD, HEAD, FIRST], ":2: expected an id and labels as text, got the field 'fingerprint'"),
        ([HEAD, FIRST, '{"id":"q2"}'], ":3: expected scores by name, got null"),
        ([HEAD, FIRST, '{"id":"q2","scores":{"a":null}}'], "for every name, got null"),
        ([HEAD, FIRST, '{"id":"q2","scores":{"a":NaN}}'], "finite number"),
        ([HEAD, FIRST, '{"id":"q2","scores":{"a":"true"}}'], "finite number"),
        ([HEAD, FIRST, '{"id":2,"scores":{"a":1}}'], "no text"),
        ([HEAD, FIRST, '{"id":"","scores":{"a":1}}'], "id of a record"),
        ([HEAD, FIRST, '{"id":"q2","slice":7,"scores":{"a":1}}'], "no text"),
        ([HEAD, FIRST, '{"id":"q2","prediction":"A","scores":{"a":1}}'], "'prediction'"),
        ([HEAD, FIRST, "<<<<<<< main"], ":3: expected one whole JSON object"),
        ([HEAD.replace('"v1"', "1"), FIRST, SECOND], ":1: expected a name"),
        ([HEAD.replace('"fingerprint"', '"print"'), FIRST, SECOND], ":1: expected a name"),
        ([HEAD.replace('"score acc, f1"', "[]"), FIRST, SECOND], ":1: expected a name"),
    ],
)
def test_an_edited_file_is_refused(write: Write, lines: list[str], said: str) -> None:
    with pytest.raises(FileError) as caught:
        read_baseline(write("".join(f"{line}\n" for line in lines)))
    assert said in str(caught.value)


def test_lines_are_compact_and_sorted(write: Write) -> None:
    assert SECOND == '{"id":"q2","scores":{"acc":false,"f1":0.3333333333333333}}'
    assert list(json.loads(HEAD)) == ["muscle_metrics_baseline", "name", "items", "fingerprint"]
