"""Emails about posts and those who hold them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.core import signing
from django.utils import timezone

from partnerships.agreements.models import (
    KEPT_MONTHS,
    Holder,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of, people_of
from partnerships.outbox.content import Content, link, message, repeatable
from partnerships.outbox.kinds import Batch, Candidate, Composer, Due
from partnerships.people.models import User


def write_post_filled(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to a person that somebody else has named as holder of a post."""
    holder = _holder(due)
    if not Holder.objects.open(timezone.localdate(now)).filter(pk=holder.pk, person=person).exists():
        return "They no longer hold the post."
    context = {
        "holder": holder,
        "post": holder.post,
        "person": person,
        "link": link("agreements:post", pk=holder.post_id),
    }
    return Content("agreements/post_filled", context)


def write_no_lead(due: Due, person: User, now: dt.datetime) -> Content | str:
    """Email to administrators and the holder of the escalation post.

    It says that nobody leads the organisation.
    """
    organisation = Organisation.objects.get(pk=due.params["organisation"])
    if leads_of(organisation).exists():
        return "Somebody leads the organisation again."
    if not person.is_staff and not people_of(organisation).filter(pk=person.pk).exists():
        return "They no longer act for the organisation."
    context = {
        "organisation": organisation,
        "person": person,
        "link": link("organisations:people", pk=organisation.pk),
    }
    return Content("agreements/no_lead", context)


#: The kind of the email to a contact without an account.
CONTACT = "agreements.contact"
#: Signs the links by which contacts without an account see and remove what is held about them.
CONTACT_SALT = "agreements.contact"
#: How long such a link works. An older one only sends a new one to the contact's address.
CONTACT_LINK_WORKS = dt.timedelta(days=30)


def contact_token(holder: Holder) -> str:
    """The token of the link in the email to a contact without an account."""
    return signing.dumps([holder.pk, holder.added_at.isoformat()], salt=CONTACT_SALT)


def holder_of_token(token: str, *, allow_expired: bool = False) -> Holder | None:
    """The contact of a link.

    None if it is invalid or too old, or nothing is held any more.
    """
    try:
        max_age = None if allow_expired else CONTACT_LINK_WORKS
        number, added_at = signing.loads(token, salt=CONTACT_SALT, max_age=max_age)
    except signing.BadSignature:
        return None
    holders = Holder.objects.select_related("post__organisation", "post__partnership")
    return holders.filter(pk=number, added_at=added_at, person=None, cleared_at=None).first()


class ContactComposer(Composer):
    """Composes the email that tells a contact without an account what is held about them.

    UK GDPR, Article 14: who holds it, who gave it, why, how long and how to object.
    """

    def candidates(self, due: Sequence[Due], *, now: dt.datetime) -> list[Candidate]:
        """The holders' present addresses; none once the data is emptied."""
        numbers = [email.params["holder"] for email in due]
        holders = Holder.objects.select_related("post__organisation", "post__partnership", "added_by").in_bulk(numbers)
        candidate_list = []
        for email in due:
            holder = holders.get(email.params["holder"])
            if holder is None or holder.person_id is not None or not holder.email:
                candidate_list.append(Candidate(email, "", refusal="We hold nothing about them any more."))
            else:
                candidate_list.append(ContactCandidate(email, holder.email, holder.name, holder=holder))
        return candidate_list

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email with its link, or repeat one that may have been sent."""
        again = repeatable(candidates)
        holders_named = _named_together(
            [candidate.holder for candidate in candidates if isinstance(candidate, ContactCandidate)]
        )
        for candidate in candidates:
            if not isinstance(candidate, ContactCandidate):
                continue
            if candidate.pk in again:
                batch.again.append(candidate)
                continue
            holder = candidate.holder
            author = holder.added_by
            context = {
                "holder": holder,
                "post": holder.post,
                "months": KEPT_MONTHS,
                "link": link("agreements:contact-data", token=contact_token(holder)),
                "others": [
                    (other, link("agreements:contact-data", token=contact_token(other)))
                    for other in holders_named[_moment(holder)]
                    if other.pk != holder.pk
                ],
            }
            content = Content("agreements/contact", context, reply_to=author.email if author else "")
            batch.messages[candidate.pk] = message(
                content.render(),
                name=candidate.name,
                address=candidate.address,
                message_id=candidate.due.message_id,
                is_secret=True,
                now=now,
            )


def _moment(holder: Holder) -> tuple[int, str, dt.datetime]:
    """What contacts in one email have in common.

    Organisation, address and the moment they were named.
    """
    return holder.post.organisation_id, holder.email.casefold(), holder.added_at


def _named_together(holders: Sequence[Holder]) -> dict[tuple[int, str, dt.datetime], list[Holder]]:
    """The contacts that were named at the same moments, in the order in which they were."""
    holders_together: dict[tuple[int, str, dt.datetime], list[Holder]] = defaultdict(list)
    rows = Holder.objects.filter(person=None, cleared_at=None, added_at__in={holder.added_at for holder in holders})
    for row in rows.select_related("post__organisation", "post__partnership").order_by("pk"):
        holders_together[_moment(row)].append(row)
    return holders_together


class ContactCandidate(Candidate):
    """A due email with the holder that it goes to."""

    def __init__(self, due: Due, address: str, name: str, *, holder: Holder) -> None:
        super().__init__(due, address, name)
        self.holder = holder


def _holder(due: Due) -> Holder:
    return Holder.objects.select_related("post__organisation", "post__partnership").get(pk=due.params["holder"])
