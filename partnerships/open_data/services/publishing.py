"""Begin and end publishing the files of a standard."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.open_data.event_kinds import EventKind
from partnerships.open_data.models import Publication
from partnerships.open_data.standards import STANDARDS
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import rights_over
from partnerships.people.models import User

#: The kind of the journal's lines about publications that ended.
PUBLICATION = "publication"


class UnableToPublishData(Exception):
    """Raised if a reason is missing, nothing would change, or the organisation is not a planning authority."""


@transaction.atomic
def begin_publishing(
    *, organisation: Organisation, standard: str, reason: str, author: User | None, now: dt.datetime
) -> Publication:
    """Publish the files of a standard to everybody.

    Leads of the organisation and administrators may do this. Raises `UnableToPublishData`.
    """
    organisation = _lock_to_publish(organisation, reason, author, now)
    if standard not in STANDARDS:
        raise UnableToPublishData(
            "We do not publish files in this standard. Choose a standard on the organisation’s open data page."
        )
    if not organisation.is_planning_authority:
        raise UnableToPublishData("Only planning authorities that still exist can publish these files.")
    if Publication.objects.filter(organisation=organisation, standard=standard, ended_at=None).exists():
        raise UnableToPublishData("These files are already published. Open the page again to see them.")

    publication = Publication.objects.create(
        organisation=organisation, standard=standard, reason=reason.strip(), begun_at=now
    )
    _record(EventKind.BEGUN, publication, reason, author, now)
    return publication


@transaction.atomic
def end_publishing(
    *, organisation: Organisation, standard: str, reason: str, author: User | None, now: dt.datetime
) -> Publication:
    """Stop publishing the files of a standard.

    Leads of the organisation and administrators may do this. Raises `UnableToPublishData`.
    """
    organisation = _lock_to_publish(organisation, reason, author, now)
    publications = Publication.objects.filter(organisation=organisation, standard=standard, ended_at=None)
    publication = publications.select_related("organisation").first()
    if publication is None:
        raise UnableToPublishData("These files are not published, so you do not need to stop anything.")

    publication.ended_at = now
    publication.end_reason = reason.strip()
    publication.save(update_fields=["ended_at", "end_reason"])
    journal.note(PUBLICATION, now=now, publication=publication.pk, same=publication_identity(publication))
    _record(EventKind.ENDED, publication, reason, author, now)
    return publication


def publication_identity(publication: Publication) -> str:
    """Return the hash by which the journal recognises a publication after a restore."""
    organisation = publication.organisation
    return journal.identity(organisation.pk, organisation.created_at, publication.standard, publication.begun_at)


def _lock_to_publish(organisation: Organisation, reason: str, author: User | None, now: dt.datetime) -> Organisation:
    """Lock and return the organisation, if the author may change its settings and gives a reason."""
    organisation = Organisation.objects.select_for_update(of=("self",)).get(pk=organisation.pk)
    require(rights_over(organisation, author, now).may_change_settings)
    if not reason.strip():
        raise UnableToPublishData("Enter a reason.")
    return organisation


def _record(kind: EventKind, publication: Publication, reason: str, author: User | None, now: dt.datetime) -> None:
    """Record an event about published files on their organisation."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=publication.organisation_id,
        kind=kind,
        target_kind="organisation",
        target_id=publication.organisation_id,
        now=now,
        data={"title": publication.files.title, "reason": reason.strip()},
    )
