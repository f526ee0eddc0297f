"""Publications in force: the organisations that publish files, and their standards."""

from __future__ import annotations

from partnerships.open_data.models import Publication, PublicationQuerySet
from partnerships.organisations.models import Organisation


def published() -> PublicationQuerySet:
    """Return all publications in force, ordered by organisation."""
    return Publication.objects.in_force().select_related("organisation").order_by("organisation__name", "standard")


def publishing(organisation: Organisation | int) -> PublicationQuerySet:
    """Return the publications in force of one organisation."""
    return Publication.objects.in_force().filter(organisation=organisation).order_by("standard")


def published_by(pk: int, standard: str) -> Publication | None:
    """Return the publication in force of an organisation's files of a standard, or None if it does not publish them."""
    return publishing(pk).filter(standard=standard).select_related("organisation").first()
