"""Stored rows teach as the live model does; most likely tokens and a rest, as their buckets do."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
for package in ("peft", "transformers"):
    pytest.importorskip(package)

from muscle_metrics.adapter.config import CompatibilityConfig  # noqa: E402
from muscle_metrics.adapter.data.examples import (  # noqa: E402
    Example,
    collate,
    encode_examples,
)
from muscle_metrics.adapter.loss.strategies import IGNORED, TokenFacts  # noqa: E402
from muscle_metrics.adapter.models import LoadedModel, TaskModel, load_student  # noqa: E402
from muscle_metrics.adapter.teachers import stored  # noqa: E402
from muscle_metrics.adapter.teachers.distillation import LiveTeacher, Places  # noqa: E402
from muscle_metrics.adapter.teachers.retokenized import check_spelling, score_candidates  # noqa: E402
from muscle_metrics.adapter.teachers.stored import (  # noqa: E402
    StoredTeacher,
    TailRows,
    compute_rows,
    keep_most_likely,
    store_rows,
)
from muscle_metrics.errors import InputError  # noqa: E402

EXAMPLES = [
    Example(
        id=str(one),
        prompt=f"w{one} w{one * 5 % 20} ?",
        completion=" ".join(["yes", f"w{one}", "blue"][: 1 + one % 3]),
    )
    for one in range(9)
]


@pytest.fixture(scope="module")
def encoded(tokenizer):
    return encode_examples(tokenizer, EXAMPLES, loss_over="prompt_and_completion", max_length=20)


@pytest.fixture(scope="module")
def model(make_model):
    return make_model(1)


def batch_of(encoded, places: list[int]) -> tuple[dict, Places]:
    batch = collate([[(place, False, encoded[place])] for place in places], padding=0)
    return batch, Places(*torch.nonzero(batch["labels"][:, 1:] != IGNORED, as_tuple=True))


@pytest.mark.parametrize("top_k", [None, 33])
def test_stored_rows_are_the_live_ones(top_k, encoded, model, tmp_path, monkeypatch):
    # Small enough for several shards.
    monkeypatch.setattr(stored, "SHARD_BYTES", 600)
    blocks = compute_rows(model, encoded, vocabulary=34, temperature=2.0, top_k=top_k, batch_size=4)
    store_rows(blocks, tmp_path, temperature=None if top_k is None else 2.0, recipe="x")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    teacher = StoredTeacher(tmp_path, "x", 2.0)
    batch, places = batch_of(encoded, [7, 0, 3])
    labels = batch["labels"][places.rows, places.columns + 1]
    live = LiveTeacher(model, 34).teach(batch, places, fused=True)
    known = teacher.teach(batch, places, fused=True)
    student = torch.randn(len(labels), 34).log_softmax(1)
    for part in (slice(0, len(labels)), slice(2, 5)):
        one, other = live.cut(part), known.cut(part)
        chosen = torch.arange(len(labels[part])) % 2 == 0
        torch.testing.assert_close(
            one.log_probabilities(chosen, 2.0, student[part]),
            other.log_probabilities(chosen, 2.0, student[part]),
            rtol=0,
            atol=1e-5 if top_k else 5e-3,
        )
        for ours, theirs in zip(one.facts(labels[part]), other.facts(labels[part]), strict=True):
            torch.testing.assert_close(ours, theirs)


def test_the_rest_is_one_bucket_in_value_and_gradient():
    source = torch.Generator().manual_seed(0)
    teacher = torch.randn(5, 12, generator=source, dtype=torch.float64).log_softmax(1)
    logits = torch.randn(5, 12, generator=source, dtype=torch.float64, requires_grad=True)
    kept = keep_most_likely(teacher, 4)
    nothing = TokenFacts(torch.zeros(5, dtype=torch.bool), torch.zeros(5))
    rows = TailRows(kept["tokens"], kept["log_probabilities"], kept["rest"], nothing)
    student = logits.log_softmax(1)
    dense = rows.log_probabilities(torch.ones(5, dtype=torch.bool), 1.0, student.detach())
    ours = (dense.exp() * (dense - student)).sum()

    # By the definition: five outcomes, of which the last is everything else.
    def bucketed(values: torch.Tensor) -> torch.Tensor:
        tokens = kept["tokens"].long()
        rest = 1 - values.exp().gather(1, tokens).sum(1, keepdim=True)
        return torch.cat([values.gather(1, tokens), rest.log()], dim=1)

    of_teacher = bucketed(teacher)
    theirs = (of_teacher.exp() * (of_teacher - bucketed(student))).sum()
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-9)
    torch.testing.assert_close(
        torch.autograd.grad(ours, logits, retain_graph=True)[0],
        torch.autograd.grad(theirs, logits)[0],
    )
    assert dense.exp().sum(1).tolist() == pytest.approx([1.0] * 5)


def test_few_tokens_are_many_times_smaller(encoded, model, tmp_path):
    sizes = {}
    for top_k in (None, 1):
        folder = tmp_path / str(top_k)
        blocks = compute_rows(
            model, encoded, vocabulary=34, temperature=2.0, top_k=top_k, batch_size=4
        )
        store_rows(blocks, folder, temperature=2.0, recipe="x")
        sizes[top_k] = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    assert sizes[1] < sizes[None] / 2


@pytest.mark.parametrize("other", [("y", 2.0), ("x", 1.0)])
def test_rows_of_something_else_are_refused(other, encoded, model, tmp_path):
    blocks = compute_rows(model, encoded, vocabulary=34, temperature=2.0, top_k=4, batch_size=4)
    store_rows(blocks, tmp_path, temperature=2.0, recipe="x")
    with pytest.raises(InputError, match="expected logits of these models"):
        StoredTeacher(tmp_path, *other)


@pytest.mark.parametrize("damage", ["a byte", "missing", "a link", "a pickle beside"])
def test_changed_rows_are_refused(damage, encoded, model, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "SHARD_BYTES", 600)
    folder = tmp_path / "rows"
    blocks = compute_rows(model, encoded, vocabulary=34, temperature=2.0, top_k=4, batch_size=4)
    store_rows(blocks, folder, temperature=2.0, recipe="x")
    shard = sorted(folder.glob("*.safetensors"))[1]
    content = shard.read_bytes()
    if damage == "a byte":
        shard.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "a pickle beside":
        (folder / "more.pt").write_bytes(b"")
    else:
        shard.unlink()
    if damage == "a link":
        (tmp_path / "elsewhere").write_bytes(content)
        shard.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="as its index lists them"):
        StoredTeacher(folder, "x", 2.0)


def test_a_folder_without_rows_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected stored logits"):
        StoredTeacher(tmp_path, "x", 2.0)


@pytest.fixture(scope="module")
def halves():
    """One token for the letter of a word, one for the rest of it."""
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    pieces = sorted({*"wyesnoredblugn?", *map(str, range(24))})
    vocabulary = {piece: number for number, piece in enumerate(["</s>", *pieces, "<unk>", " "])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"\d+|\D"), "isolated")
    inner.pre_tokenizer = split
    inner.decoder = tokenizers.decoders.Fuse()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", unk_token="<unk>"
    )


@pytest.fixture(scope="module")
def loaded(halves, make_model, tokenizer):
    old = LoadedModel(make_model(1, vocabulary=len(halves)), halves, "old")
    new = load_student(
        TaskModel(make_model(2), tokenizer=tokenizer), CompatibilityConfig(lora_rank=2)
    )
    return old, new


class TestAnotherTokenizer:
    """The old model spells each word as two tokens; its vocabulary shares nothing with the new."""

    def test_candidates_are_scored_as_their_spelling(self, loaded, encoded, tokenizer, halves):
        old, new = loaded
        block = next(
            score_candidates(
                old, new, encoded[4:5], vocabulary=34, temperature=1.0, top_k=8, batch_size=4
            )
        )
        tokens = encoded[4].tokens
        checked = 0
        for row, place in enumerate(range(1, len(tokens))):
            before = tokenizer.decode(tokens[:place])
            start = halves(before)["input_ids"]
            for token, value in zip(
                block["tokens"][row], block["log_probabilities"][row], strict=True
            ):
                if token == 34 or token == tokenizer.eos_token_id:
                    continue
                whole = halves(before + " " + tokenizer.decode([token]))["input_ids"]
                expected = 0.0
                with torch.no_grad():
                    for end in range(len(start), len(whole)):
                        logits = old.model(input_ids=torch.tensor([whole[:end]])).logits[0, -1]
                        expected += float(logits.log_softmax(0)[whole[end]])
                assert float(value) == pytest.approx(expected, abs=1e-4)
                checked += 1
        assert checked > 20
        together = block["log_probabilities"].exp().sum(1) + block["rest"].exp()
        assert together.tolist() == pytest.approx([1.0] * len(together), abs=1e-5)

    def test_the_right_token_is_always_a_candidate(self, loaded, encoded):
        old, new = loaded
        block = next(
            score_candidates(
                old, new, encoded[:1], vocabulary=34, temperature=2.0, top_k=2, batch_size=4
            )
        )
        labels = torch.tensor(encoded[0].labels[1:])
        assert (block["tokens"] == labels[:, None]).any(1).all()
        assert torch.isfinite(block["log_likelihood"]).all()

    def test_the_same_tokenizer_gives_the_same_rows(self, make_model, encoded, tokenizer):
        old = LoadedModel(make_model(1), tokenizer, "old")
        new = load_student(
            TaskModel(make_model(2), tokenizer=tokenizer), CompatibilityConfig(lora_rank=2)
        )
        block = next(
            score_candidates(
                old, new, encoded[:1], vocabulary=34, temperature=1.0, top_k=5, batch_size=4
            )
        )
        live = next(
            compute_rows(
                old.model, encoded[:1], vocabulary=34, temperature=1.0, top_k=None, batch_size=4
            )
        )
        rows = live["logits"].float().log_softmax(1)
        for row, (tokens, values) in enumerate(
            zip(block["tokens"], block["log_probabilities"], strict=True)
        ):
            known = tokens < 34
            torch.testing.assert_close(
                values[known], rows[row, tokens[known].long()], rtol=0, atol=5e-3
            )
        torch.testing.assert_close(block["log_likelihood"], live["log_likelihood"])

    def test_what_cannot_be_spelled_is_refused(self, loaded, encoded, make_tokenizer):
        old, new = loaded
        old = replace(old, tokenizer=make_tokenizer(["x"]))
        with pytest.raises(InputError, match="such a pair is not supported"):
            check_spelling(old, new, encoded)
