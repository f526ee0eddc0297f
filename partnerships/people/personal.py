"""Rules that say what an erasure and an export do with each field of personal data.

Each room registers the rules of its models. A test finds fields without a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import EmailField, Field, GenericIPAddressField, Model

if TYPE_CHECKING:
    from partnerships.people.models import User


class ErasureAction(Enum):
    """What an erasure does with a personal field."""

    KEEP = "The row is kept. It refers to the person by id, and pages show “a former member”."
    CLEAR = "The field is emptied."
    DELETE = "The whole row is deleted."
    REPLACE = "The value is replaced by a placeholder."


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule for one personal field.

    For example, the job title of a person who took part in a conversation is emptied when that person is erased.
    """

    #: The model, as "app.Model".
    model: str
    field: str
    erasure: ErasureAction
    #: Why we store the field.
    purpose: str
    #: Fields of the same row that the person's export contains. Empty if the row names several people.
    exported: tuple[str, ...] = ()
    #: The field (or lookup path) that refers to the person, if `field` contains data about them. May be empty if the
    #: row has exactly one reference to a person. If only an email address identifies the person, this is `field`.
    person_field: str = ""
    #: A function that applies the rule, if the application's database role may not change the table directly.
    apply: Callable[[User], int] | None = None


_rules: dict[tuple[str, str], Rule] = {}

#: Names of fields that contain personal data in any model.
PERSONAL_NAMES = frozenset({"email", "user_agent", "ip", "job_title", "phone", "address", "recipient", "attendees"})
#: Fields with such a name that are not about a person: the address of a building site.
_NOT_ABOUT_PEOPLE = frozenset({("plans.Site", "address")})
#: The name of the field with a person's id in rooms below people, which cannot have a foreign key to people.
PERSON_NUMBER = "person_id"


def register_personal(rules: Sequence[Rule]) -> None:
    """Register rules for personal fields. Models are written "app.Model"."""
    for rule in rules:
        _rules[rule.model, rule.field] = rule


def personal_rules() -> tuple[Rule, ...]:
    """Return all rules, sorted by model and field."""
    return tuple(_rules[key] for key in sorted(_rules))


def is_history(model: type[Model]) -> bool:
    """Return True if the model is a table of row history, which stores earlier versions of rows."""
    return hasattr(model, "pgh_tracked_model") or model._meta.app_label == "pghistory"


def personal_fields() -> Iterator[tuple[str, str]]:
    """Yield the model and name of every field that refers to a person or contains personal data.

    For example, ("plans.Plan", "created_by"). The fields are found in the models themselves, not in the rules.
    """
    for model in apps.get_models():
        if not model._meta.managed or model._meta.proxy:
            continue
        # An erasure cannot change row history, which therefore may refer to people but not contain personal data.
        # If such data was ever tracked, it would be yielded here, and the test for missing rules would fail.
        reference_names = () if is_history(model) else _reference_names(model)
        yield from ((model._meta.label, name) for name in (*reference_names, *_personal_data_fields(model)))


def _reference_names(model: type[Model]) -> Iterator[str]:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    for field in (*model._meta.concrete_fields, *model._meta.many_to_many):
        if field.related_model is user or field.name == PERSON_NUMBER:
            yield field.name


def _personal_data_fields(model: type[Model]) -> Iterator[str]:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    for field in model._meta.concrete_fields:
        if (
            isinstance(field, EmailField | GenericIPAddressField)
            or (field.name in PERSONAL_NAMES and (model._meta.label, field.name) not in _NOT_ABOUT_PEOPLE)
            or (model is user and isinstance(field, Field) and field.name == "name")
        ) and not field.is_relation:
            yield field.name


def fields_without_rule() -> list[str]:
    """Return the personal fields without a rule. A test requires that there are none."""
    return sorted({f"{model}.{name}" for model, name in personal_fields() if (model, name) not in _rules})


def rules_without_field() -> list[str]:
    """Return the rules for fields that do not exist. A test requires that there are none."""
    orphaned_rules = []
    for model, name in _rules:
        try:
            apps.get_model(model)._meta.get_field(name)
        except (LookupError, FieldDoesNotExist):  # no such model, no such field
            orphaned_rules.append(f"{model}.{name}")
    return sorted(orphaned_rules)
