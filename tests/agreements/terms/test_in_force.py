"""Amendments that come into force in any order give the same terms."""

from __future__ import annotations

import datetime as dt
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partnerships.agreements.terms.collisions import collisions, in_words
from partnerships.agreements.terms.in_force import Entry, in_force_on, timeline, versions_to_write
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
    return normalise(
        SCHEMA,
        {
            "about": {"quorum": bodies.pop("quorum", "3"), "review_on": bodies.pop("review_on", "")},
            "clauses": [{"key": key, "title": key.capitalize(), "body": body} for key, body in bodies.items()],
        },
    )


FIRST = terms(**dict.fromkeys(KEYS, "As agreed."))


def with_clause(content: Content, key: str, body: str | None) -> Content:
    kept = [item for item in content["clauses"] if item["key"] != key]
    if body is None:
        return {**content, "clauses": kept}
    changed = [{**item, "body": body} if item["key"] == key else item for item in content["clauses"]]
    if key not in KEYS:
        changed.append({"key": key, "title": key.capitalize(), "body": body})
    return {**content, "clauses": changed}


class Book:
    """The versions and entries of one partnership, kept in memory."""

    def __init__(self) -> None:
        self.versions: dict[int, Content] = {}
        self.entries: list[Entry] = []

    def take_force(self, draft: Content, was: Content | None, day: dt.date) -> None:
        for addition in versions_to_write(
            SCHEMA, draft=draft, was=was, day=day, entries=self.entries, content_of=self.versions.__getitem__
        ):
            number = len(self.versions) + 1
            self.versions[number] = addition.content
            self.entries.append(Entry(addition.day, number, number))

    def on(self, day: dt.date) -> Content:
        found = in_force_on(self.entries, day)
        assert found is not None
        return self.versions[found.version]


def clauses(content: Content) -> dict[str, str]:
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
    order = data.draw(st.permutations(range(len(days))))
    book, as_asked = Book(), Book()
    for one in (book, as_asked):
        one.take_force(FIRST, None, START)

    for place in order:
        book.take_force(drafts[place], FIRST, START + dt.timedelta(days=days[place]))
    for place in range(len(days)):
        as_asked.take_force(drafts[place], FIRST, START + dt.timedelta(days=days[place]))

    for day in range(62):
        on = START + dt.timedelta(days=day)
        expected = dict.fromkeys(KEYS, "As agreed.")
        for place, begins in enumerate(days):
            if begins <= day:
                expected[KEYS[place]] = f"Changed {KEYS[place]}."
                if removed and place == 0:
                    expected.pop(KEYS[0])
        assert clauses(book.on(on)) == expected == clauses(as_asked.on(on))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_added_clauses_are_all_kept_in_any_order(order: tuple[int, ...]) -> None:
    drafts = [with_clause(FIRST, f"new-{place}", "New.") for place in range(3)]
    book = Book()
    book.take_force(FIRST, None, START)

    for place in order:
        book.take_force(drafts[place], FIRST, START + dt.timedelta(days=10 * (place + 1)))

    assert clauses(book.on(START + dt.timedelta(days=40))).keys() == {*KEYS, "new-0", "new-1", "new-2"}
    assert "new-2" not in clauses(book.on(START + dt.timedelta(days=25)))


def test_what_was_in_force_before_an_amendment_stays_as_it_was() -> None:
    book = Book()
    book.take_force(FIRST, None, START)
    book.take_force(with_clause(FIRST, "exit", "Six months."), FIRST, START + dt.timedelta(days=10))

    assert book.on(START + dt.timedelta(days=9)) == FIRST
    assert in_force_on(book.entries, START - dt.timedelta(days=1)) is None


def test_of_two_entries_for_a_day_the_later_decision_counts() -> None:
    entries = [Entry(START, 1, 1), Entry(START, 2, 2), Entry(START + dt.timedelta(days=1), 3, 3)]

    assert [entry.version for entry in timeline(entries)] == [2, 3]
    assert in_force_on(entries, START) == entries[1]


def test_proposals_that_change_the_same_clause_collide_on_its_name() -> None:
    longer = with_clause(FIRST, "exit", "Six months.")
    shorter = with_clause(FIRST, "exit", None)

    assert collisions(SCHEMA, (FIRST, longer), (FIRST, shorter)) == ("clause “Exit”",)
    assert collisions(SCHEMA, (FIRST, longer), (FIRST, with_clause(FIRST, "money", "More."))) == ()


def test_proposals_collide_on_fields_and_new_clauses_of_one_key() -> None:
    quorum = {**FIRST, "about": {**FIRST["about"], "quorum": "4"}}
    both = with_clause(quorum, "lots", "Two lots.")
    other = with_clause({**FIRST, "about": {**FIRST["about"], "quorum": "5"}}, "lots", "Three lots.")

    found = collisions(SCHEMA, (FIRST, both), (FIRST, other))

    assert found == ("“Quorum”", "clause “Lots”")
    assert in_words(found) == "“Quorum” and clause “Lots”"
    assert (
        collisions(SCHEMA, (FIRST, quorum), (FIRST, {**FIRST, "about": {**FIRST["about"], "review_on": "2027"}})) == ()
    )


def test_proposals_that_both_reorder_the_clauses_collide_on_the_order() -> None:
    first = {**FIRST, "clauses": [FIRST["clauses"][1], FIRST["clauses"][0], *FIRST["clauses"][2:]]}
    second = {**FIRST, "clauses": [*FIRST["clauses"][:2], FIRST["clauses"][3], FIRST["clauses"][2]]}

    assert collisions(SCHEMA, (FIRST, first), (FIRST, second)) == ("the order of “Clauses”",)
