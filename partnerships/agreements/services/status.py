"""Change the status of a partnership, or renew it (docs/rights.md, Statuses)."""

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
    declarations_of,
    fitted_to_schema,
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
    """The change of status is not allowed, a requirement is not met yet, or the reason is missing."""


class UnableToRenew(Exception):
    """The partnership is not under review or is renewed already, or the organisation takes no part in it."""


def requirements_missing_for(partnership: Partnership, status: str, today: dt.date) -> list[str]:
    """Return what must happen before a partnership can have this status, in one sentence each."""
    missing = []
    if status == Status.AWAITING_SIGN_OFF and not versions_awaiting_signature(partnership):
        missing.append("Send its terms for signature on the page “Terms”. The status then changes automatically.")
    if status == Status.ACTIVE and partnership.status == Status.AGREED:
        if partnership.starts_on is not None and partnership.starts_on > today:
            missing.append(
                f"The partnership starts on {long_date(partnership.starts_on)}. Change the start date first."
            )
    elif status in (Status.ACTIVE, Status.AGREED):
        if partnership.state_on(today) == Status.UNDER_REVIEW and _review_is_due(partnership, today):
            missing.append("Amend the terms with the next review date.")
        invited_parties = (
            partnership.parties.required().filter(status=PartyStatus.INVITED).select_related("organisation")
        )
        missing += [
            f"{party.organisation.name} has not accepted the invitation yet."
            for party in invited_parties.order_by("organisation__name", "pk")
        ]
        if partnership.parties.required().count() < 2:
            missing.append("Invite another organisation: a partnership needs at least two.")
        if partnership.status == Status.AWAITING_SIGN_OFF:
            missing += _missing_signatures(partnership, today)
    if status == Status.RENEWED and not partnership.redefined_by.filter(status=Status.ACTIVE).exists():
        missing.append(
            "The successor must be active first. Renew the partnership, and have every party sign the new terms."
        )
    return missing


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
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).leads_for(organisation))
    if locked.is_over_on(today) and locked.status not in OVER and status not in OVER:
        raise UnableToChangeStatus(
            "This partnership reached its end date, so you can renew it but not change its status."
        )
    if status not in TRANSITIONS[locked.status]:
        # The stored status may be older than the one on the page, which follows from the dates.
        record_due_step(locked, now=now)
    if status not in TRANSITIONS[locked.status]:
        current_label = locked.get_status_display().lower()
        new_label = Status(status).label.lower() if status in Status.values else status
        raise UnableToChangeStatus(
            f"A partnership that is {current_label} cannot become {new_label}. Choose another status."
        )
    if not reason.strip():
        raise UnableToChangeStatus("Give a reason.")
    missing = requirements_missing_for(locked, status, today)
    if missing:
        raise UnableToChangeStatus(" ".join(missing))
    if status == Status.ACTIVE and locked.status == Status.AWAITING_SIGN_OFF:
        apply_terms_in_force(locked, author=author, now=now)
    else:
        set_status(locked, status, reason=reason.strip(), author=author, now=now, organisation=organisation)
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
    """Start the successor of a partnership that is under review or has ended. Raises `UnableToRenew`.

    Its draft starts from the terms in force, without their dates. Values that its kind no longer allows are left out;
    the reason of the draft names their fields. The same organisations are invited, and their posts are copied with the
    present holders. When the successor becomes active, the old partnership becomes renewed.
    """
    # Lock the organisations before the partnership, as the services that end a membership do: a person who leaves at
    # the same moment must not hold a copied post.
    party_ids = partnership.parties.present().order_by("organisation").values_list("organisation", flat=True)
    organisation_by_pk = {pk: lock_organisation(pk) for pk in party_ids}
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).leads_for(organisation))
    if locked.state_on(timezone.localdate(now)) not in (Status.UNDER_REVIEW, Status.ENDED):
        raise UnableToRenew("Only a partnership that is under review or has ended can be renewed.")
    if not reason.strip():
        raise UnableToRenew("Give a reason.")
    if locked.redefined_by.exclude(status=Status.ENDED).exists():
        raise UnableToRenew("The partners are already drafting a successor. Open the successor instead.")
    parties = list(locked.parties.present().select_related("organisation").order_by("pk"))
    if organisation.pk not in {party.organisation_id for party in parties}:
        raise UnableToRenew(f"{organisation.name} does not take part in this partnership, so it cannot renew it.")
    content, dropped_fields = _terms_for_successor(locked, timezone.localdate(now))
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
    if dropped_fields:
        reason_for_draft = f"The first terms. This kind of partnership no longer has {dropped_fields}."
        successor.terms_proposals.update(reason=reason_for_draft)
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
    current_ids = [pk for pk, row in organisation_by_pk.items() if not row.is_ended]
    copy_posts(partnership=locked, successor=successor, organisations=current_ids, author=author, now=now)
    set_status(successor, Status.DRAFTING, reason=reason.strip(), author=author, now=now, organisation=organisation)
    record_event(
        locked,
        EventKind.SUCCESSOR_OPENED,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"successor": successor.title}, "reason": reason.strip()},
    )
    return successor


def _terms_for_successor(partnership: Partnership, today: dt.date) -> tuple[dict[str, Any], str]:
    """Return the terms in force without their dates, and the labels of the fields whose values were left out.

    The labels are one text, which is empty if every value fits the kind.
    """
    version = version_in_force(partnership, today)
    kind = PartnershipKind.objects.get(code=partnership.kind_id)
    if version is None:
        values = {name: getattr(partnership, name) for name in (*COLUMNS, "terms_of_reference", "contribution")}
        return first_content(kind, {**values, **dict.fromkeys(DATES)}), ""
    schema = build_schema(declarations_of(kind))
    dropped_fields = ""
    try:
        content = fitted_to_schema(schema, version.content)
    except InvalidContent as error:
        dropped_fields = labels_of_fields(schema, error.problems)
        content = fitted_to_schema(schema, without_values(schema, version.content, error.problems))
    about = {code: value for code, value in content["about"].items() if code not in DATES}
    return {**content, "about": about}, dropped_fields
