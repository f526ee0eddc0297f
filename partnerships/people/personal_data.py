"""Exports and erases a person's data by the registered rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import BooleanField, DateField, ForeignKey, Model, Q, QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.people.event_kinds import EventKind
from partnerships.people.leaving import Leaving, run_hooks
from partnerships.people.models import SecurityEvent, SecurityEventKind, User
from partnerships.people.personal import PERSON_NUMBER, Fate, Rule, rules
from partnerships.people.refusals import keep_refusal
from partnerships.people.rights import rights_over
from partnerships.people.sessions import end_sessions

#: Version of the export's format, for programs that read it.
FORMAT = "common-ground-personal-data/1"


#: The journal's name for an erasure.
ERASED = "erased"


class UnableToErase(Exception):
    """The person has been erased already."""


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, FieldFile):
        return value.name
    return value if isinstance(value, str | int | float | bool | list | dict) or value is None else str(value)


def _rows(of_model: Sequence[Rule], person: User) -> QuerySet[Model]:
    """The rows in which the field of one of these rules, all of one model, refers to the person."""
    model: type[Model] = apps.get_model(of_model[0].model)
    refers = Q()
    for rule in of_model:
        refers |= Q(**{rule.field: person.pk})
    return model._default_manager.filter(refers).order_by("pk")


def _by_model() -> list[list[Rule]]:
    """The rules about references to a person, those of one model together.

    Its rows are read once.
    """
    rules_by_model: dict[str, list[Rule]] = {}
    for rule in rules():
        if _refers(rule):
            rules_by_model.setdefault(rule.model, []).append(rule)
    return list(rules_by_model.values())


def _readable(rows: QuerySet[Model], person: User) -> set[int]:
    """Ids of the rows whose text the person may still read.

    Others may have changed a leaver's records since. `visible_to` of the rows decides, or that of the record they
    belong to; rows without either are the person's own.
    """
    if hasattr(rows, "visible_to"):
        return set(rows.visible_to(person).values_list("pk", flat=True))
    for field in rows.model._meta.concrete_fields:
        parent = field.related_model
        if not isinstance(parent, type) or parent is User:
            continue
        parents: Any = parent._default_manager.all()
        if hasattr(parents, "visible_to"):
            seen = parents.visible_to(person)
            return set(rows.filter(**{f"{field.name}__in": seen.values("pk")}).values_list("pk", flat=True))
    return set(rows.values_list("pk", flat=True))


def _is_about(row: Model, name: str) -> bool:
    """Whether a field is a date, a choice or a reference, not free text."""
    field = row._meta.get_field(name)
    return isinstance(field, DateField | BooleanField | ForeignKey) or bool(getattr(field, "choices", None))


def _refers(rule: Rule) -> bool:
    """Whether the field refers to a person rather than describing one."""
    field = apps.get_model(rule.model)._meta.get_field(rule.field)
    assert not field.many_to_many, "Export and erasure read one column of each row."
    return field.name == PERSON_NUMBER or (field.is_relation and field.related_model is User)


def export_person(*, person: User, author: User | None, now: dt.datetime) -> dict[str, Any]:
    """Everything held about a person, as JSON values.

    Their own row and, by the rules, every row that refers to them. The export is noted in the activity log and in the
    person's security log.
    """
    require(rights_over(person, author).may_export)
    held: dict[str, list[dict[str, Any]]] = {}
    for of_model in _by_model():
        model_rows = _rows(of_model, person)
        readable = _readable(model_rows, person) if model_rows else set()
        for rule in of_model:
            # Only the id of another record, which needs no query: an export must not include third parties.
            rows = [
                {"id": row.pk}
                | {
                    name: _plain(row.serializable_value(name))
                    for name in rule.exported
                    if row.pk in readable or _is_about(row, name)
                }
                for row in model_rows
                if row.serializable_value(rule.field) == person.pk
            ]
            if rows:
                held[f"{rule.model} as {rule.field}"] = rows
    events = Event.objects.filter(actor_id=person.pk).order_by("at", "pk")
    exported = {
        "format": FORMAT,
        "exported_at": now.isoformat(),
        "person": {
            "id": person.pk,
            "email": person.email,
            "name": person.name,
            "time_zone": person.time_zone,
            "joined_at": _plain(person.joined_at),
            "account_since": _plain(person.account_since),
            "last_login": _plain(person.last_login),
            "left_at": _plain(person.left_at),
        },
        "held": held,
        "did": [
            {"at": event.at.isoformat(), "what": event.label, "kind": event.target_kind, "id": event.target_id}
            for event in events
        ],
    }
    with transaction.atomic():
        _note(person, EventKind.DATA_EXPORTED, SecurityEventKind.DATA_EXPORTED, author=author, now=now)
    return exported


def rows_in(exported: dict[str, Any]) -> int:
    """The number of rows in a person's export."""
    return sum(map(len, exported["held"].values())) + len(exported["did"])


def _note(
    person: User, event: EventKind, kind: str, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    SecurityEvent.objects.create(person=person, kind=kind, at=now)
    record(
        actor_id=author.pk if author else None,
        kind=event,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={"reason": reason} if reason else {},
    )


@transaction.atomic
def erase_person(*, person: User, author: User | None, reason: str, now: dt.datetime) -> dict[str, int]:
    """Erase a person; what must stay is shown as by “a former member”.

    Closes the account first. If the person refused digests, a keyed hash of the address stays, so that nobody asks it
    again. Returns how many rows each rule touched. Raises `UnableToErase`.
    """
    locked = User.objects.select_for_update().get(pk=person.pk)
    require(rights_over(locked, author).may_administer)
    if locked.erased_at is not None:
        raise UnableToErase("This person's data has already been erased.")
    refused = keep_refusal(person=locked, now=now)
    # The database allows blanking only for people who are erased.
    User.objects.filter(pk=locked.pk).update(erased_at=now)
    touched = run_hooks(Leaving(person=locked, author=author, successor=None, reason=reason, now=now))
    touched["refusals kept by a hash of the address"] = int(bool(refused))
    end_sessions(locked)
    # Values first: some are found through rows that refer to the person.
    for rule in rules():
        if not _refers(rule) and rule.model != "people.User":
            touched[f"{rule.model}.{rule.field}"] = _apply_to_value(rule, locked)
    for rule in rules():
        if _refers(rule):
            touched[f"{rule.model}.{rule.field}"] = _apply(rule, locked)
    _forget_in_admin_log(locked)
    address = journal.address_hash(locked.email)
    journal.note(
        ERASED,
        # A run of retention has the moment at which it began, which may be before a backup made meanwhile.
        now=max(now, timezone.now()),
        person=locked.pk,
        address=address,
        refusal=refused,
        joined=locked.joined_at.isoformat(),
    )
    locked.groups.clear()
    locked.user_permissions.clear()
    locked.email, locked.name = erased_address(locked), ""
    locked.time_zone = "Europe/London"
    locked.is_active = locked.is_staff = locked.is_superuser = False
    locked.account_since = locked.last_login = None
    locked.erased_at = now
    locked.left_at = locked.left_at or now
    locked.set_unusable_password()
    locked.save()
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.DATA_ERASED,
        target_kind="person",
        target_id=locked.pk,
        now=now,
    )
    person.refresh_from_db()
    return touched


def _apply(rule: Rule, person: User) -> int:
    """Apply the rule to rows that refer to the person.

    Rows that are kept keep only the id.
    """
    rows = _rows([rule], person)
    return rows.delete()[0] if rule.fate is Fate.DELETE else rows.count()


def _apply_to_value(rule: Rule, person: User) -> int:
    """Apply the rule to a field with data about the person.

    Found through their rows or by their address.
    """
    if rule.apply is not None:
        return rule.apply(person)
    model: type[Model] = apps.get_model(rule.model)
    references = [other.field for other in rules() if other.model == rule.model and _refers(other)]
    whose = rule.whose or (references[0] if len(references) == 1 else "")
    by_itself = not whose or whose == rule.field
    condition = {f"{rule.field}__iexact": person.email} if by_itself else {whose: person.pk}
    rows = model._default_manager.filter(**condition)
    if rule.fate is Fate.DELETE:
        return rows.delete()[0]
    empty = None if model._meta.get_field(rule.field).null else ""
    return rows.update(**{rule.field: empty if rule.fate is Fate.CLEAR else erased_address(person)})


def erased_address(person: User) -> str:
    """A placeholder address that can receive nothing (RFC 2606)."""
    return f"erased-{person.pk}@erased.invalid"


def _forget_in_admin_log(person: User) -> None:
    """Replace the person's name in Django's admin log."""
    LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(person.pk)).update(
        object_repr="a former member"
    )
