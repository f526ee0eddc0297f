"""What the web room registers with lower rooms: sections on the page of a partnership."""

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
    ON_PARTNERSHIPS.register("10 figures", figures_section, lookups=figures_lookups)
    ON_PARTNERSHIPS.register_with_rows(
        "20 milestones", milestones_section, open_milestones_of, lookups=milestones_lookups
    )
    ON_PARTNERSHIPS.register_with_rows("25 plans", plans_section, plans_of, lookups=plans_lookups)
    ON_PARTNERSHIPS.register("30 points", points_section, lookups=points_lookups)
