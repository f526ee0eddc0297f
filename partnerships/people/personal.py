"""Which fields hold personal data, and what becomes of each: every room says so for its own; a test finds what is
unsaid."""

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
    """What erasing a person does to a field that refers to them or holds something about them."""

    KEEP = "kept: it names the person by number only, and stands as “a former member”"
    CLEAR = "emptied"
    DELETE = "the whole row is deleted"
    REPLACE = "replaced by words that name nobody"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule for one personal field.

    `why` says what it is kept for. `exported` are the fields of its row that the person gets with their data;
    nothing of a row that only names them as one of several.
    """

    model: str
    field: str
    fate: Fate
    why: str
    exported: tuple[str, ...] = ()
    #: For a field that holds something about a person: the field (or path) that says about whom, where there is not
    #: exactly one in its row; the field itself where it is the person's address that says so.
    whose: str = ""
    #: How to do it, for the erased person, where the application's role may not change the table itself.
    apply: Callable[[User], int] | None = None


_rules: dict[tuple[str, str], Rule] = {}

#: Fields that hold something about a person by their name, wherever they occur.
PERSONAL_NAMES = frozenset({"email", "user_agent", "ip", "job_title", "phone", "address", "recipient", "attendees"})


#: What rooms below people call the number of the person a row belongs to.
PERSON_NUMBER = "person_id"


def register_personal(rules: Sequence[Rule]) -> None:
    """Say what becomes of personal fields; models are named "app.Model"."""
    for rule in rules:
        _rules[rule.model, rule.field] = rule


def rules() -> tuple[Rule, ...]:
    """Every rule, by model and field."""
    return tuple(_rules[key] for key in sorted(_rules))


def is_history(model: type[Model]) -> bool:
    """Whether a model is a table of row history, which keeps people by number and excludes what is personal."""
    return hasattr(model, "pgh_tracked_model") or model._meta.app_label == "pghistory"


def personal_fields() -> Iterator[tuple[str, str]]:
    """Every (model, field) that refers to a person or holds something personal, found in the models themselves."""
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
            or field.name in PERSONAL_NAMES
            or (model is user and isinstance(field, Field) and field.name == "name")
        ) and not field.is_relation:
            yield field.name


def fields_without_rule() -> list[str]:
    """Personal fields that no rule covers; the test wants none."""
    return sorted({f"{model}.{name}" for model, name in personal_fields() if (model, name) not in _rules})


def rules_without_field() -> list[str]:
    """Rules whose field is gone; the test wants none."""
    gone = []
    for model, name in _rules:
        try:
            apps.get_model(model)._meta.get_field(name)
        except LookupError:
            gone.append(f"{model}.{name}")
    return sorted(gone)
