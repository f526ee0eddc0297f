"""List columns that show an organisation's name, either on the day of the row or today."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from partnerships.kit.lists import Column
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.naming import group_headings, official_name_at

#: The help text that explains why a filter finds rows that show another name.
FOUND_WORDS = "You can also find an organisation by a former name, or by the name of its successor."


def present_organisation_column(*, organisation_path: str, **column: Any) -> Column:
    """Return a column that shows an organisation's present name; a search finds the row by all its names.

    `organisation_path` is the lookup path from the row to the organisation.
    """
    return Column(
        key=f"{organisation_path}__name",
        found_by=lambda words: Q(**{f"{organisation_path}__in": organisation_ids_by_name(words)}),
        found_words=FOUND_WORDS,
        group_words=group_headings,
        is_grouped=True,
        **column,
    )


def organisation_column(
    *, organisation_path: str, moment_path: str, fallback_name_path: str = "", **column: Any
) -> Column:
    """Return a column that shows the name that an organisation had at the row's moment.

    For example, a commitment of 2025 shows Guildford in 2028, and a search for “West Surrey” finds it. Rows are sorted
    by the name that they show, and grouped by the present name with former names. A search finds the row by every name
    of the organisation, and by every name of a body that followed it.

    `organisation_path` and `moment_path` are lookup paths from the row. `fallback_name_path` is the path to a name for
    rows without an organisation.
    """

    def present_name(_reader: Any) -> Combinable:
        return (
            Coalesce(f"{organisation_path}__name", fallback_name_path)
            if fallback_name_path
            else F(f"{organisation_path}__name")
        )

    def name_at_moment(_reader: Any) -> Combinable:
        name = official_name_at(moment_path, organisation_path, present=f"{organisation_path}__name")
        return Coalesce(name, F(fallback_name_path)) if fallback_name_path else name

    def name_condition(words: str) -> Q:
        condition = Q(**{f"{organisation_path}__in": organisation_ids_by_name(words)})
        return condition | Q(**{f"{fallback_name_path}__icontains": words}) if fallback_name_path else condition

    return Column(
        key=present_name,
        sorts_by=name_at_moment,
        found_by=name_condition,
        found_words=FOUND_WORDS,
        group_words=group_headings,
        is_grouped=True,
        **column,
    )
