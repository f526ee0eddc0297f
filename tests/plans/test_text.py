"""Differences word by word lose no word."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.kit import text
from partnerships.kit.text import cut, excerpt, shorten, word_differences

texts = st.text(st.sampled_from("ab é.,\n’日"), max_size=60) | st.text(max_size=60)


@given(texts, texts)
@settings(max_examples=120)
def test_fragments_give_back_both_texts(was: str, now: str) -> None:
    fragments = word_differences(was, now)

    assert "".join(part.text for part in fragments if part.kind != "insert") == was
    assert "".join(part.text for part in fragments if part.kind != "delete") == now


def test_texts_of_one_page_share_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(step=text.SECONDS_A_COMPARISON)  # each look takes as long as one difference may
    monkeypatch.setattr(text, "monotonic", lambda: next(clock))
    time = text.DiffTime()

    differences = [word_differences("one two", "one three", time) for _ in range(100)]

    assert len([fragments for fragments in differences if len(fragments) == 3]) == text.MAX_LONG_COMPARISONS
    assert differences[-1] == (("delete", "one two"), ("insert", "one three"))


def test_changed_number_is_a_whole_word() -> None:
    fragments = word_differences(
        "Survey 1,300 terraces in Westmarch", "Survey 1,340 terraces in Westmarch and Eastmere"
    )

    assert [(part.kind, part.text) for part in fragments] == [
        ("equal", "Survey "),
        ("delete", "1,300"),
        ("insert", "1,340"),
        ("equal", " terraces in Westmarch"),
        ("insert", " and Eastmere"),
    ]


def test_excerpt_keeps_each_change_with_some_words_around_it() -> None:
    long_text = " ".join(f"word{number}" for number in range(100))

    fragments = excerpt(word_differences(long_text, long_text.replace("word50", "this")), words=3)

    assert [part.kind for part in fragments] == ["gap", "equal", "delete", "insert", "equal", "gap"]
    assert sum(len(part.text.split()) for part in fragments) < 12


def test_cutting_keeps_a_text_that_fits() -> None:
    assert cut("Homes for all", 13) == "Homes for all"
    assert cut("Homes for all", 12) == "Homes for a…"


def test_shortening_cuts_at_a_word() -> None:
    assert shorten("Homes for every neighbour of ours", 20) == "Homes for every…"
    assert shorten("Homes", 20) == "Homes"
