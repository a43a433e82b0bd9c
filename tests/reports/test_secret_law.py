"""The law of secrets, over the table of all sinks: what people read holds none.

Files of data keep every text, because programs join them to the logs, or read them again. The table
of all items is a file for people whose ids join it to others: id, task and repeat stay.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.cli import main
from muscle_metrics.words.escape import visible
from muscle_metrics.words.secrets import HIDDEN
from tests.reports.test_sink_law import JSON, TEXTS, Attack, attack_by

if TYPE_CHECKING:
    from pathlib import Path

# Invented, and joined here so that no scanner of sources reports them as real secrets.
SECRETS = ["sk-" + "a1B2" * 6, "Парoль%77", "hf_" + "Qw3rTy" * 6, "0aZ9" * 5]
NAMED = [
    "ключ {}",
    "q7 password={} 終わり",
    "a\tb {}, " + "long " * 40,
    "long " * 29 + "secret_key: {}",
]
DATA = {
    "comparison",
    "graded comparison",
    "chain",
    "candidates",
    "candidates and verdict",
    "comparison of logs",
    "LLM Comparator",
    "found slices",
    "labels",
    "key of a sheet",
    "plain data",
    "baseline",
    # Ids of a file that the gate reads back.
    "proposed waivers",
}
SINKS = {**JSON, **TEXTS}


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Attack:
    texts = ["plain"]
    texts += [name.format(secret) for name, secret in zip(NAMED, SECRETS, strict=True)]
    return attack_by(texts, tmp_path_factory)


def held(text: str) -> list[str]:
    """Secrets, and starts of them, in what a sink wrote; tables fold long words."""
    folded = re.sub(r"[\s\u2502]", "", text)
    return [one for one in SECRETS if visible(one)[:12] in folded]


@pytest.mark.parametrize("name", sorted({*SINKS} - DATA - {"CSV"}))
def test_what_people_read_holds_no_secret(attack: Attack, name: str) -> None:
    text = SINKS[name].write(attack)
    for shown in (text, SINKS[name].shown(text)):
        assert held(shown) == []


@pytest.mark.parametrize("name", ["comparison", "found slices", "LLM Comparator", "plain data"])
def test_data_hold_every_text_as_it_is(attack: Attack, name: str) -> None:
    text = SINKS[name].write(attack)
    assert HIDDEN not in text
    assert all(one.encode("ascii", "backslashreplace").decode() in text for one in SECRETS)


def test_the_table_of_items_hides_all_but_what_joins_it(attack: Attack) -> None:
    rows = list(csv.DictReader(io.StringIO(SINKS["CSV"].write(attack))))
    keys = {"id", "task", "repeat"}
    for secret in SECRETS:
        assert sum(secret in row["id"] for row in rows) == 2
        assert not [row for row in rows if any(secret in row[name] for name in row.keys() - keys)]
    assert sum(HIDDEN in row["slice"] for row in rows) == 2 * len(SECRETS)


@pytest.mark.parametrize("command", ["inspect", "baseline", "label", "gate"])
def test_commands_print_no_secret(
    attack: Attack, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = []
    for name in ("v1", "v2"):
        files.append(tmp_path / f"{name} password={SECRETS[3]}.jsonl")
        rows = [
            {"id": text, "prediction": f"{text} {name}", "reference": text, "topic": text}
            for text in attack.texts
        ]
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    more = {
        "inspect": [files[0]],
        "baseline": [files[0], "-o", tmp_path / "base.jsonl"],
        "label": [*files, "--budget", "9", "-o", tmp_path / f"password={SECRETS[1]}.csv"],
        "gate": [*files, "--max-nfr", "0.5", "--flips", "9", "--slice-field", "topic"],
    }[command]
    code = main([command, *map(str, more)])
    assert code in {0, 4}
    printed = capsys.readouterr()
    assert HIDDEN in printed.out
    assert held(printed.out + printed.err) == []


def test_an_id_with_a_secret_is_not_exported_from_the_page(attack: Attack) -> None:
    page = SINKS["page"].write(attack)
    exported = set(re.findall(r' data-id="([^"]*)"', page))
    assert exported == {"&#34;plain&#34;", "&#34;rplain&#34;"}
    assert "no file of ids can hold it" in page
