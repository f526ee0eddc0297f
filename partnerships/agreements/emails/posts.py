"""Emails to holders of posts and to contacts without an account, and about organisations without a lead."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from django.core import signing
from django.utils import timezone

from partnerships.agreements.models import (
    CONTACT_RETENTION_MONTHS,
    Holder,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of, people_of
from partnerships.outbox.content import Content, build_message, ids_to_repeat, link
from partnerships.outbox.kinds import Batch, Candidate, Composer, DueEmail
from partnerships.people.models import User


def write_post_filled(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to a person who has been named as holder of a post."""
    holder = _holder(due)
    if not Holder.objects.current_or_future(timezone.localdate(now)).filter(pk=holder.pk, person=person).exists():
        return "The recipient no longer holds the post."
    context = {
        "holder": holder,
        "post": holder.post,
        "person": person,
        "link": link("agreements:post", pk=holder.post_id),
    }
    return Content("agreements/post_filled", context)


def write_no_lead(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Return the email to administrators and escalation contacts that nobody leads an organisation."""
    organisation = Organisation.objects.get(pk=due.params["organisation"])
    if leads_of(organisation).exists():
        return "The organisation has a lead again."
    if not person.is_staff and not people_of(organisation).filter(pk=person.pk).exists():
        return "The recipient no longer acts for the organisation."
    context = {
        "organisation": organisation,
        "person": person,
        "link": link("organisations:people", pk=organisation.pk),
    }
    return Content("agreements/no_lead", context)


#: Kind of the email that tells contacts without an account what we hold about them.
CONTACT = "agreements.contact"
#: Salt for the signed links by which contacts without an account see and remove what we hold about them.
CONTACT_SALT = "agreements.contact"
#: How long such a link works. An expired link only lets its visitor have a new one emailed to the contact.
CONTACT_LINK_WORKS = dt.timedelta(days=30)


def contact_token(holder: Holder) -> str:
    """Return the token of the link in the email to a contact without an account."""
    return signing.dumps([holder.pk, holder.added_at.isoformat()], salt=CONTACT_SALT)


def holder_of_token(token: str, *, allow_expired: bool = False) -> Holder | None:
    """Return the contact that a link belongs to.

    Returns None if the link is invalid or has expired, or if we hold nothing about the contact any more.
    """
    max_age = None if allow_expired else CONTACT_LINK_WORKS
    try:
        holder_id, added_at = signing.loads(token, salt=CONTACT_SALT, max_age=max_age)
    except signing.BadSignature:
        return None
    holders = Holder.objects.select_related("post__organisation", "post__partnership")
    return holders.filter(pk=holder_id, added_at=added_at, person=None, cleared_at=None).first()


class ContactComposer(Composer):
    """Composes the email that tells a contact without an account what we hold about them.

    UK GDPR, Article 14, requires it to say who holds the data, who gave it, why, for how long, and how to object.
    """

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return each due email with the contact's present address, or with a refusal if that was removed."""
        holders_with_posts = Holder.objects.select_related("post__organisation", "post__partnership", "added_by")
        holders = holders_with_posts.in_bulk([email.params["holder"] for email in due])
        candidates: list[Candidate] = []
        for email in due:
            holder = holders.get(email.params["holder"])
            if holder is None or holder.person_id is not None or not holder.email:
                candidates.append(Candidate(email, "", refusal="The contact’s details have been removed."))
            else:
                candidates.append(ContactCandidate(email, holder.email, holder.name, holder=holder))
        return candidates

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email with its link, or repeat one that may have been sent."""
        repeated_ids = ids_to_repeat(candidates)
        contact_candidates = [candidate for candidate in candidates if isinstance(candidate, ContactCandidate)]
        contacts_by_naming = _contacts_by_naming([candidate.holder for candidate in contact_candidates])

        for candidate in contact_candidates:
            # An earlier attempt may have arrived, so the next one must have the same words.
            if candidate.pk in repeated_ids:
                batch.again.append(candidate)
                continue

            holder = candidate.holder
            author = holder.added_by
            context = {
                "holder": holder,
                "post": holder.post,
                "months": CONTACT_RETENTION_MONTHS,
                "link": link("agreements:contact-data", token=contact_token(holder)),
                "others": [
                    (other_contact, link("agreements:contact-data", token=contact_token(other_contact)))
                    for other_contact in contacts_by_naming[_naming_key(holder)]
                    if other_contact.pk != holder.pk
                ],
            }
            content = Content("agreements/contact", context, reply_to=author.email if author else "")
            batch.messages[candidate.pk] = build_message(
                content.render(),
                name=candidate.name,
                address=candidate.address,
                message_id=candidate.due.message_id,
                is_secret=True,
                now=now,
            )


def _naming_key(holder: Holder) -> tuple[int, str, dt.datetime]:
    """Return the organisation, the address, and the moment at which the contact was named.

    If all three are the same, one person was named for several posts at once, and the email lists all of these posts.
    """
    return holder.post.organisation_id, holder.email.casefold(), holder.added_at


def _contacts_by_naming(holders: Sequence[Holder]) -> dict[tuple[int, str, dt.datetime], list[Holder]]:
    """Return all contacts that were named at the same moments as these holders, by `_naming_key`."""
    contacts_by_naming: dict[tuple[int, str, dt.datetime], list[Holder]] = defaultdict(list)
    naming_moments = {holder.added_at for holder in holders}
    contacts = Holder.objects.filter(person=None, cleared_at=None, added_at__in=naming_moments)
    for contact in contacts.select_related("post__organisation", "post__partnership").order_by("pk"):
        contacts_by_naming[_naming_key(contact)].append(contact)
    return contacts_by_naming


class ContactCandidate(Candidate):
    """A due email to a contact, with the holder row that describes the contact."""

    def __init__(self, due: DueEmail, address: str, name: str, *, holder: Holder) -> None:
        super().__init__(due, address, name)
        self.holder = holder


def _holder(due: DueEmail) -> Holder:
    """Return the holder that the email is about."""
    return Holder.objects.select_related("post__organisation", "post__partnership").get(pk=due.params["holder"])
