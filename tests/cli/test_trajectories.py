"""Calls of tools beside outcomes, from plain files and from the logs of harnesses."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def messages(days: int) -> list[dict[str, Any]]:
    call = {"name": "weather", "arguments": json.dumps({"місто": "Київ", "days": days})}
    return [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": call}]},
    ]


def rows(*days: int, answers: str = "AAAA", **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"й{i}", "prediction": answers[i], "reference": "A", "steps": messages(n)} | more
        for i, n in enumerate(days)
    ]


BEHAVIOUR = (
    "behaviour: 33.33% of the items whose outcome stayed have other calls of tools (1 of 3; 95 % "
    "interval 6.15% to 79.23%, Wilson)"
)


def test_behaviour_flips_stand_beside_the_flips_of_outcomes(run, write, tmp_path: Path) -> None:
    old, new = (
        write("v1.jsonl", rows(1, 1, 1, 1)),
        write("v2.jsonl", rows(1, 1, 2, 3, answers="AAAB")),
    )
    flags = ["--trajectory-field", "steps"]
    done = run("compare", old, new, *flags, "--flips", "9", "--json", tmp_path / "out.json")
    assert done.code == 0
    lines = done.out.splitlines()
    start = lines.index(BEHAVIOUR)
    assert lines[start + 1 : start + 14] == [
        "  other tools 0, other arguments 1, other order 0",
        "items that broke or got fixed with other calls of tools: 1 of 1",
        "other calls of tools: all 2",
        "  й2",
        "    outcome    right in both",
        '    old        weather(days=1, місто="Київ")',
        '    new        weather(days=2, місто="Київ")',
        "    reason     argument days of weather differs",
        "  й3",
        "    outcome    broke",
        '    old        weather(days=1, місто="Київ")',
        '    new        weather(days=3, місто="Київ")',
        "    reason     argument days of weather differs",
    ]
    content = json.loads((tmp_path / "out.json").read_text("utf-8"))["trajectories"]
    assert content["outcome_stayed"]["changed"] == 1
    assert content["outcome_stayed"]["interval"] == pytest.approx([0.0615, 0.7923], abs=1e-4)
    assert content["outcome_flipped"] == {"changed": 1, "total": 1}
    assert [(one["id"], one["kind"], one["quadrant"]) for one in content["changes"]] == [
        ("й2", "arguments", "both_right"),
        ("й3", "arguments", "negative"),
    ]
    # The outcomes are those without the option; what may come next depends on the extras.
    plain = run("compare", old, new)
    said = {line for line in plain.out.splitlines() if not line.startswith("next: ")}
    assert said - set(lines) <= {"0 of 1"}


def test_trajectories_may_be_json_in_a_column(run, tmp_path: Path) -> None:
    paths = []
    for version, days in (("v1", (1, 1)), ("v2", (1, 2))):
        path = tmp_path / f"{version}.csv"
        quoted = (json.dumps(messages(n)).replace('"', '""') for n in days)
        body = "".join(f'{i},A,A,"{one}"\n' for i, one in enumerate(quoted))
        path.write_text("id,prediction,reference,steps\n" + body, encoding="utf-8")
        paths.append(path)
    done = run("compare", *paths, "--trajectory-field", "steps")
    assert "have other calls of tools (1 of 2;" in done.out


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (["--trajectory-field", "none"], 4, "none"),
        (["--trajectory-field", "prediction"], 4, "expected a list of messages or steps as traj"),
        (["--trajectory-field", "steps", "--engine", "duckdb"], 2, "runs in memory for --traj"),
    ],
)
def test_what_is_no_trajectory_is_refused(run, write, flags, code, message) -> None:
    done = run("compare", write("v1.jsonl", rows(1, 1)), write("v2.jsonl", rows(1, 2)), *flags)
    assert done.code == code
    assert message in done.err
    assert done.err.count("\n") == 1


def test_one_row_without_a_trajectory_is_refused_by_its_id(run, write) -> None:
    damaged = rows(1, 1, 1)
    damaged[1]["steps"] = None
    done = run("compare", write("v1.jsonl", rows(1, 1, 1)), write("v2.jsonl", damaged),
               "--trajectory-field", "steps")  # fmt: skip
    assert done.code == 4
    assert "as trajectory of 'й1' in new " in done.err
    assert ", got null: name the field" in done.err


def test_a_chain_and_a_pipe_have_none(run, write) -> None:
    old = write("v1.jsonl", rows(1, 1))
    new = write("v2.jsonl", rows(1, 2))
    done = run("compare", old, new, old, "--trajectory-field", "steps")
    assert "expected two runs for --trajectory-field, got 3" in done.err
    done = run("compare", old, "/dev/null", "--trajectory-field", "steps")
    assert "expected files for --trajectory-field, which reads them again" in done.err


def test_two_runs_of_one_file_have_a_field_each(run, write) -> None:
    """One field would be compared with itself, and no behaviour could change."""
    both = write("both.jsonl", [
        {"id": i, "v1": "A", "v2": "A", "reference": "A", "s1": messages(1), "s2": messages(1 + i)}
        for i in range(3)
    ])  # fmt: skip
    flags = ["--prediction-field", "v1", "--prediction-field", "v2", "--trajectory-field", "s1"]
    done = run("compare", both, both, *flags)
    assert done.code == 2
    assert "expected the trajectories of two runs, got one field of" in done.err
    done = run("compare", both, both, *flags, "--trajectory-field", "s2")
    assert "have other calls of tools (2 of 3;" in done.out
    done = run("compare", both, both, *flags, *["--trajectory-field", "s2"] * 2)
    assert "expected --trajectory-field once, or once per run, got it 3 times" in done.err


def test_two_runs_of_one_column_are_told_apart_by_their_rows(run, write) -> None:
    both = write("both.jsonl", [
        {"id": i, "prediction": "A", "reference": "A", "steps": messages(n + i), "model": model}
        for i in range(3) for n, model in ((1, "v1"), (2, "v2"))
    ])  # fmt: skip
    flags = ["--where", "model=v1", "--where", "model=v2", "--trajectory-field", "steps"]
    assert "have other calls of tools (3 of 3;" in run("compare", both, both, *flags).out


def rollout(number: int, days: int, index: int = 0) -> dict[str, Any]:
    call = {"type": "function_call", "name": "weather", "arguments": json.dumps({"days": days})}
    said = {"type": "message", "content": [{"type": "output_text", "text": "warm"}]}
    return {
        "responses_create_params": {"input": [{"role": "user", "content": f"вопрос {number}"}]},
        "response": {"model": "v1", "output": [call, {"type": "function_call_output"}, said]},
        "reward": 1.0,
        "_ng_task_index": number,
        "_ng_rollout_index": index,
        "agent_ref": {"name": "weather"},
    }


def test_rollouts_of_nemo_gym_hold_their_steps(run, write) -> None:
    old = write("v1.jsonl", [rollout(n, 1, i) for n in range(4) for i in range(3)])
    # In another order of rows.
    changed = [rollout(n, 1 + (n == 2 and i == 1), i) for n in range(4) for i in range(3)]
    new = write("v2.jsonl", changed[::-1])
    done = run("compare", old, new, "--trajectory-field", "response.output", "--flips", "3")
    assert done.code == 0, done.err
    assert "have other calls of tools (1 of 12;" in done.out
    assert "  weather/2/1" in done.out.splitlines()
    done = run("compare", old, new, "--trajectory-field", "response.outptu")
    assert done.code == 4
    assert "expected the field 'response.outptu' in items of this log, got none" in done.err


MAKE_LOGS = """
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool


@tool
def weather():
    async def execute(days: int) -> str:
        '''Tell the weather.

        Args:
            days: Days from now.
        '''
        return "warm"

    return execute


for version, days in (("v1", [1, 1, 1]), ("v2", [1, 2, 1])):
    outputs = []
    for n in days:
        outputs.append(ModelOutput.for_tool_call("mockllm/model", "weather", {"days": n}))
        outputs.append(ModelOutput.from_content("mockllm/model", "warm"))
    for output in outputs:
        # Without it the harness counts tokens, by a file that it would download.
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    samples = [Sample(id=f"й{i}", input="?", target="warm") for i in range(3)]
    eval(
        Task(MemoryDataset(samples), solver=[use_tools(weather()), generate()], scorer=match()),
        model=get_model("mockllm/model", custom_outputs=outputs),
        max_samples=1, log_dir=version, log_format=("eval", "json")[version == "v2"],
        display="none",
    )
"""


@pytest.mark.slow
# The core is tested without extras too, and inspect_ai itself writes these logs.
@pytest.mark.skipif(find_spec("inspect_ai") is None, reason="inspect_ai is behind an extra")
def test_logs_of_inspect_ai_hold_their_messages(run, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", MAKE_LOGS], cwd=tmp_path, check=True, timeout=100)
    done = run(
        "compare",
        tmp_path / "v1",
        tmp_path / "v2",
        "--trajectory-field",
        "messages",
        "--flips",
        "3",
    )
    assert done.code == 0, done.err
    assert "have other calls of tools (1 of 3;" in done.out
    assert "    new        weather(days=2)" in done.out.splitlines()
