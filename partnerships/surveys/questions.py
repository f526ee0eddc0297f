"""The questions of a survey, which are read from TOML.

Administrators add versions of question sets in Django admin. Questions with the same key in two versions mean the same,
so that their results can be compared.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.kit.text import listed

#: The scale of a dimension, from disagreeing to agreeing.
SCORES = range(1, 6)
#: Limit of characters of a comment in a survey.
MAX_COMMENT = 1_000
_KEY = re.compile(r"[a-z][a-z0-9_]{1,39}")
#: The parts of a question set, each with the texts that a question of this part needs in every language.
_PARTS = {"dimensions": ("name", "statement"), "expectations": ("text",), "comments": ("question",)}


class InvalidQuestions(Exception):
    """Raised if a question set is invalid. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """A statement that people agree or disagree with, from 1 to 5."""

    key: str
    name: str
    statement: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """An expectation that people may have of a group of organisations."""

    key: str
    #: The code of the group (`bodies.Group`).
    of: str
    text: str


@dataclass(frozen=True, slots=True)
class Comment:
    """A question answered in free text."""

    key: str
    question: str


@dataclass(frozen=True, slots=True)
class Questions:
    """A question set in one language."""

    name: str
    language: str
    dimensions: Sequence[Dimension]
    expectations: Sequence[Expectation]
    comments: Sequence[Comment]

    def themes(self) -> dict[str, str]:
        """Return the names of dimensions and expectations by key. Work can be linked to the result of each."""
        return {dimension.key: dimension.name for dimension in self.dimensions} | {
            expectation.key: expectation.text for expectation in self.expectations
        }


def read_toml(text: str, groups: Sequence[str]) -> dict[str, Any]:
    """Parse a question set from TOML, and check it. Raises `InvalidQuestions`.

    `groups` are the codes that an expectation may have as its group.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidQuestions(f"We cannot read these questions as TOML: {error}.") from error
    check_questions(content, groups)
    return content


def check_questions(content: Mapping[str, Any], groups: Sequence[str]) -> None:
    """Raise `InvalidQuestions` if a question set is incomplete."""
    languages = content.get("languages")
    if not isinstance(languages, list) or not languages or not all(isinstance(language, str) for language in languages):
        raise InvalidQuestions('Enter the languages, for example languages = ["en"].')
    if not isinstance(content.get("name"), str):
        raise InvalidQuestions("Enter a name for the question set.")
    seen_keys: set[str] = set()
    for part, texts in _PARTS.items():
        questions = content.get(part, [])
        if not isinstance(questions, list):
            raise InvalidQuestions(f"Enter each of the {part} under [[{part}]].")
        for position, question in enumerate(questions, 1):
            _check_question(f"{part} {position}", question, texts, languages, seen_keys)
            if part == "expectations" and question.get("of") not in groups:
                raise InvalidQuestions(f"{part} {position}: enter {listed(groups, 'or')} as “of”.")
    if not content.get("dimensions"):
        raise InvalidQuestions("Enter at least one dimension.")


def _check_question(
    location: str, question: Any, text_names: Sequence[str], languages: Sequence[str], seen_keys: set[str]
) -> None:
    """Raise `InvalidQuestions` unless a question has a new key, and its texts in all languages."""
    key = question.get("key") if isinstance(question, dict) else None
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidQuestions(f"{location}: enter a key in lower case, with digits and underscores.")
    if key in seen_keys:
        raise InvalidQuestions(f"{location}: the key “{key}” is used twice. Choose another.")
    seen_keys.add(key)
    for text_name in text_names:
        text_by_language = question.get(text_name)
        missing = [
            language
            for language in languages
            if not isinstance(text_by_language, dict) or not isinstance(text_by_language.get(language), str)
        ]
        if missing:
            raise InvalidQuestions(f"{location}: enter “{text_name}” in {listed(missing)}.")


def parts_by_key(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the part of the question set (dimensions, expectations or comments) of each question, by its key."""
    return {question["key"]: part for part in _PARTS for question in content.get(part, [])}


def questions_in_language(content: Mapping[str, Any], language: str) -> Questions:
    """Return the questions in a language or, without a translation, in the first language of the set."""
    chosen_language = language if language in content["languages"] else content["languages"][0]
    return Questions(
        name=content["name"],
        language=chosen_language,
        dimensions=[
            Dimension(dimension["key"], dimension["name"][chosen_language], dimension["statement"][chosen_language])
            for dimension in content["dimensions"]
        ],
        expectations=[
            Expectation(expectation["key"], expectation["of"], expectation["text"][chosen_language])
            for expectation in content.get("expectations", [])
        ],
        comments=[
            Comment(comment["key"], comment["question"][chosen_language]) for comment in content.get("comments", [])
        ],
    )
