"""Views that people share with an organisation, as things that it holds."""

from __future__ import annotations

from partnerships.lists.models import SavedView
from partnerships.organisations.obligations import Column, Held, Obligation, register_obligation

SHARED_VIEWS = Obligation(
    "shared_views",
    "Shared views of lists",
    (Column("lists.SavedView.organisation"),),
    lambda organisation, _: SavedView.objects.filter(organisation=organisation),
    lambda one, _: Held(one.pk, one.name, one.get_absolute_url(), outside=f"Shared view {one.pk}"),
)


def register() -> None:
    """Register them: without a line, people of a body that ended could no longer open its views."""
    register_obligation(SHARED_VIEWS)
