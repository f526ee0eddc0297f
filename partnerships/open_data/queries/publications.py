"""The organisations that publish the files of a standard."""

from __future__ import annotations

from partnerships.open_data.models import Publication, PublicationQuerySet
from partnerships.organisations.models import Organisation


def published() -> PublicationQuerySet:
    """What is published today, by organisation."""
    return Publication.objects.in_force().select_related("organisation").order_by("organisation__name", "standard")


def publishing(organisation: Organisation | int) -> PublicationQuerySet:
    """What one organisation publishes today."""
    return Publication.objects.in_force().filter(organisation=organisation).order_by("standard")


def published_by(pk: int, standard: str) -> Publication | None:
    """The publication in force of an organisation's files of a standard."""
    return publishing(pk).filter(standard=standard).select_related("organisation").first()
