"""Adds versions of question sets. A version never changes, so that rounds keep the questions that people answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import get_language_info

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.rights import may_change_network_settings
from partnerships.surveys.bodies import Group
from partnerships.surveys.models import QuestionSet
from partnerships.surveys.questions import InvalidQuestions, parts_by_key, read_toml


class UnableToAddQuestions(Exception):
    """Raised if the questions are invalid, or if a key has another meaning in an earlier version."""


@transaction.atomic
def add_question_set(*, code: str, text: str, author: User | None) -> QuestionSet:
    """Add the next version of a question set, or a new set, from TOML (docs/surveys.md).

    Raises `UnableToAddQuestions`.
    """
    require(may_change_network_settings(author))
    try:
        content = read_toml(text, Group.values)
    except InvalidQuestions as error:
        raise UnableToAddQuestions(str(error)) from error
    _check_languages(content["languages"])
    earlier_versions = QuestionSet.objects.filter(code=code)
    _check_keys(content, earlier_versions)
    last_version = earlier_versions.aggregate(last=Max("version"))["last"] or 0
    return QuestionSet.objects.create(code=code, version=last_version + 1, content=content)


def _check_languages(codes: Iterable[str]) -> None:
    """Raise `UnableToAddQuestions` if one of these is not the code of a language."""
    for code in codes:
        try:
            get_language_info(code)
        except KeyError as error:
            raise UnableToAddQuestions(f"“{code}” is not a language code. Enter one such as “en” or “cy”.") from error


def _check_keys(content: dict[str, Any], earlier_versions: QuerySet[QuestionSet]) -> None:
    """Raise `UnableToAddQuestions` if a key has another meaning in an earlier version."""
    parts = parts_by_key(content)
    for earlier_version in earlier_versions.order_by("version"):
        for key, part in parts_by_key(earlier_version.content).items():
            if parts.get(key, part) != part:
                raise UnableToAddQuestions(
                    f"Version {earlier_version.version} uses the key “{key}” in its {part}. Give the new question "
                    "another key."
                )
