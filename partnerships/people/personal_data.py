"""Export and erase a person's data by the registered rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import (
    BooleanField,
    DateField,
    DecimalField,
    F,
    Field,
    ForeignKey,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
)
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.people.event_kinds import EventKind
from partnerships.people.leaving import Leaving, run_leaving_hooks
from partnerships.people.models import SecurityEvent, SecurityEventKind, User
from partnerships.people.personal import PERSON_NUMBER, ErasureAction, Rule, personal_rules
from partnerships.people.refusals import store_refusal
from partnerships.people.rights import rights_over
from partnerships.people.sessions import end_sessions

#: The version of the export's format, for programs that read the export.
FORMAT = "common-ground-personal-data/1"


#: The kind of journal line about an erasure.
ERASED = "erased"


class UnableToErase(Exception):
    """Raised if the person's data has already been erased."""


def _as_json(value: Any) -> Any:
    """Return the value as JSON can store it; values of other types become text."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | list | dict) or value is None else str(value)


def _rows(model_rules: Sequence[Rule], person: User) -> QuerySet[Model]:
    """Return the rows of one model that refer to the person by the field of at least one of these rules."""
    model: type[Model] = apps.get_model(model_rules[0].model)
    refers_to_person = Q()
    for rule in model_rules:
        refers_to_person |= Q(**{rule.field: person.pk})
    return model._default_manager.filter(refers_to_person).order_by("pk")


def _reference_rules_by_model() -> dict[str, list[Rule]]:
    """Return the rules about references to a person, by model."""
    rules_by_model: dict[str, list[Rule]] = {}
    for rule in personal_rules():
        if _is_reference(rule):
            rules_by_model.setdefault(rule.model, []).append(rule)
    return rules_by_model


def _values_by_model(rules_by_model: Mapping[str, Sequence[Rule]], person: User) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that refer to the person, by model and sorted by id, without models that have no such row.

    Each row is a dict of its id ("pk") and of the fields that the rules name, with the values that JSON has for them.
    One query reads all tables.
    """
    first_query, *other_queries = [
        _rows(model_rules, person).order_by().values_list(_label(model_rules), _values_as_json(model_rules))
        for model_rules in rules_by_model.values()
    ]
    values_by_model: dict[str, list[dict[str, Any]]] = {}
    for label, values in first_query.union(*other_queries, all=True):
        values_by_model.setdefault(label, []).append(values)
    return {label: sorted(rows, key=itemgetter("pk")) for label, rows in values_by_model.items()}


def _label(model_rules: Sequence[Rule]) -> Value:
    """Return the rules' model as a column, so that one query can read several models."""
    return Value(model_rules[0].model, output_field=TextField())


def _values_as_json(model_rules: Sequence[Rule]) -> JSONObject:
    """Return a column with the row's id and the fields that the rules name, as a JSON object."""
    model: type[Model] = apps.get_model(model_rules[0].model)
    names = {name for rule in model_rules for name in (rule.field, *rule.exported)}
    expressions: dict[str, F | Cast] = {}
    for name in sorted(names):
        is_decimal = isinstance(model._meta.get_field(name), DecimalField)
        # As a number in JSON, 2.50 would be read as 2.5.
        expressions[name] = Cast(name, TextField()) if is_decimal else F(name)
    return JSONObject(pk=F("pk"), **expressions)


def _readable_keys(rules_of_models: Iterable[Sequence[Rule]], person: User) -> set[tuple[str, int]]:
    """Return the model and id of each row with text that the person may read today, in one query."""
    key_queries = [
        _readable_rows(_rows(model_rules, person).order_by(), person).values_list(_label(model_rules), "pk")
        for model_rules in rules_of_models
    ]
    if not key_queries:
        return set()
    first_query, *other_queries = key_queries
    return set(first_query.union(*other_queries, all=True))


def _readable_rows(rows: QuerySet[Model], person: User) -> QuerySet[Model]:
    """Return the rows with text that the person may read today.

    Other people may have changed the text since the person left. If the rows have `visible_to`, it selects them. If
    not, `visible_to` of the record that they belong to selects them. Rows without either are the person's own.
    """
    if hasattr(rows, "visible_to"):
        visible_rows: QuerySet[Model] = rows.visible_to(person)
        return visible_rows
    for field in rows.model._meta.concrete_fields:
        parent = field.related_model
        if not isinstance(parent, type) or parent is User:
            continue
        parents: Any = parent._default_manager.all()
        if hasattr(parents, "visible_to"):
            return rows.filter(**{f"{field.name}__in": parents.visible_to(person).values("pk")})
    return rows


def _is_not_text(field: Field[Any, Any]) -> bool:
    """Return True if a field is a date, a choice or a reference.

    Such a field can be exported even if the person may not read the text.
    """
    return isinstance(field, DateField | BooleanField | ForeignKey) or bool(field.choices)


def _is_reference(rule: Rule) -> bool:
    """Return True if the field refers to a person rather than describing a person."""
    field = apps.get_model(rule.model)._meta.get_field(rule.field)
    assert not field.many_to_many, "Export and erasure read one column of each row."
    return field.name == PERSON_NUMBER or (field.is_relation and field.related_model is User)


def export_person(*, person: User, author: User | None, now: dt.datetime) -> dict[str, Any]:
    """Return the person's own row and every row that refers to them, as JSON values.

    The export is recorded in the activity log and in the person's security log.
    """
    require(rights_over(person, author).may_export)
    events = Event.objects.filter(actor_id=person.pk).order_by("at", "pk")
    exported = {
        "format": FORMAT,
        "exported_at": now.isoformat(),
        "person": {
            "id": person.pk,
            "email": person.email,
            "name": person.name,
            "time_zone": person.time_zone,
            "joined_at": _as_json(person.joined_at),
            "account_since": _as_json(person.account_since),
            "last_login": _as_json(person.last_login),
            "left_at": _as_json(person.left_at),
        },
        "held": _rows_about(person),
        "did": [
            {"at": event.at.isoformat(), "what": event.label, "kind": event.target_kind, "id": event.target_id}
            for event in events
        ],
    }
    with transaction.atomic():
        SecurityEvent.objects.create(person=person, kind=SecurityEventKind.DATA_EXPORTED, at=now)
        record(
            actor_id=author.pk if author else None,
            kind=EventKind.DATA_EXPORTED,
            target_kind="person",
            target_id=person.pk,
            now=now,
        )
    return exported


def _rows_about(person: User) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that refer to the person, by model and field, each with the fields that the rule exports."""
    rules_by_model = _reference_rules_by_model()
    values_by_model = _values_by_model(rules_by_model, person)
    # The SQL of rights is long, so it is composed only for models with rows about the person.
    readable_keys = _readable_keys([rules_by_model[label] for label in values_by_model], person)

    rows_by_reference: dict[str, list[dict[str, Any]]] = {}
    for label, model_rules in rules_by_model.items():
        for rule in model_rules:
            rows = [
                _exported_row(values, rule, is_readable=(label, values["pk"]) in readable_keys)
                for values in values_by_model.get(label, ())
                if values[rule.field] == person.pk
            ]
            if rows:
                rows_by_reference[f"{label} as {rule.field}"] = rows
    return rows_by_reference


def _exported_row(values: Mapping[str, Any], rule: Rule, *, is_readable: bool) -> dict[str, Any]:
    """Return the row's id and the fields that the rule exports, without text that the person may not read.

    Other records are exported only by their id, because an export must not include third parties.
    """
    fields = [apps.get_model(rule.model)._meta.get_field(name) for name in rule.exported]
    exported_values = {
        field.name: _as_json(field.to_python(values[field.name]))
        for field in fields
        if is_readable or _is_not_text(field)
    }
    return {"id": values["pk"], **exported_values}


def count_exported_rows(exported: dict[str, Any]) -> int:
    """Return the number of rows in a person's export, for the log of exports."""
    return sum(map(len, exported["held"].values())) + len(exported["did"])


@transaction.atomic
def erase_person(*, person: User, author: User | None, reason: str, now: dt.datetime) -> dict[str, int]:
    """Erase a person. Records that are kept name the person as “a former member”.

    The account is closed first. If the person refused digests, a keyed hash of the address is stored, so that nobody
    asks the person again. Returns the number of rows that each rule changed. Raises `UnableToErase`.
    """
    locked_person = User.objects.select_for_update().get(pk=person.pk)
    require(rights_over(locked_person, author).may_administer)
    if locked_person.erased_at is not None:
        raise UnableToErase("This person's data has already been erased, so you do not need to erase it again.")

    refusal_hash = store_refusal(person=locked_person, now=now)
    # Before the rules, because the database allows only erased people's security logs to be cleared.
    User.objects.filter(pk=locked_person.pk).update(erased_at=now)

    counts_by_rule = run_leaving_hooks(
        Leaving(person=locked_person, author=author, successor=None, reason=reason, now=now)
    )
    counts_by_rule["refusals of digests kept as a hash of the address"] = int(bool(refusal_hash))
    end_sessions(locked_person)
    counts_by_rule |= _apply_rules(locked_person)
    _forget_in_admin_log(locked_person)

    journal.note(
        ERASED,
        # The present time, because a backup may have been made since `now`, the start of a retention run.
        now=max(now, timezone.now()),
        person=locked_person.pk,
        address=journal.address_hash(locked_person.email),
        refusal=refusal_hash,
        joined=locked_person.joined_at.isoformat(),
    )
    _clear_account(locked_person, now=now)
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.DATA_ERASED,
        target_kind="person",
        target_id=locked_person.pk,
        now=now,
    )
    person.refresh_from_db()
    return counts_by_rule


def _apply_rules(person: User) -> dict[str, int]:
    """Clear or delete the person's data in all tables except their account, and return the number of rows by rule."""
    counts_by_rule: dict[str, int] = {}
    # Values are cleared before references, because some values are found through rows that refer to the person.
    for rule in personal_rules():
        if not _is_reference(rule) and rule.model != "people.User":
            counts_by_rule[f"{rule.model}.{rule.field}"] = _apply_to_value(rule, person)
    for rule in personal_rules():
        if _is_reference(rule):
            counts_by_rule[f"{rule.model}.{rule.field}"] = _apply_to_references(rule, person)
    return counts_by_rule


def _clear_account(person: User, *, now: dt.datetime) -> None:
    """Empty the fields of the person's account, and close it."""
    person.groups.clear()
    person.user_permissions.clear()
    person.email, person.name = erased_address(person), ""
    person.time_zone = "Europe/London"
    person.is_active = person.is_staff = person.is_superuser = False
    person.account_since = person.last_login = None
    person.erased_at = now
    person.left_at = person.left_at or now
    person.set_unusable_password()
    person.save()


def _apply_to_references(rule: Rule, person: User) -> int:
    """Delete the rows that refer to the person, or only count them if they are kept, and return their number.

    Rows that are kept contain only the person's id.
    """
    rows = _rows([rule], person)
    return rows.delete()[0] if rule.erasure is ErasureAction.DELETE else rows.count()


def _apply_to_value(rule: Rule, person: User) -> int:
    """Clear, replace or delete a value about the person, and return the number of rows.

    The rows are found by their reference to the person or, if they have none, by the person's address.
    """
    if rule.apply is not None:
        return rule.apply(person)
    model: type[Model] = apps.get_model(rule.model)
    references = [
        other_rule.field
        for other_rule in personal_rules()
        if other_rule.model == rule.model and _is_reference(other_rule)
    ]
    reference = rule.person_field or (references[0] if len(references) == 1 else "")
    if reference and reference != rule.field:
        rows = model._default_manager.filter(**{reference: person.pk})
    else:
        rows = model._default_manager.filter(**{f"{rule.field}__iexact": person.email})
    if rule.erasure is ErasureAction.DELETE:
        return rows.delete()[0]
    if rule.erasure is ErasureAction.CLEAR:
        empty_value = None if model._meta.get_field(rule.field).null else ""
        return rows.update(**{rule.field: empty_value})
    return rows.update(**{rule.field: erased_address(person)})


def erased_address(person: User) -> str:
    """Return a placeholder address that cannot receive email (RFC 2606)."""
    return f"erased-{person.pk}@erased.invalid"


def _forget_in_admin_log(person: User) -> None:
    """Replace the person's name in Django's admin log."""
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(person.pk)).update(
        object_repr="a former member"
    )
