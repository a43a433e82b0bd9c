"""Advice of a refused join names no option that the same command refuses afterwards."""

from __future__ import annotations

from dataclasses import replace

import pytest

from muscle_metrics.errors import PairingError
from muscle_metrics.runs.joining.pairing import pair_runs
from muscle_metrics.runs.joining.references import with_references
from muscle_metrics.runs.record import Record, Run

# Options about fields, which a log of a harness refuses.
OF_FIELDS = ("--id-field", "--repeat-field", "--where")

PLAIN = Run((Record("1", "A", "A"), Record("二", "B", "B")), "old")
WRONG = {
    "no id in common": Run((Record("x", "A", "A"), Record("y", "B", "B")), "new"),
    "another prompt": Run((Record("1", "A", "A", prompt="p"), Record("二", "B", "B")), "new"),
    "an id twice": Run((Record("1", "A", "A"), Record("二", "B"), Record("二", "C")), "new"),
    "other references": Run((Record("1", "A", "A"), Record("2", "B", "C")), "new"),
}


def refusal(name: str, *, old_is_log: bool, new_is_log: bool) -> str:
    old, new = PLAIN, WRONG[name]
    if name == "another prompt":
        old = Run((Record("1", "A", "A", prompt="q"), Record("二", "B", "B")), "old")
    if name == "other references":
        old = Run((Record("1", "A", "A"), Record("2", "B", "B")), "old")
    with pytest.raises(PairingError) as caught:
        pair_runs(replace(old, is_log=old_is_log), replace(new, is_log=new_is_log))
    return str(caught.value)


@pytest.mark.parametrize("name", WRONG)
def test_logs_are_not_told_to_choose_fields(name: str) -> None:
    message = refusal(name, old_is_log=True, new_is_log=True)
    assert not any(option in message for option in OF_FIELDS)
    assert "--task" in message


@pytest.mark.parametrize("name", WRONG)
def test_plain_files_are_told_to(name: str) -> None:
    assert "--id-field (id_field)" in refusal(name, old_is_log=False, new_is_log=False)


@pytest.mark.parametrize("is_old", [True, False])
def test_a_log_and_a_file_take_the_option_once_per_run(is_old: bool) -> None:
    message = refusal("no id in common", old_is_log=is_old, new_is_log=not is_old)
    assert "--id-field (id_field) once per run" in message


def test_references_of_a_log_have_its_ids() -> None:
    with pytest.raises(PairingError, match="none for 1 of 2 items") as caught:
        with_references(replace(PLAIN, is_log=True), {"1": "A"})
    assert "--id-field" not in str(caught.value)
