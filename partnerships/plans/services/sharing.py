"""Share a draft with people, stop sharing a draft, and ask to see a draft."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.kit import journal
from partnerships.kit.rights import UnableToAct, require
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.models import User
from partnerships.people.services import find_person
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import FINAL_STATUSES, AccessRequest, OpeningMethod, Plan, Share, ShareOpening
from partnerships.plans.rights import may_ask_for_access, rights_over
from partnerships.plans.services.recording import acting_organisation, lock_plan, record_event

#: The most people with whom a draft can be shared. A draft for more people should be published.
MAX_SHARES = 100
#: Sharing a draft again with the same person within this time sends no second email.
EMAIL_AGAIN_AFTER = dt.timedelta(days=1)
#: A map that is requested within this time after the page of the draft is not logged as a second opening.
MAP_REQUEST_TIME = dt.timedelta(minutes=1)
#: The journal's name for a draft shared with a person.
SHARE = "share"


class UnableToShare(Exception):
    """The person may not see drafts, the last day is in the past, or the plan is over."""


class UnableToAskForAccess(Exception):
    """The request does not say which plan."""


@transaction.atomic
def share_draft(
    *,
    plan: Plan,
    email: str,
    may_comment: bool,
    message: str,
    ends_on: dt.date | None,
    author: User,
    now: dt.datetime,
) -> Share:
    """Share the draft with a person who has an account, and email the person.

    If the draft has been shared with the person before, the share gets the new terms. The person then gets another
    email only if the share had ended and the last email is more than a day old. Raises `UnableToShare`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_edit)
    _check_may_be_shared(plan, ends_on, timezone.localdate(now))
    person, organisation = _find_reader(email, plan)
    existing_share = plan.shares.filter(person=person).first()
    active_shares = plan.shares.active(now)
    if existing_share is None and active_shares.count() >= MAX_SHARES:
        raise UnableToShare(f"A draft can be shared with at most {MAX_SHARES} people. Publish the plan instead.")

    is_active = existing_share is not None and active_shares.filter(pk=existing_share.pk).exists()
    owner = acting_organisation(plan, author)
    terms: dict[str, Any] = {
        "may_comment": may_comment,
        "message": message.strip(),
        "ends_on": ends_on,
        "revoked_at": None,
    }
    start: dict[str, Any] = {
        "shared_by": author,
        "shared_at": now,
        "opened_at": None,
        "organisation": organisation,
        "shown_for": owner,
    }
    # Sharing again with a person changes only the terms of an active share.
    values = terms if is_active else {**terms, **start}
    share, _is_new = Share.objects.update_or_create(plan=plan, person=person, defaults=values)

    # The journal may say that the existing share has ended, and a restore would then end it again.
    if existing_share is not None:
        journal_share(share, now=now, undone=True)
    event = EventKind.SHOWING_CHANGED if is_active else EventKind.DRAFT_SHOWN
    _record_share(plan, share, event, author=author, owner=owner, now=now)
    last_emailed_at = existing_share.invited_at if existing_share is not None else None
    if not is_active and (last_emailed_at is None or last_emailed_at <= now - EMAIL_AGAIN_AFTER):
        _email_share(share, sender=owner, now=now)
    return share


def _check_may_be_shared(plan: Plan, ends_on: dt.date | None, today: dt.date) -> None:
    """Raise `UnableToShare` if the plan is over or the last day is in the past."""
    if plan.is_over:
        raise UnableToShare(f"This plan is {plan.get_status_display().lower()}, so you can no longer share its draft.")
    if ends_on is not None and ends_on < today:
        raise UnableToShare("The last day must be today or later.")


def _record_share(
    plan: Plan, share: Share, event: EventKind, *, author: User, owner: Organisation | None, now: dt.datetime
) -> None:
    """Record an event of a share with its terms."""
    ends_on = share.ends_on.isoformat() if share.ends_on else None
    record_event(
        plan,
        event,
        author=author,
        organisation=owner,
        target=EventTarget.DRAFT,
        now=now,
        data={
            "title": plan.title,
            "person": share.person_id,
            "after": {"may_comment": share.may_comment, "ends_on": ends_on},
        },
    )


def _find_reader(email: str, plan: Plan) -> tuple[User, Organisation]:
    """Return the person with this address, and the organisation for which the person sees the draft.

    Raises `UnableToShare` for people who have no account, act for no organisation or can edit the draft anyway.
    """
    person = find_person(email)
    organisation = _organisation_of_reader(person, plan) if person is not None else None
    if person is None or person.is_stakeholder or organisation is None:
        raise UnableToShare(
            "You cannot share a draft with this address yet. Ask a lead of their organisation to invite them first."
        )
    editors = Membership.objects.current().of_person(person, Role.EDITOR, Role.LEAD)
    if editors.filter(organisation__in=plan.owners.values("organisation")).exists():
        raise UnableToShare(f"{person.display_name} can already edit this draft, so you do not need to share it.")
    return person, organisation


def _email_share(share: Share, *, sender: Organisation | None, now: dt.datetime) -> None:
    """Email the person an invitation to read the draft."""
    share.invited_at = now
    share.save(update_fields=["invited_at"])
    record_email(
        kind="plans.share",
        person_id=share.person_id,
        params={"share": share.pk},
        sender_id=sender.pk if sender else None,
        now=now,
    )


def _organisation_of_reader(person: User, plan: Plan) -> Organisation | None:
    """Return the organisation for which a person sees the draft; None if the person acts for no organisation.

    If the person acts for several, a present party of the plan's partnership is preferred.
    """
    own_organisations = Organisation.objects.of_person(person).order_by("name", "pk")
    parties = Party.objects.accepted().filter(partnership=plan.partnership_id).values("organisation")
    return own_organisations.filter(pk__in=parties).first() or own_organisations.first()


def end_active_shares(plan: Plan, *, author: User | None, now: dt.datetime) -> int:
    """End all active shares of the draft, and return how many. Lock the plan's row first."""
    active_shares = list(plan.shares.active(now).select_related("person", "plan").order_by("pk"))
    for share in active_shares:
        end_share(share, author=author, now=now)
    return len(active_shares)


@transaction.atomic
def revoke_share(*, share: Share, author: User | None, now: dt.datetime) -> Share:
    """End a share at once."""
    require(rights_over(lock_plan(share.plan), author, now).may_revoke(share))
    if share.revoked_at is None:
        end_share(share, author=author, now=now)
    return share


def share_identity(share: Share) -> str:
    """Return a hash that identifies a share in the journal, made from its plan and person."""
    return journal.identity(share.plan_id, share.plan.created_at, share.person_id, share.person.joined_at)


def journal_share(share: Share, *, now: dt.datetime, undone: bool = False) -> None:
    """Record in the journal that the share has ended.

    With `undone`, record that the share is active with its present terms.
    """
    terms = {"may_comment": share.may_comment, "ends_on": share.ends_on.isoformat() if share.ends_on else None}
    journal.note(SHARE, now=now, share=share.pk, same=share_identity(share), undone=undone, **terms)


def journal_ended_shares(plan: Plan, *, now: dt.datetime) -> None:
    """Record in the journal that the active shares end, because nobody can open the draft of a plan that is over."""
    for share in plan.shares.active(now).select_related("person", "plan").order_by("pk"):
        journal_share(share, now=now)


def end_share(share: Share, *, author: User | None, now: dt.datetime) -> None:
    """End an active share. Check the rights and lock the plan's row first."""
    share.revoked_at = now
    share.save(update_fields=["revoked_at"])
    journal_share(share, now=now)
    record_event(
        share.plan,
        EventKind.SHOWING_ENDED,
        author=author,
        organisation=acting_organisation(share.plan, author),
        target=EventTarget.DRAFT,
        now=now,
        data={"title": share.plan.title, "person": share.person_id},
    )


def log_share_opening(*, plan: Plan, person: User, how: str, now: dt.datetime, what: str = "") -> Share | None:
    """Log that a person opened a draft shared with them, and return the person's active share.

    `how` is an `OpeningMethod`, and `what` is the name of an opened document. The page of a draft requests its map in
    the background, and this request is not logged again. Returns None if the draft is not shared with the person.
    """
    share = plan.shares.active(now).filter(person=person).select_related("shared_by").first()
    if share is None:
        return None
    recent_page_views = share.openings.filter(how=OpeningMethod.SCREEN, at__gt=now - MAP_REQUEST_TIME)
    if how == OpeningMethod.MAP and recent_page_views.exists():
        return share

    opening = ShareOpening(share=share, shown_at=share.shared_at, at=now, how=how, what=what[:200])
    if share.opened_at is not None:
        opening.save()
    else:
        with transaction.atomic():
            opening.save()
            # Conditional, so that a simultaneous request keeps the time of the first opening.
            Share.objects.filter(pk=share.pk, opened_at=None).update(opened_at=now)
        share.opened_at = now
    return share


@transaction.atomic
def ask_for_access(
    *, partnership: Partnership, about: str, message: str, author: User, now: dt.datetime
) -> AccessRequest:
    """Ask the owners of a plan of the partnership to share its draft, and email the leads of the owners.

    `about` is the plan's title or address. The asker gets the same answer whether or not such a plan exists, so only
    the owners learn this. Raises `UnableToAskForAccess`.
    """
    require(may_ask_for_access(partnership.pk, roles_of(author, now)))
    about = " ".join(about.split())[:300]
    if not about:
        raise UnableToAskForAccess("Enter the plan’s title or its web address.")

    plan = _newest_plan_named(about, partnership)
    try:
        # A savepoint, because after the error of a constraint PostgreSQL would refuse all further queries.
        with transaction.atomic():
            request = AccessRequest.objects.create(
                partnership=partnership,
                plan=plan,
                person=author,
                about=about,
                message=message.strip(),
                asked_at=now,
            )
    except IntegrityError:
        # The person's last request is still unanswered, so the owners need no second email.
        return AccessRequest.objects.get(plan=plan, person=author, answered_at=None)

    if plan is not None:
        _notify_owners_of_request(request, plan, now=now)
    return request


def _notify_owners_of_request(request: AccessRequest, plan: Plan, *, now: dt.datetime) -> None:
    """Record that a person asked to see the draft, and email the leads of its owners."""
    asker = request.person
    record_event(
        plan,
        EventKind.DRAFT_ASKED_FOR,
        author=asker,
        target=EventTarget.DRAFT,
        now=now,
        data={"title": plan.title, "request": request.pk},
    )
    leads = Membership.objects.current().filter(role=Role.LEAD, organisation__in=plan.owners.values("organisation"))
    # The leads of a sender see its emails in the ledger and would learn that the plan exists, so there is no sender.
    record_emails(
        kind="plans.access_request",
        people=leads.exclude(person=asker).values_list("person", flat=True),
        params={"request": request.pk},
        now=now,
    )


def _newest_plan_named(about: str, partnership: Partnership) -> Plan | None:
    """Return the newest plan of the partnership that has this title or address and is not over, or None.

    A text such as "https://example.org/plans/12/" is an address. Any other text is a title.
    """
    address_match = re.search(r"/plans/(\d{1,18})(?:/|$)", about)
    has_address_or_title = Q(pk=int(address_match[1])) if address_match else Q(title__iexact=about)
    plans = Plan.objects.filter(has_address_or_title, partnership=partnership).exclude(status__in=FINAL_STATUSES)
    return plans.order_by("-created_at", "pk").first()


@transaction.atomic
def answer_request(
    *,
    request: AccessRequest,
    grant: bool,
    author: User,
    now: dt.datetime,
    may_comment: bool = True,
    ends_on: dt.date | None = None,
    message: str = "",
) -> AccessRequest:
    """Share the draft with the person who asked to see it, or decline, and email the person.

    Raises `UnableToShare`, for example if a colleague has answered the request before, and `UnableToAct` if the
    request is about no plan of the partnership.
    """
    if request.plan is None:
        raise UnableToAct(
            "This plan does not exist, so nobody can answer the request. Ask the person for another title."
        )
    # Lock the plan before the request. All services lock a plan before its rows, so that two cannot deadlock.
    plan = lock_plan(request.plan)
    require(rights_over(plan, author, now).may_edit)
    # Fetch the request again with a lock, so that two editors who answer at once do not both share the draft.
    locked_requests = AccessRequest.objects.select_for_update(of=("self",)).select_related("person", "plan")
    request = locked_requests.get(pk=request.pk)
    if request.answered_at is not None:
        raise UnableToShare("A colleague has already answered this request, so you do not need to do anything.")

    if grant:
        share_draft(
            plan=plan,
            email=request.person.email,
            may_comment=may_comment,
            message=message,
            ends_on=ends_on,
            author=author,
            now=now,
        )
    request.answered_at = now
    request.answered_by = author
    request.granted = grant
    request.save(update_fields=["answered_at", "answered_by", "granted"])
    _notify_asker_of_answer(request, plan, message=message, author=author, now=now)
    return request


def _notify_asker_of_answer(
    request: AccessRequest, plan: Plan, *, message: str, author: User, now: dt.datetime
) -> None:
    """Record the answer to a request, and email the person who asked if it was declined.

    If the request was granted, `share_draft` has emailed the person.
    """
    organisation = acting_organisation(plan, author)
    event = record_event(
        plan,
        EventKind.DRAFT_REQUEST_ANSWERED,
        author=author,
        organisation=organisation,
        target=EventTarget.DRAFT,
        now=now,
        data={
            "title": plan.title,
            "person": request.person_id,
            "reason": message.strip(),
            "after": {"granted": request.granted},
        },
    )
    if not request.granted:
        record_email(
            kind="plans.not_shown",
            person_id=request.person_id,
            params={"request": request.pk, "event": event.pk},
            sender_id=organisation.pk if organisation else None,
            now=now,
        )
