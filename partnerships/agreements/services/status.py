"""Services that change a partnership's status or renew it.

See docs/rights.md, Statuses.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    OVER,
    TRANSITIONS,
    Partnership,
    PartnershipKind,
    Party,
    PartyStatus,
    Status,
)
from partnerships.agreements.queries.terms import (
    as_schema,
    declarations_of,
    signing_states,
    version_awaiting,
    version_in_force,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.copying_posts import copy_posts
from partnerships.agreements.services.parties import invite_organisation
from partnerships.agreements.services.partnerships import create_partnership
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import record_due_step, take_status
from partnerships.agreements.services.terms.drafting import first_content
from partnerships.agreements.services.terms.taking_force import take_force
from partnerships.agreements.terms.projection import COLUMNS
from partnerships.agreements.terms.schema import build_schema, left_out, without
from partnerships.documents import InvalidContent
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.services.recording import lock_organisation
from partnerships.people.models import User

#: Dates of the terms that a successor does not take over.
DATES = ("starts_on", "review_on", "ends_on")


class UnableToChangeStatus(Exception):
    """The transition is not allowed, has no reason, or lacks something."""


class UnableToRenew(Exception):
    """Not under review, renewed already, or the author is not a party."""


def missing_for(partnership: Partnership, status: str, today: dt.date) -> list[str]:
    """What is missing before it can take this status; empty if nothing."""
    missing = []
    if status == Status.AWAITING_SIGN_OFF and not version_awaiting(partnership):
        missing.append("Send its terms for signature on the page “Terms”. The status then changes automatically.")
    if status == Status.ACTIVE and partnership.status == Status.AGREED:
        if partnership.starts_on is not None and partnership.starts_on > today:
            missing.append(f"It starts on {long_date(partnership.starts_on)}: change the start date first.")
    elif status in (Status.ACTIVE, Status.AGREED):
        if partnership.state_on(today) == Status.UNDER_REVIEW and _review_is_due(partnership, today):
            missing.append("Amend the terms with the next review date.")
        waiting = partnership.parties.required().filter(status=PartyStatus.INVITED).select_related("organisation")
        missing += [
            f"{party.organisation.name} has not accepted yet." for party in waiting.order_by("organisation__name", "pk")
        ]
        if partnership.parties.required().count() < 2:
            missing.append("There must be at least two organisations.")
        if partnership.status == Status.AWAITING_SIGN_OFF:
            missing += _unsigned(partnership, today)
    if status == Status.RENEWED and not partnership.redefined_by.filter(status=Status.ACTIVE).exists():
        missing.append("Its successor must be active first: renew it, and have the successor signed off.")
    return missing


def _unsigned(partnership: Partnership, today: dt.date) -> list[str]:
    """Which parties have not signed the terms yet, or when these come into force."""
    if version_in_force(partnership, today) is not None:
        return []
    waiting = [
        f"{state.signatory.organisation.name} has not signed the terms yet."
        for version in version_awaiting(partnership)
        for state in signing_states(version)
        if state.must_decide
    ]
    return waiting or ["Every party must sign the same version of the terms first."]


def _review_is_due(partnership: Partnership, today: dt.date) -> bool:
    """Whether the nightly task would start a review again at once."""
    return partnership.review_on is None or partnership.review_on <= today


@transaction.atomic
def change_status(
    *,
    partnership: Partnership,
    status: str,
    reason: str,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> None:
    """Change the status, with a reason.

    When a successor becomes active, the partnership under review that it redefines becomes renewed. Raises
    `UnableToChangeStatus`.
    """
    today = timezone.localdate(now)
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).leads_for(organisation))
    if locked.is_over_on(today) and locked.status not in OVER and status not in OVER:
        raise UnableToChangeStatus("This partnership has ended: its end date has passed.")
    if status not in TRANSITIONS[locked.status]:
        record_due_step(locked, now=now)
    if status not in TRANSITIONS[locked.status]:
        wanted_label = Status(status).label.lower() if status in Status.values else status
        raise UnableToChangeStatus(
            f"A partnership that is {locked.get_status_display().lower()} cannot become {wanted_label}."
        )
    if not reason.strip():
        raise UnableToChangeStatus("Give a reason.")
    missing = missing_for(locked, status, today)
    if missing:
        raise UnableToChangeStatus(" ".join(missing))
    if status == Status.ACTIVE and locked.status == Status.AWAITING_SIGN_OFF:
        take_force(locked, author=author, now=now)
    else:
        take_status(locked, status, reason=reason.strip(), author=author, now=now, organisation=organisation)
    for name in ("status", "status_since", "starts_on", "ends_on"):
        setattr(partnership, name, getattr(locked, name))


@transaction.atomic
def renew(
    *,
    partnership: Partnership,
    organisation: Organisation,
    reason: str,
    author: User | None,
    now: dt.datetime,
    title: str = "",
) -> Partnership:
    """Draft the successor of a partnership under review.

    Its draft starts from the terms in force, without their dates. The same organisations are invited, and their posts
    are copied with the present holders. Values that its kind no longer takes are left out, and the draft's reason names
    them. The old one stays under review until the successor is active; then it becomes
    renewed. Raises `UnableToRenew`.
    """
    # Organisations before the partnership, as ending a membership locks them: so no copied post stays with a leaver.
    present = partnership.parties.present().order_by("organisation").values_list("organisation", flat=True)
    bodies = {pk: lock_organisation(pk) for pk in present}
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).leads_for(organisation))
    if locked.state_on(timezone.localdate(now)) not in (Status.UNDER_REVIEW, Status.ENDED):
        raise UnableToRenew("Only a partnership that is under review or has ended can be renewed.")
    if not reason.strip():
        raise UnableToRenew("Give a reason.")
    if locked.redefined_by.exclude(status=Status.ENDED).exists():
        raise UnableToRenew("A successor is already being drafted.")
    parties = list(locked.parties.present().select_related("organisation").order_by("pk"))
    if organisation.pk not in {party.organisation_id for party in parties}:
        raise UnableToRenew(f"{organisation.name} does not take part in this partnership.")
    content, dropped = _successors_terms(locked, timezone.localdate(now))
    successor = create_partnership(
        organisation=organisation,
        author=author,
        title=title or locked.title,
        kind=locked.kind_id,
        purpose=locked.purpose,
        areas=locked.areas.all(),
        redefines=locked,
        now=now,
        audience=locked.audience,
        contact_days=locked.contact_days,
        content=content,
    )
    if dropped:
        successor.terms_proposals.update(reason=f"The first terms. This kind of partnership no longer has {dropped}.")
    for party in parties:
        if party.organisation_id == organisation.pk:
            Party.objects.filter(partnership=successor, organisation=organisation).update(role=party.role)
        elif not party.organisation.is_ended:
            invite_organisation(
                partnership=successor,
                organisation=party.organisation,
                role=party.role,
                reason=reason,
                author=author,
                now=now,
            )
    lasting = [pk for pk, body in bodies.items() if not body.is_ended]
    copy_posts(partnership=locked, successor=successor, organisations=lasting, author=author, now=now)
    take_status(successor, Status.DRAFTING, reason=reason.strip(), author=author, now=now, organisation=organisation)
    record_event(
        locked,
        EventKind.SUCCESSOR_OPENED,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"successor": successor.title}, "reason": reason.strip()},
    )
    return successor


def _successors_terms(partnership: Partnership, today: dt.date) -> tuple[dict[str, Any], str]:
    """The terms in force without their dates, for the successor's first draft.

    And the fields whose values its kind no longer takes, which are left out.
    """
    version = version_in_force(partnership, today)
    kind = PartnershipKind.objects.get(code=partnership.kind_id)
    if version is None:
        values = {name: getattr(partnership, name) for name in (*COLUMNS, "terms_of_reference", "contribution")}
        return first_content(kind, {**values, **dict.fromkeys(DATES)}), ""
    schema, dropped = build_schema(declarations_of(kind)), ""
    try:
        content = as_schema(schema, version.content)
    except InvalidContent as error:
        dropped = left_out(schema, error.problems)
        content = as_schema(schema, without(schema, version.content, error.problems))
    about = {code: value for code, value in content["about"].items() if code not in DATES}
    return {**content, "about": about}, dropped
