"""Change the status of a partnership, or renew it (docs/rights.md, Statuses)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    FINAL_STATUSES,
    TRANSITIONS,
    Partnership,
    PartnershipKind,
    Party,
    PartyStatus,
    Status,
)
from partnerships.agreements.queries.terms import (
    declarations_of,
    fit_to_schema,
    signing_states,
    version_in_force,
    versions_awaiting_signature,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.copying_posts import copy_posts
from partnerships.agreements.services.invitations import invite_organisation
from partnerships.agreements.services.partnerships import create_partnership
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import record_due_step, set_status
from partnerships.agreements.services.terms.drafting import first_content
from partnerships.agreements.services.terms.taking_force import apply_terms_in_force
from partnerships.agreements.terms.projection import COLUMNS
from partnerships.agreements.terms.schema import build_schema, labels_of_fields, without_values
from partnerships.documents import InvalidContent
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.services.recording import lock_organisation
from partnerships.people.models import User

#: Dates in the terms that are not copied to a successor.
DATES = ("starts_on", "review_on", "ends_on")


class UnableToChangeStatus(Exception):
    """The status cannot change in this way, a requirement is not met yet, or the reason is missing."""


class UnableToRenew(Exception):
    """The partnership is not under review or is renewed already, or the organisation takes no part in it."""


def requirements_missing_for(partnership: Partnership, status: str, today: dt.date) -> list[str]:
    """Return what must happen before a partnership can have this status, in one sentence each."""
    if status == Status.AWAITING_SIGN_OFF and not versions_awaiting_signature(partnership):
        return ["Send its terms for signature on the page “Terms”. The status then changes automatically."]
    if status == Status.ACTIVE and partnership.status == Status.AGREED:
        if partnership.starts_on is not None and partnership.starts_on > today:
            return [f"The partnership starts on {long_date(partnership.starts_on)}. Change the start date first."]
    elif status in (Status.ACTIVE, Status.AGREED):
        return _missing_for_force(partnership, today)
    if status == Status.RENEWED and not partnership.redefined_by.filter(status=Status.ACTIVE).exists():
        return ["The successor must be active first. Renew the partnership, and have every party sign the new terms."]
    return []


def _missing_for_force(partnership: Partnership, today: dt.date) -> list[str]:
    """Return what must happen before a partnership can be agreed or active, in one sentence each."""
    sentences = []
    if partnership.state_on(today) == Status.UNDER_REVIEW and _review_is_due(partnership, today):
        sentences.append("Amend the terms to set the next review date.")
    required_parties = partnership.parties.required_to_sign()
    invited_parties = required_parties.filter(status=PartyStatus.INVITED).select_related("organisation")
    sentences += [
        f"{party.organisation.name} has not accepted the invitation yet."
        for party in invited_parties.order_by("organisation__name", "pk")
    ]
    if required_parties.count() < 2:
        sentences.append("Invite another organisation, because a partnership needs at least two.")
    if partnership.status == Status.AWAITING_SIGN_OFF:
        sentences += _missing_signatures(partnership, today)
    return sentences


def _missing_signatures(partnership: Partnership, today: dt.date) -> list[str]:
    """Return a sentence for each party that has not signed the terms yet."""
    if version_in_force(partnership, today) is not None:
        return []
    sentences = [
        f"{state.signatory.organisation.name} has not signed the terms yet."
        for version in versions_awaiting_signature(partnership)
        for state in signing_states(version)
        if state.must_decide
    ]
    return sentences or ["Every party must sign the same version of the terms first."]


def _review_is_due(partnership: Partnership, today: dt.date) -> bool:
    """Return whether the partnership would come under review again on the same day."""
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
    """Change the status, with a reason. Raises `UnableToChangeStatus`.

    When a successor becomes active, the partnership that it renews becomes renewed.
    """
    today = timezone.localdate(now)
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).leads_for(organisation))
    if (
        locked_partnership.is_over_on(today)
        and locked_partnership.status not in FINAL_STATUSES
        and status not in FINAL_STATUSES
    ):
        raise UnableToChangeStatus(
            "This partnership reached its end date, so you can renew it but not change its status."
        )
    if status not in TRANSITIONS[locked_partnership.status]:
        # The page shows the status that follows from the dates, which a job may not have stored yet.
        record_due_step(locked_partnership, now=now)
    _check_transition(locked_partnership, status)
    if not reason.strip():
        raise UnableToChangeStatus("Enter a reason.")
    missing_requirements = requirements_missing_for(locked_partnership, status, today)
    if missing_requirements:
        raise UnableToChangeStatus(" ".join(missing_requirements))

    if status == Status.ACTIVE and locked_partnership.status == Status.AWAITING_SIGN_OFF:
        # Terms that come into force also change the status.
        apply_terms_in_force(locked_partnership, author=author, now=now)
    else:
        set_status(locked_partnership, status, reason=reason.strip(), author=author, now=now, organisation=organisation)

    # The caller's object gets the new values, too.
    for name in ("status", "status_since", "starts_on", "ends_on"):
        setattr(partnership, name, getattr(locked_partnership, name))


def _check_transition(partnership: Partnership, status: str) -> None:
    """Raise `UnableToChangeStatus` if the partnership's status cannot become this one."""
    if status in TRANSITIONS[partnership.status]:
        return
    current_label = partnership.get_status_display().lower()
    new_label = Status(status).label.lower() if status in Status.values else status
    raise UnableToChangeStatus(
        f"A partnership that is {current_label} cannot become {new_label}. Choose another status."
    )


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
    """Start the successor of a partnership that is under review or has ended, and return it.

    Its draft starts from the terms in force, without their dates. Values that its kind no longer allows are left out,
    and the reason of the draft names their fields. The same organisations are invited, and their posts are copied with
    the present holders. When the successor becomes active, the old partnership becomes renewed. Raises `UnableToRenew`.
    """
    # Lock the organisations first, so that nobody who leaves at this moment holds a copied post. Services that end a
    # membership lock in the same order.
    party_ids = partnership.parties.accepted().order_by("organisation").values_list("organisation", flat=True)
    locked_organisations = [lock_organisation(pk) for pk in party_ids]
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).leads_for(organisation))
    today = timezone.localdate(now)
    parties = list(locked_partnership.parties.accepted().select_related("organisation").order_by("pk"))
    _check_can_renew(locked_partnership, today, reason=reason)
    if organisation.pk not in {party.organisation_id for party in parties}:
        raise UnableToRenew(f"{organisation.name} does not take part in this partnership, so it cannot renew it.")

    terms = _terms_for_successor(locked_partnership, today)
    successor = create_partnership(
        organisation=organisation,
        author=author,
        title=title or locked_partnership.title,
        kind=locked_partnership.kind_id,
        purpose=locked_partnership.purpose,
        areas=locked_partnership.areas.all(),
        redefines=locked_partnership,
        now=now,
        audience=locked_partnership.audience,
        contact_days=locked_partnership.contact_days,
        content=terms.content,
    )
    if terms.dropped_fields:
        reason_of_draft = f"The first terms. This kind of partnership no longer has {terms.dropped_fields}."
        successor.terms_proposals.update(reason=reason_of_draft)

    _invite_parties(parties, successor, organisation, reason=reason, author=author, now=now)
    present_ids = [
        party_organisation.pk for party_organisation in locked_organisations if not party_organisation.is_ended
    ]
    copy_posts(
        partnership=locked_partnership, successor=successor, organisation_ids=present_ids, author=author, now=now
    )

    set_status(successor, Status.DRAFTING, reason=reason.strip(), author=author, now=now, organisation=organisation)
    record_event(
        locked_partnership,
        EventKind.SUCCESSOR_OPENED,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"successor": successor.title}, "reason": reason.strip()},
    )
    return successor


def _check_can_renew(partnership: Partnership, today: dt.date, *, reason: str) -> None:
    """Raise `UnableToRenew` if it is too early, there is no reason, or a successor exists."""
    if partnership.state_on(today) not in (Status.UNDER_REVIEW, Status.ENDED):
        raise UnableToRenew("You can renew a partnership only while it is under review, or once it has ended.")
    if not reason.strip():
        raise UnableToRenew("Enter a reason.")
    if partnership.redefined_by.exclude(status=Status.ENDED).exists():
        raise UnableToRenew("The partners are already drafting a successor. Open the successor instead.")


def _invite_parties(
    parties: Iterable[Party],
    successor: Partnership,
    organisation: Organisation,
    *,
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Invite the parties to the successor with their present roles.

    `organisation` has created the successor as its chair, and gets its present role too.
    """
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


class _SuccessorTerms(NamedTuple):
    """The content of a successor's first draft, and the labels of the fields whose values were left out.

    `dropped_fields` is one text, which is empty if every value fits the kind.
    """

    content: dict[str, Any]
    dropped_fields: str


def _terms_for_successor(partnership: Partnership, today: dt.date) -> _SuccessorTerms:
    """Return the terms in force without their dates, and without values that the kind no longer allows."""
    version = version_in_force(partnership, today)
    kind = PartnershipKind.objects.get(code=partnership.kind_id)
    if version is None:
        values = {name: getattr(partnership, name) for name in (*COLUMNS, "terms_of_reference", "contribution")}
        return _SuccessorTerms(first_content(kind, {**values, **dict.fromkeys(DATES)}), dropped_fields="")

    schema = build_schema(declarations_of(kind))
    dropped_fields = ""
    try:
        content = fit_to_schema(schema, version.content)
    except InvalidContent as error:
        dropped_fields = labels_of_fields(schema, error.problems)
        content = fit_to_schema(schema, without_values(schema, version.content, error.problems))
    about = {code: value for code, value in content["about"].items() if code not in DATES}
    return _SuccessorTerms({**content, "about": about}, dropped_fields)
