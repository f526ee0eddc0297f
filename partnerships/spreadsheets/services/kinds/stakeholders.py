"""Stakeholders of a plan or a partnership, one a row.

Each is asked by email.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.digests.models import Frequency, Subscription
from partnerships.digests.queries.subscriptions import stakeholders_of
from partnerships.digests.services.asking import MAX_ASKED_A_DAY, UnableToSubscribe
from partnerships.digests.services.following import add_stakeholder
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.queries import acting_for
from partnerships.plans.rights import rights_over
from partnerships.spreadsheets.reading.cells import one_of
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds import partnership_rows
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import one_row
from partnerships.transfer.reading.headings import Line

#: Characters of a person's name, as in the form.
MAX_NAME = 150
_FREQUENCIES = dict(Frequency.choices)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    return (
        column("email", "Email address", "email", "e-mail", required=True, example="councillor@example.org"),
        column("name", "Name", "full name", "stakeholder", example="Cllr Pat Doe"),
        column("why", "Why", "reason", "interest", hint="They read this in the email.", example="Ward councillor"),
        column("frequency", "How often", "frequency", choices=_FREQUENCIES, example="Weekly"),
        column("status", "Status", hint="Filled in only in downloads."),
    )


def _acting(target: Target, person: User) -> Organisation | None:
    """The organisation that asks: an owner of the plan, or the party."""
    if target.plan is not None:
        return acting_for(person, target.plan)
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    if target.plan is not None:
        return rights_over(target.plan, person, now).edits_for_owner and target.plan.is_published
    return partnership_rows.may_import(target, person, now)


def _apply(run: Run) -> None:
    """Ask the person of each row to follow the target.

    A row that cannot be used is set aside, with what is wrong and what to do.
    """
    organisation = _acting(run.target, run.author)
    assert organisation is not None  # who may import acts for one
    already_asked = {row.address_for_askers.casefold() for row in _subscriptions(run.target, run.author)}
    seen: dict[str, Line] = {}
    asked = 0
    for line in run.lines():
        problems_before = len(run.rows.problems)
        frequency = run.rows.read(line, "frequency", one_of(_FREQUENCIES)) or ""
        _check(run, line, seen)
        if len(run.rows.problems) > problems_before:
            continue
        if line.text("email").casefold() in already_asked:
            run.report.count("left_alone")
            continue
        if asked >= MAX_ASKED_A_DAY:
            # Checked here too, because each attempt holds the lock for planning digests, and others wait for it.
            remedy = "Upload this row again tomorrow."
            run.refuse(line, "", f"at most {MAX_ASKED_A_DAY} people can be asked in a day.", remedy)
            continue
        target = run.target.plan or run.target.partnership
        assert target is not None  # only plans and partnerships have stakeholders
        with one_row(run, line, UnableToSubscribe):
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
            asked += 1
            run.report.count("created", line.text("name") or line.text("email"))


def _check(run: Run, line: Line, seen: dict[str, Line]) -> None:
    """Set the row aside if its address or name cannot be used.

    `seen` has the first row of each address.
    """
    email, name = line.text("email").casefold(), line.text("name")
    if not email:
        run.refuse(line, "email", "the cell is blank.", "Write the email address.")
    elif (first := seen.setdefault(email, line)) is not line:
        run.refuse(line, "email", f"this address is in row {first.number} too.", "Keep one of the two rows.")
    if len(name) > MAX_NAME:
        run.refuse(line, "name", f"it is {len(name):,} characters long.", f"Shorten it to {MAX_NAME}.")


def _subscriptions(target: Target, person: User) -> list[Subscription]:
    """Stakeholders of the target whose address the person may see.

    Their organisations added them.
    """
    rows = stakeholders_of(person, timezone.now()).filter(
        plan=target.plan, partnership=None if target.plan is not None else target.partnership, key=""
    )
    return [row for row in rows.order_by("pk") if row.address_for_askers]


def _remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    return _acting(target, person)


def _revision(_target: Target) -> int:
    return 0


def _rows(target: Target, person: User) -> list[Exported]:
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
    lead="One row for each person. Each is asked by email and gets digests only after confirming.",
)
