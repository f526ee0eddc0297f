"""The check finds the words that, by the glossary, we do not use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.glossary import GLOSSARY, UnableToReadGlossary, Word, find, find_in, read_words

TABLE = """
## Words that we do not use

| do not use | use instead | allowed in |
|---|---|---|
| `letter` | email | `three-letter`, `letter case` |
| `told by` | emailed | |
| `take_up` | process | |
| `MOST_` | MAX_ | |
| `Come in` | Sign in | |
"""
WORDS = read_words(TABLE)


def words_found_in(text: str) -> list[str]:
    """Return the words of the table that the check finds in a text."""
    return [word.word for _, word in find_in(text, WORDS)]


def test_the_glossary_of_the_project_has_rows_with_replacements() -> None:
    glossary_words = read_words(GLOSSARY.read_text(encoding="utf-8"))

    assert {"letter", "whoever", "MOST_"} <= {word.word for word in glossary_words}
    assert all(word.instead for word in glossary_words)


def test_a_glossary_without_the_table_is_refused() -> None:
    with pytest.raises(UnableToReadGlossary):
        read_words("# Glossary\n")


@pytest.mark.parametrize(
    "text", ["A letter.", "the Letter", "new_letter = 1", '<p class="cg-letter">', "letter_of(one)"]
)
def test_a_word_is_found_in_prose_and_in_names(text: str) -> None:
    assert words_found_in(text) == ["letter"]


@pytest.mark.parametrize("text", ["newsletter", "letterbox", "a three-letter key", "whatever the letter case"])
def test_longer_words_and_allowed_phrases_are_not_found(text: str) -> None:
    assert words_found_in(text) == []


def test_a_blank_in_a_word_stands_for_an_underscore_too() -> None:
    assert words_found_in("told by email") == words_found_in("told_by_row") == ["told by"]
    assert words_found_in("take_up(row)") == ["take_up"]
    assert words_found_in("take up the offer") == []


def test_a_word_with_capitals_is_found_only_as_written() -> None:
    assert words_found_in("_MOST_ROWS = 3") == ["MOST_"]
    assert words_found_in("most_rows") == []
    assert words_found_in("changes come in") == []
    assert words_found_in("Come in here") == ["Come in"]


def test_a_finding_names_file_line_and_replacement(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "plans.md").write_text("One line.\nA letter goes out.\n", encoding="utf-8")

    assert [str(finding) for finding in find(tmp_path, WORDS)] == ["docs/plans.md:2: “letter”: use email"]


@pytest.mark.parametrize(
    "place", ["docs/glossary.md", "tests/transfer/extracts/list.txt", "partnerships/a/migrations/0001.py"]
)
def test_the_glossary_published_files_and_migrations_are_left_out(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text("A letter.\n", encoding="utf-8")

    assert find(tmp_path, [Word("letter", "email")]) == []
