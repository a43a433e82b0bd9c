"""Laws that any count of flips must obey, whatever the items are."""

from __future__ import annotations

import dataclasses
import itertools

from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.flips.counting import count_flips, label_flips
from muscle_metrics.flips.counts import Quadrant

letters = st.sampled_from("ABCD")
rows = st.lists(
    st.tuples(letters, letters, st.one_of(letters, st.lists(letters, min_size=1, max_size=2))),
    min_size=1,
    max_size=12,
)


def columns(items):
    return dict(zip(("old", "new", "references"), map(list, zip(*items, strict=True)), strict=True))


def count(items):
    return count_flips(**columns(items))


# Laws


@given(rows)
def test_labels_and_counts_agree(items):
    quadrants, changed = label_flips(**columns(items))
    labels = list(zip(quadrants.tolist(), changed.tolist(), strict=True))
    counts = count(items)
    assert counts.total == len(items)
    for quadrant in Quadrant:
        assert getattr(counts, quadrant) == quadrants.tolist().count(quadrant)
    assert counts.both_right_changed == labels.count(("both_right", True))
    assert counts.wrong_changed == labels.count(("both_wrong", True))
    assert counts.churn == changed.mean()


@given(rows)
def test_a_flip_is_always_a_change_of_answer(items):
    # Right and wrong cannot be the same answer to the same item.
    for quadrant, changed in zip(*label_flips(**columns(items)), strict=True):
        assert changed or quadrant in ("both_right", "both_wrong")


@given(rows)
def test_a_model_compared_with_itself_flips_nothing(items):
    same = [(old, old, accepted) for old, _, accepted in items]
    assert count(same).churn.count == 0


@given(rows)
def test_swapping_old_and_new_swaps_negative_and_positive(items):
    there, back = count(items), count([(new, old, accepted) for old, new, accepted in items])
    assert back == dataclasses.replace(there, negative=there.positive, positive=there.negative)


@given(rows, st.randoms(use_true_random=False))
def test_order_of_items_does_not_matter(items, generator):
    shuffled = list(items)
    generator.shuffle(shuffled)
    assert count(shuffled) == count(items)


@given(rows, st.lists(st.integers(1, 11), max_size=3))
def test_shards_add_to_the_whole(items, cuts):
    borders = [0, *sorted(cut for cut in set(cuts) if cut < len(items)), len(items)]
    shards = [items[start:end] for start, end in itertools.pairwise(borders)]
    assert sum(map(count, shards)) == count(items)


@given(rows, st.integers(2, 5))
def test_repeated_items_keep_every_rate(items, times):
    once, often = count(items), count(items * times)
    assert often == sum([once] * times)
    for name in ("negative_flip_rate", "positive_flip_rate", "inconsistency_flip_rate", "churn"):
        assert getattr(often, name) == getattr(once, name)


@given(
    rows, st.permutations("ABCD"), st.sampled_from([str, ord, lambda a: ord(a) / 7, "{}\0".format])
)
def test_names_of_the_answers_do_not_matter(items, names, spelled):
    renamed = {letter: spelled(name) for letter, name in zip("ABCD", names, strict=True)}
    relabelled = [
        (
            renamed[old],
            renamed[new],
            [renamed[one] for one in accepted] if isinstance(accepted, list) else renamed[accepted],
        )
        for old, new, accepted in items
    ]
    assert count(relabelled) == count(items)
    assert count_flips(**columns(items), key=renamed.__getitem__) == count(items)


@given(st.lists(st.tuples(letters, letters, letters, letters), min_size=1, max_size=12))
def test_triangle_inequality_over_two_updates(items):
    first, second, third, references = map(list, zip(*items, strict=True))

    def rates(old, new):
        counts = count_flips(old=old, new=new, references=references)
        return counts.negative, counts.positive, counts.churn.count

    for direct, one, two in zip(
        rates(first, third), rates(first, second), rates(second, third), strict=True
    ):
        assert direct <= one + two


@given(rows)
def test_more_accepted_answers_never_make_more_items_wrong(items):
    accepted = [row if isinstance(row, list) else [row] for *_, row in items]
    more = [(old, new, [*row, "D"]) for (old, new, _), row in zip(items, accepted, strict=True)]
    assert count(more).old_right >= count(items).old_right
    assert count(more).new_right >= count(items).new_right
    assert count(more).churn == count(items).churn


@given(rows)
def test_frechet_bounds_hold_for_every_pair_of_models(items):
    counts = count(items)
    forced = max(0, counts.old_right - counts.new_right)
    assert forced <= counts.negative <= min(counts.old_right, counts.new_wrong)
    assert counts.avoidable_negative_flip_rate.count == counts.negative - forced
