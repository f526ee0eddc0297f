"""Amendments that come into force in any order give the same terms."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.agreements.terms.collisions import Draft, collisions, parts_in_words
from partnerships.agreements.terms.in_force import (
    InForceEntry,
    entries_that_apply,
    entry_in_force_on,
    versions_to_write,
)
from partnerships.documents import Collection, Content, Field, Schema, normalise

CLAUSES = Collection(
    "clauses",
    "clause",
    "Clauses",
    "title",
    (Field("title", "Title", required=True), Field("body", "Text", "text", max_length=50_000)),
    "restricted",
)
SCHEMA = Schema("agreement", (Field("quorum", "Quorum"), Field("review_on", "Review date", "date")), (CLAUSES,))
START = dt.date(2026, 1, 1)
KEYS = ("exit", "purpose", "meetings", "money")


def terms(**bodies: str) -> Content:
    """Return valid terms with a clause for each argument, except `quorum` and `review_on`."""
    return normalise(
        SCHEMA,
        {
            "about": {"quorum": bodies.pop("quorum", "3"), "review_on": bodies.pop("review_on", "")},
            "clauses": [{"key": key, "title": key.capitalize(), "body": body} for key, body in bodies.items()],
        },
    )


FIRST = terms(**dict.fromkeys(KEYS, "As agreed."))


def with_clause(content: Content, key: str, body: str | None) -> Content:
    """Return the content with another text of a clause, with a new clause, or (None) without the clause."""
    if body is None:
        return {**content, "clauses": [item for item in content["clauses"] if item["key"] != key]}
    clauses = [{**item, "body": body} if item["key"] == key else item for item in content["clauses"]]
    if key not in KEYS:
        clauses.append({"key": key, "title": key.capitalize(), "body": body})
    return {**content, "clauses": clauses}


class Partnership:
    """The versions and entries of one partnership, in memory."""

    def __init__(self) -> None:
        self.versions: dict[int, Content] = {}
        self.entries: list[InForceEntry] = []

    def put_in_force(self, draft: Content, *, drafted_from: Content | None, day: dt.date) -> None:
        """Write the versions and entries that put a draft in force from a day on."""
        additions = versions_to_write(
            SCHEMA,
            draft=draft,
            drafted_from=drafted_from,
            day=day,
            entries=self.entries,
            content_of=self.versions.__getitem__,
        )
        for addition in additions:
            pk = len(self.versions) + 1
            self.versions[pk] = addition.content
            self.entries.append(InForceEntry(day=addition.day, order=pk, version_id=pk))

    def terms_on(self, day: dt.date) -> Content:
        """Return the content in force on a day."""
        entry = entry_in_force_on(self.entries, day)
        assert entry is not None
        return self.versions[entry.version_id]


def partnership_with_first_terms() -> Partnership:
    partnership = Partnership()
    partnership.put_in_force(FIRST, drafted_from=None, day=START)
    return partnership


def day_after_start(days: int) -> dt.date:
    return START + dt.timedelta(days=days)


def text_by_clause(content: Content) -> dict[str, str]:
    return {item["key"]: item["body"] for item in content["clauses"]}


@given(
    days=st.lists(st.integers(min_value=1, max_value=60), min_size=2, max_size=4),
    removed=st.booleans(),
    data=st.data(),
)
def test_disjoint_amendments_in_any_order_give_the_same_terms(days: list[int], removed: bool, data: Any) -> None:
    drafts = [with_clause(FIRST, key, f"Changed {key}.") for key in KEYS[: len(days)]]
    if removed:
        drafts[0] = with_clause(FIRST, KEYS[0], None)
    shuffled_indexes = data.draw(st.permutations(range(len(days))))
    shuffled_partnership = partnership_with_first_terms()
    ordered_partnership = partnership_with_first_terms()

    for index in shuffled_indexes:
        shuffled_partnership.put_in_force(drafts[index], drafted_from=FIRST, day=day_after_start(days[index]))
    for index in range(len(days)):
        ordered_partnership.put_in_force(drafts[index], drafted_from=FIRST, day=day_after_start(days[index]))

    for day in range(62):
        expected = dict.fromkeys(KEYS, "As agreed.")
        for key, first_day in zip(KEYS, days, strict=False):
            if first_day <= day:
                expected[key] = f"Changed {key}."
        if removed and days[0] <= day:
            del expected[KEYS[0]]
        assert text_by_clause(shuffled_partnership.terms_on(day_after_start(day))) == expected
        assert text_by_clause(ordered_partnership.terms_on(day_after_start(day))) == expected


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_added_clauses_are_all_kept_in_any_order(order: tuple[int, ...]) -> None:
    drafts = [with_clause(FIRST, f"new-{index}", "New.") for index in range(3)]
    partnership = partnership_with_first_terms()

    for index in order:
        partnership.put_in_force(drafts[index], drafted_from=FIRST, day=day_after_start(10 * (index + 1)))

    assert text_by_clause(partnership.terms_on(day_after_start(40))).keys() == {*KEYS, "new-0", "new-1", "new-2"}
    assert "new-2" not in text_by_clause(partnership.terms_on(day_after_start(25)))


def test_what_was_in_force_before_an_amendment_stays_as_it_was() -> None:
    partnership = partnership_with_first_terms()

    partnership.put_in_force(with_clause(FIRST, "exit", "Six months."), drafted_from=FIRST, day=day_after_start(10))

    assert partnership.terms_on(day_after_start(9)) == FIRST
    assert entry_in_force_on(partnership.entries, day_after_start(-1)) is None


def test_of_two_entries_for_a_day_the_later_decision_counts() -> None:
    entries = [InForceEntry(START, 1, 1), InForceEntry(START, 2, 2), InForceEntry(START + dt.timedelta(days=1), 3, 3)]

    assert [entry.version_id for entry in entries_that_apply(entries)] == [2, 3]
    assert entry_in_force_on(entries, START) == entries[1]


def test_proposals_that_change_the_same_clause_collide_on_its_name() -> None:
    reworded_exit = Draft(FIRST, with_clause(FIRST, "exit", "Six months."))
    without_exit = Draft(FIRST, with_clause(FIRST, "exit", None))
    reworded_money = Draft(FIRST, with_clause(FIRST, "money", "More."))

    assert collisions(SCHEMA, reworded_exit, without_exit) == ("clause “Exit”",)
    assert collisions(SCHEMA, reworded_exit, reworded_money) == ()


def test_proposals_collide_on_fields_and_new_clauses_of_one_key() -> None:
    quorum_of_4 = {**FIRST, "about": {**FIRST["about"], "quorum": "4"}}
    quorum_of_5 = {**FIRST, "about": {**FIRST["about"], "quorum": "5"}}
    other_review = {**FIRST, "about": {**FIRST["about"], "review_on": "2027"}}
    two_lots = with_clause(quorum_of_4, "lots", "Two lots.")
    three_lots = with_clause(quorum_of_5, "lots", "Three lots.")

    part_names = collisions(SCHEMA, Draft(FIRST, two_lots), Draft(FIRST, three_lots))

    assert part_names == ("“Quorum”", "clause “Lots”")
    assert parts_in_words(part_names) == "“Quorum” and clause “Lots”"
    assert collisions(SCHEMA, Draft(FIRST, quorum_of_4), Draft(FIRST, other_review)) == ()


def test_proposals_that_both_reorder_the_clauses_collide_on_the_order() -> None:
    exit_clause, purpose, meetings, money = FIRST["clauses"]
    first_two_swapped = {**FIRST, "clauses": [purpose, exit_clause, meetings, money]}
    last_two_swapped = {**FIRST, "clauses": [exit_clause, purpose, money, meetings]}

    part_names = collisions(SCHEMA, Draft(FIRST, first_two_swapped), Draft(FIRST, last_two_swapped))

    assert part_names == ("the order of “Clauses”",)
