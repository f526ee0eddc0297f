"""Personal data rules: what erasure and export do with each field.

Each room registers rules for its own models; a test finds fields without a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db.models import EmailField, Field, GenericIPAddressField, Model

if TYPE_CHECKING:
    from partnerships.people.models import User


class Fate(Enum):
    """How an erasure treats a personal field."""

    KEEP = "kept: it names the person by number only, and shows “a former member”"
    CLEAR = "emptied"
    DELETE = "the whole row is deleted"
    REPLACE = "replaced by words that name nobody"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule for one personal field.

    `why` is the purpose of keeping it. `exported` are the fields of the row that the person's export includes; empty
    for rows that name the person only as one of several.
    """

    model: str
    field: str
    fate: Fate
    why: str
    exported: tuple[str, ...] = ()
    #: For a field with data about a person: the field (or path) that refers to the person, if the row does not have
    #: exactly one. It is the field itself if only the address identifies the person.
    whose: str = ""
    #: Applies the rule where the application's database role may not change the table itself.
    apply: Callable[[User], int] | None = None


_rules: dict[tuple[str, str], Rule] = {}

#: Names of fields that hold personal data in any model.
PERSONAL_NAMES = frozenset({"email", "user_agent", "ip", "job_title", "phone", "address", "recipient", "attendees"})
#: Fields with such a name that are addresses of sites, not of people.
_PLACES = frozenset({("plans.Site", "address")})


#: The field with a person's id in rooms below people.
PERSON_NUMBER = "person_id"


def register_personal(rules: Sequence[Rule]) -> None:
    """Register rules; models are named "app.Model"."""
    for rule in rules:
        _rules[rule.model, rule.field] = rule


def rules() -> tuple[Rule, ...]:
    """Return all rules, by model and field."""
    return tuple(_rules[key] for key in sorted(_rules))


def is_history(model: type[Model]) -> bool:
    """Whether a model is a table of row history.

    Row history keeps people by id and excludes personal data.
    """
    return hasattr(model, "pgh_tracked_model") or model._meta.app_label == "pghistory"


def personal_fields() -> Iterator[tuple[str, str]]:
    """Yield every (model, field) that refers to a person or holds personal data.

    Found in the models themselves.
    """
    for model in apps.get_models():
        if not model._meta.managed or model._meta.proxy:
            continue
        if is_history(model):
            yield from ((model._meta.label, name) for name in _held(model))
            continue
        yield from ((model._meta.label, name) for name in (*_references(model), *_held(model)))


def _references(model: type[Model]) -> Iterator[str]:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    for field in (*model._meta.concrete_fields, *model._meta.many_to_many):
        if field.related_model is user or field.name == PERSON_NUMBER:
            yield field.name


def _held(model: type[Model]) -> Iterator[str]:
    user = apps.get_model(settings.AUTH_USER_MODEL)
    for field in model._meta.concrete_fields:
        if (
            isinstance(field, EmailField | GenericIPAddressField)
            or (field.name in PERSONAL_NAMES and (model._meta.label, field.name) not in _PLACES)
            or (model is user and isinstance(field, Field) and field.name == "name")
        ) and not field.is_relation:
            yield field.name


def fields_without_rule() -> list[str]:
    """Personal fields without a rule; a test requires none."""
    return sorted({f"{model}.{name}" for model, name in personal_fields() if (model, name) not in _rules})


def rules_without_field() -> list[str]:
    """Rules whose field no longer exists; a test requires none."""
    gone = []
    for model, name in _rules:
        try:
            apps.get_model(model)._meta.get_field(name)
        except LookupError:
            gone.append(f"{model}.{name}")
    return sorted(gone)
