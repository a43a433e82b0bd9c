"""Keys and passwords of a log do not reach what is published, and their number does."""

from __future__ import annotations

import json
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Policy, check_gate, compare_runs
from muscle_metrics.cli.screen import warn
from muscle_metrics.gate.verdict import hide_verdict_secrets, verdict_text
from muscle_metrics.reports.annotations import verdict_annotations
from muscle_metrics.reports.flips import first_flips, flip_lines
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.words import secrets
from muscle_metrics.words.secrets import HIDDEN, hide_secrets

# Invented, and joined here so that no scanner of sources reports them as real secrets.
SECRETS = [
    "sk-" + "a1B2" * 12,
    "sk-" + "proj-" + "x_Y-9" * 8,
    "hf_" + "Qw3rTy" * 6,
    "ghp_" + "0aZ9" * 9,
    "github_pat_" + "0aZ9_" * 9,
    "AKIA" + "IOSFODNN7EXAMPLE",
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----\nMIIEow, and the text was cut here",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_of_known_forms(secret: str) -> None:
    assert hide_secrets(secret) == (HIDDEN, 1)
    assert hide_secrets(f"the key is {secret}") == (f"the key is {HIDDEN}", 1)
    assert hide_secrets([1, (secret, None), "x"]) == ([1, (HIDDEN, None), "x"], 1)


PIECES = st.sampled_from(
    [
        *SECRETS, "api", "APİ", "apı", "_", "-", "key", "ſecret", "token", "\u212aey", "access",
        "auth", "PASSWORD", "paſſword", "=", ": ", "'", "hunter22", "sk-", "AKIA",
        "a1B2c3D4e5F6g7H8",
    ]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_the_quick_look_misses_no_secret(text: str) -> None:
    found = [match.group() for match in secrets._SECRET.finditer(text)]
    assert hide_secrets(text).number == len(found)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("model=m,api_key=abcd1234,x=1", f"model=m,api_key={HIDDEN},x=1"),
        ('{"api-key": "abcd1234"}', f'{{"api-key": "{HIDDEN}"}}'),
        ("APIKEY: abcd", f"APIKEY: {HIDDEN}"),
        ("access_token=abcd&y", f"access_token={HIDDEN}&y"),
        ("https://host/?auth-token=abcd", f"https://host/?auth-token={HIDDEN}"),
        ("PASSWORD = 'hunter22'", f"PASSWORD = '{HIDDEN}'"),
        ("secret_key=abcd secret_key=efgh", f"secret_key={HIDDEN} secret_key={HIDDEN}"),
    ],
)
def test_values_after_a_telling_name(text: str, shown: str) -> None:
    hidden = hide_secrets(text)
    assert hidden == (shown, shown.count(HIDDEN))
    # A hidden secret is not counted again.
    assert hide_secrets(shown) == (shown, 0)


@pytest.mark.parametrize(
    "text",
    [
        "risk-1234567890123456", "sk-learn-pipeline-with-no-digit", "sk-short1", "hf_short",
        "AKIAshort", "ghp_", "the api_key is needed", "password: no", "-----BEGIN CERTIFICATE-----",
    ],
)  # fmt: skip
def test_other_text_is_left_alone(text: str) -> None:
    assert hide_secrets(text) == (text, 0)


@pytest.mark.parametrize("piece", ["sk-", "sk-a", "hf_", "api_key=", "-----BEGIN ", "A", " ", "\n"])
def test_a_megabyte_takes_less_than_a_second(piece: str) -> None:
    began = process_time()
    hide_secrets(piece * (1_000_000 // len(piece)))
    hide_secrets("-----BEGIN PRIVATE KEY-----" * 40_000)
    assert process_time() - began < 2


@pytest.fixture
def judged():
    """A verdict with a secret in each of its texts, and one in every field of its flips."""
    key = SECRETS[0]
    old, new = (
        Run(
            tuple(
                Record(f"{key}{i:03}", prediction=answer, reference="A", slice=key)
                for i in range(100)
            ),
            name=f"api_key={name * 9}",
            fingerprint={"harness": f"{name},{key}"},
        )
        for name, answer in (("o", "A"), ("n", f"B {key}"))
    )
    comparison = compare_runs(old, new)
    return check_gate(comparison, Policy(max_nfr=0.5, protected=(key,))), comparison


SINKS = {
    "terminal": lambda verdict, comparison: verdict_text(verdict),
    "flips": lambda verdict, comparison: "\n".join(flip_lines(first_flips(comparison, 5))),
    "annotations": lambda verdict, comparison: "\n".join(verdict_annotations(verdict)),
    "junit": verdict_junit,
    "markdown": verdict_markdown,
    "json": verdict_json,
}


@pytest.mark.parametrize("sink", SINKS)
def test_no_sink_shows_a_secret(judged, sink: str) -> None:
    verdict, comparison = judged
    text = SINKS[sink](verdict, comparison)
    for secret in (SECRETS[0], SECRETS[0][3:], "ooooooooo", "nnnnnnnnn"):
        assert secret not in text
    assert "hidden secret" in text.replace("&#91;", "[").replace("&#93;", "]")


def test_the_count_is_that_of_what_was_hidden(judged) -> None:
    verdict, comparison = judged
    # The id, the slice and the new answer of each flip that is listed.
    assert first_flips(comparison, 5).title == (
        "negative flips: the first 5 of 100; secrets hidden: 15"
    )
    assert json.loads(verdict_json(verdict, comparison, examples=2))["negative_flips"][
        "secrets_hidden"
    ] == 6  # fmt: skip
    assert first_flips(comparison, 0).title == "negative flips: the first 0 of 100"
    # Both names, both fingerprints, the slice.
    assert hide_verdict_secrets(verdict).reasons[-1] == (
        "secrets hidden in this report, examples aside: 5"
    )
    assert hide_verdict_secrets(verdict).outcome is verdict.outcome
    harmless = replace(verdict, names=("old", "new"), reasons=(), checks=())
    assert hide_verdict_secrets(harmless) is harmless


def test_messages_show_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    warn(f"expected a number, got {SECRETS[0]!r}")
    assert capsys.readouterr().err == f"muscle-metrics: expected a number, got '{HIDDEN}'\n"
