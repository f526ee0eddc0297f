"""What happens to the shared views of lists when an organisation ends and another succeeds it."""

from __future__ import annotations

from partnerships.lists.models import SavedView
from partnerships.organisations.obligations import Column, HeldRecord, Obligation, register_obligation

SHARED_VIEWS = Obligation(
    code="shared_views",
    label="Shared views of lists",
    columns=(Column("lists.SavedView.organisation"),),
    records=lambda organisation, _day: SavedView.objects.filter(organisation=organisation),
    describe=lambda view, _organisation: HeldRecord(
        pk=view.pk, title=view.name, path=view.get_absolute_url(), generic_title=f"Shared view {view.pk}"
    ),
)


def register() -> None:
    """Register shared views. Without this, people of an organisation that ended could no longer open its views."""
    register_obligation(SHARED_VIEWS)
