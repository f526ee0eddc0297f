"""Services that propose, adopt and drop recommendations in a partnership, and link their outcomes."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Objective, Partnership, PartyRole
from partnerships.agreements.services.recording import lock_partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Meeting, MeetingStatus
from partnerships.kit.rights import require
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import Adoption, AdoptionStatus, Outcome, Recommendation
from partnerships.recommendations.rights import may_adopt_in
from partnerships.recommendations.services.recording import lock_recommendation, record_adoption

#: At most this many objectives and commitments can be linked to one adoption.
MAX_OUTCOMES = 50


class UnableToAdopt(Exception):
    """Raised if the partnership is over, a reason is missing, or the status does not allow the change."""


class UnableToLink(Exception):
    """Raised if the recommendation is not adopted, or the record cannot be linked to it."""


def _check_may_adopt(partnership: Partnership, author: User | None, now: dt.datetime) -> None:
    """Check the author's rights, and that the partnership is not over. Raises `UnableToAdopt`."""
    require(may_adopt_in(partnership, author, now))
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToAdopt(
            "This partnership has ended, so it cannot adopt recommendations. Choose another partnership."
        )


def _lock_with_partnership(adoption: Adoption, author: User | None, now: dt.datetime) -> Adoption:
    """Lock the partnership, so that it does not end and its parties do not change, and then the adoption."""
    lock_partnership(adoption.partnership_id)
    return _lock(adoption, author, now)


def _lock(adoption: Adoption, author: User | None, now: dt.datetime) -> Adoption:
    """Lock and return the adoption if the author may change it.

    The partnership is not locked, because that could deadlock with a request that adds a commitment to it.
    """
    adoptions = Adoption.objects.select_for_update(of=("self",)).select_related("recommendation", "partnership")
    adoption = adoptions.get(pk=adoption.pk)
    _check_may_adopt(adoption.partnership, author, now)
    return adoption


def _acting_party(partnership: Partnership, author: User | None) -> Organisation | None:
    """Return the party for which the author is an editor or lead. Observers are left out, as they adopt nothing."""
    if author is None:
        return None
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER).values("organisation")
    return Organisation.objects.of_person(author, *EDITING_ROLES).filter(pk__in=parties).order_by("pk").first()


def _save(adoption: Adoption, now: dt.datetime, *fields: str) -> None:
    """Save these fields of an adoption, and the time of the change."""
    adoption.changed_at = now
    adoption.save(update_fields=[*fields, "changed_at"])


@transaction.atomic
def propose_adoption(
    *, recommendation: Recommendation, partnership: Partnership, why: str, author: User | None, now: dt.datetime
) -> Adoption:
    """Propose a recommendation to a partnership, for the agenda of its next meeting. Raises `UnableToAdopt`.

    A recommendation that the partnership dropped is proposed again.
    """
    partnership = lock_partnership(partnership.pk)
    recommendation = lock_recommendation(recommendation.pk)
    _check_may_adopt(partnership, author, now)
    if not why.strip():
        raise UnableToAdopt("Enter why the partnership should adopt this recommendation.")
    adoptions = Adoption.objects.select_for_update(of=("self",))
    adoption = adoptions.filter(recommendation=recommendation, partnership=partnership).first()
    if adoption is not None and not adoption.is_dropped:
        status = adoption.get_status_display().lower()
        raise UnableToAdopt(f"{partnership} has already {status} this recommendation. Choose another partnership.")

    party = _acting_party(partnership, author)
    if adoption is None:
        adoption = Adoption(recommendation=recommendation, partnership=partnership)
    adoption.status = AdoptionStatus.PROPOSED
    adoption.why = why.strip()
    adoption.reason = ""
    adoption.meeting = None
    adoption.proposed_by = author
    adoption.proposed_for = party
    adoption.proposed_at = now
    adoption.changed_at = now
    adoption.save()
    record_adoption(adoption, EventKind.PROPOSED, author=author, organisation=party, now=now, reason=adoption.why)
    return adoption


@transaction.atomic
def adopt(*, adoption: Adoption, meeting: Meeting, author: User | None, now: dt.datetime) -> Adoption:
    """Record that a meeting of the partnership adopted the recommendation. Raises `UnableToAdopt`."""
    adoption = _lock_with_partnership(adoption, author, now)
    if adoption.status != AdoptionStatus.PROPOSED:
        status = adoption.get_status_display().lower()
        raise UnableToAdopt(f"This recommendation is already {status}, so you do not need to record its adoption.")
    if meeting.partnership_id != adoption.partnership_id or meeting.status == MeetingStatus.CALLED_OFF:
        raise UnableToAdopt("Choose a meeting of the partnership.")
    if meeting.starts_at > now:
        raise UnableToAdopt("Choose a meeting that has taken place.")

    adoption.status = AdoptionStatus.ADOPTED
    adoption.meeting = meeting
    _save(adoption, now, "status", "meeting")
    record_adoption(
        adoption,
        EventKind.ADOPTED,
        author=author,
        organisation=_acting_party(adoption.partnership, author),
        now=now,
        before={"status": AdoptionStatus.PROPOSED.value},
        after={"status": AdoptionStatus.ADOPTED.value, "date": meeting.day.isoformat()},
    )
    return adoption


@transaction.atomic
def drop_adoption(*, adoption: Adoption, reason: str, author: User | None, now: dt.datetime) -> Adoption:
    """Drop a recommendation, with a reason. Its outcomes are not changed. Raises `UnableToAdopt`."""
    adoption = _lock_with_partnership(adoption, author, now)
    if adoption.is_dropped:
        raise UnableToAdopt("The partnership has already dropped this recommendation, so you do not need to drop it.")
    if not reason.strip():
        raise UnableToAdopt("Enter why the partnership is dropping this recommendation.")

    status_before = adoption.status
    adoption.status = AdoptionStatus.DROPPED
    adoption.reason = reason.strip()
    _save(adoption, now, "status", "reason")
    record_adoption(
        adoption,
        EventKind.DROPPED,
        author=author,
        organisation=_acting_party(adoption.partnership, author),
        now=now,
        before={"status": status_before},
        after={"status": adoption.status},
        reason=adoption.reason,
    )
    return adoption


@transaction.atomic
def link_outcome(
    *, adoption: Adoption, record: Objective | Commitment, author: User | None, now: dt.datetime
) -> Outcome:
    """Link an objective or a commitment that came from the recommendation. Raises `UnableToLink`."""
    adoption = _lock(adoption, author, now)
    if not adoption.is_adopted:
        raise UnableToLink("The partnership has not adopted this recommendation. Record its adoption first.")
    if record.partnership_id != adoption.partnership_id:
        raise UnableToLink(f"Choose an objective or a commitment of {adoption.partnership}.")
    field = "objective" if isinstance(record, Objective) else "commitment"
    if adoption.outcomes.filter(**{field: record}).exists():
        raise UnableToLink("This objective or commitment is already linked. Choose another objective or commitment.")
    if adoption.outcomes.count() >= MAX_OUTCOMES:
        raise UnableToLink(f"You can link up to {MAX_OUTCOMES} objectives and commitments. Remove a link first.")

    outcome = Outcome.objects.create(adoption=adoption, **{field: record}, linked_by=author, linked_at=now)
    _save(adoption, now)
    party = _acting_party(adoption.partnership, author)
    record_adoption(adoption, EventKind.OUTCOME_LINKED, author=author, organisation=party, now=now)
    return outcome


@transaction.atomic
def unlink_outcome(*, outcome: Outcome, author: User, now: dt.datetime) -> None:
    """Remove the link to an objective or commitment, but not the record itself. Raises `UnableToLink`."""
    adoption = _lock(outcome.adoption, author, now)
    deleted_count, _count_by_model = adoption.outcomes.filter(pk=outcome.pk).delete()
    if not deleted_count:
        raise UnableToLink("A colleague has already removed this link, so you do not need to remove it.")
    _save(adoption, now)
    party = _acting_party(adoption.partnership, author)
    record_adoption(adoption, EventKind.OUTCOME_UNLINKED, author=author, organisation=party, now=now)
