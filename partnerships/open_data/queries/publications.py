"""Publications that are in force, of all organisations or of one."""

from __future__ import annotations

from partnerships.open_data.models import Publication, PublicationQuerySet
from partnerships.organisations.models import Organisation


def current_publications() -> PublicationQuerySet:
    """Return all publications in force, ordered by organisation."""
    return Publication.objects.in_force().select_related("organisation").order_by("organisation__name", "standard")


def current_publications_of(organisation: Organisation | int) -> PublicationQuerySet:
    """Return the publications in force of one organisation."""
    return Publication.objects.in_force().filter(organisation=organisation).order_by("standard")


def current_publication(organisation_id: int, standard: str) -> Publication | None:
    """Return the publication of an organisation's files of a standard. None if it does not publish them now."""
    publications = current_publications_of(organisation_id).filter(standard=standard)
    return publications.select_related("organisation").first()
