"""Spreadsheets of stakeholders, in which each row asks a person by email to follow a plan or a partnership."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.digests.models import Frequency, Subscription
from partnerships.digests.queries.subscriptions import stakeholders_of
from partnerships.digests.services.asking import MAX_ASKED_A_DAY, UnableToSubscribe
from partnerships.digests.services.following import add_stakeholder
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.queries import owner_acted_for
from partnerships.plans.rights import edits_for_owner
from partnerships.spreadsheets.reading.cells import choice_reader
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds import partnership_rows
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import set_aside_if_refused
from partnerships.spreadsheets.services.kinds.refusals import refuse_blank, refuse_if_long
from partnerships.transfer.reading.headings import Line

#: A person's name has at most this many characters, as in the form.
MAX_NAME = 150
_FREQUENCIES = dict(Frequency.choices)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns. Status is filled in only in downloads."""
    return (
        column("email", "Email address", "email", "e-mail", required=True, example="councillor@example.org"),
        column("name", "Name", "full name", "stakeholder", example="Cllr Pat Doe"),
        column(
            "why", "Why", "reason", "interest", hint="We include this in our email to them.", example="Ward councillor"
        ),
        column("frequency", "How often", "frequency", choices=_FREQUENCIES, example="Weekly"),
        column("status", "Status", hint="We fill this in only in downloads."),
    )


def _asking_organisation(target: Target, person: User) -> Organisation | None:
    """Return the owner of the plan or the party of the partnership in whose name people are asked to follow."""
    if target.plan is not None:
        return owner_acted_for(person, target.plan)
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Return whether the person may ask people to follow the plan or the partnership."""
    if target.plan is not None:
        return edits_for_owner(target.plan, person, now) and target.plan.is_published
    return partnership_rows.may_import(target, person, now)


def _apply(run: ImportedRows) -> None:
    """Ask the person of each row to follow the plan or the partnership."""
    organisation = _asking_organisation(run.target, run.author)
    assert organisation is not None  # people who may import act for an organisation
    target = run.target.plan or run.target.partnership
    assert target is not None  # only plans and partnerships have stakeholders
    known_addresses = {
        subscription.address_for_askers.casefold() for subscription in _subscriptions(run.target, run.author)
    }

    line_by_email: dict[str, Line] = {}
    asked_count = 0
    for line in run.lines():
        frequency = run.read(line, "frequency", choice_reader(_FREQUENCIES)) or ""
        _check(run, line, line_by_email)
        if run.is_refused(line):
            continue
        if line.text("email").casefold() in known_addresses:
            run.report.count("left_alone")
            continue
        if asked_count >= MAX_ASKED_A_DAY:
            # The service checks this too, but each attempt locks the planning of digests, and other work waits for it.
            remedy = "Upload this row again tomorrow."
            run.refuse(line, "", f"at most {MAX_ASKED_A_DAY} people can be asked in a day.", remedy)
            continue
        with set_aside_if_refused(run, line, UnableToSubscribe):
            add_stakeholder(
                email=line.text("email"),
                name=line.text("name"),
                target=target,
                author=run.author,
                organisation=organisation,
                why=line.text("why"),
                frequency=frequency,
                now=run.now,
            )
            asked_count += 1
            run.report.count("created", line.text("name") or line.text("email"))


def _check(run: ImportedRows, line: Line, line_by_email: dict[str, Line]) -> None:
    """Set the row aside if its address is missing or also in an earlier row, or if its name is too long."""
    email = line.text("email").casefold()
    if not email:
        refuse_blank(run, line, "email", "Enter the email address.")
    else:
        first_line = line_by_email.setdefault(email, line)
        if first_line is not line:
            problem = f"this address is in row {first_line.number} too."
            run.refuse(line, "email", problem, "Keep one of the two rows.")
    refuse_if_long(run, line, "name", line.text("name"), limit=MAX_NAME)


def _subscriptions(target: Target, person: User) -> list[Subscription]:
    """Return the stakeholders who were asked by one of the person's organisations.

    The person may not see the addresses of other stakeholders.
    """
    subscriptions = stakeholders_of(person, timezone.now()).filter(
        plan=target.plan, partnership=None if target.plan is not None else target.partnership, key=""
    )
    return [subscription for subscription in subscriptions.order_by("pk") if subscription.address_for_askers]


def _remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    return _asking_organisation(target, person)


def _revision(_target: Target) -> int:
    """Return 0 for every target, because rows never change a subscription and no preview can be out of date."""
    return 0


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the stakeholders whose addresses the person may see."""
    return [
        {
            "email": subscription.address_for_askers,
            "name": subscription.person.display_name if subscription.confirmed_at and subscription.person.name else "",
            "why": subscription.why,
            "frequency": _FREQUENCIES.get(subscription.frequency, ""),
            "status": subscription.get_status_display(),
        }
        for subscription in _subscriptions(target, person)
    ]


STAKEHOLDERS = SheetKind(
    code="stakeholders",
    many="stakeholders",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=_may_import,
    remembered_for=_remembered_for,
    revision=_revision,
    at_once=FEW,
    lead="Use one row for each person. We ask each person by email, and send digests only once they confirm.",
)
