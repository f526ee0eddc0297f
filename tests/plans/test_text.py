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
    monkeypatch.setattr(text, "MAX_LONG_COMPARISONS", 2)
    monkeypatch.setattr(text, "SECONDS_A_COMPARISON", 1)
    clock = itertools.count()  # each comparison takes a second
    monkeypatch.setattr(text, "monotonic", lambda: next(clock))
    time = text.DiffTime()

    differences = [word_differences("one two", "one three", time) for _ in range(3)]

    refined = (("equal", "one "), ("delete", "two"), ("insert", "three"))
    coarse = (("delete", "one two"), ("insert", "one three"))
    assert differences == [refined, refined, coarse]


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
    differences = word_differences(
        "one two three four five six seven eight nine", "one two three four FIVE six seven eight nine"
    )

    fragments = excerpt(differences, words=2)

    assert [(part.kind, part.text) for part in fragments] == [
        ("gap", "…"),
        ("equal", "three four "),
        ("delete", "five"),
        ("insert", "FIVE"),
        ("equal", " six seven"),
        ("gap", "…"),
    ]


@pytest.mark.parametrize(
    ("limit", "result"),
    [
        pytest.param(13, "Homes for all", id="fits"),
        pytest.param(12, "Homes for a…", id="too long"),
    ],
)
def test_cutting_keeps_a_text_that_fits(limit: int, result: str) -> None:
    assert cut("Homes for all", limit) == result


@pytest.mark.parametrize(
    ("long_text", "result"),
    [
        pytest.param("Homes", "Homes", id="fits"),
        pytest.param("Homes for every neighbour of ours", "Homes for every…", id="too long"),
    ],
)
def test_shortening_cuts_at_a_word(long_text: str, result: str) -> None:
    assert shorten(long_text, 20) == result
