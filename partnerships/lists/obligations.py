"""Views shared with an organisation, which are transferred to its successor."""

from __future__ import annotations

from partnerships.lists.models import SavedView
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation

SHARED_VIEWS = Obligation(
    "shared_views",
    "Shared views of lists",
    (Column("lists.SavedView.organisation"),),
    lambda organisation, _: SavedView.objects.filter(organisation=organisation),
    lambda view, _: HeldRecord(view.pk, view.name, view.get_absolute_url(), generic_title=f"Shared view {view.pk}"),
)


def register() -> None:
    """Register shared views. Without this, people of an organisation that ended could no longer open its views."""
    register_obligation(SHARED_VIEWS)
