"""Register the web room's sections on the page of a partnership."""

from __future__ import annotations

from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.web.overview import (
    figures_lookups,
    figures_section,
    milestones_lookups,
    milestones_section,
    open_milestones_of,
    plans_lookups,
    plans_of,
    plans_section,
    points_lookups,
    points_section,
)


def register() -> None:
    """Register the room's sections."""
    ON_PARTNERSHIPS.register("figures", figures_section, order=1, lookups=figures_lookups)
    ON_PARTNERSHIPS.register_with_rows(
        "milestones", milestones_section, open_milestones_of, order=20, lookups=milestones_lookups
    )
    ON_PARTNERSHIPS.register_with_rows("plans", plans_section, plans_of, order=25, lookups=plans_lookups)
    ON_PARTNERSHIPS.register("points", points_section, order=30, lookups=points_lookups)
