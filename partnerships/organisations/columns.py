"""Columns of lists with the name of an organisation, as it was on the day of the row or as it is today."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce

from partnerships.kit.lists import Column
from partnerships.organisations.lineage import found_by_name
from partnerships.organisations.naming import group_words, named_then

#: Why a filter finds rows that show another name.
FOUND_WORDS = "You can also find organisations by a former name, or by the name of the organisation that followed them."


def present_organisation_column(*, side: str, **column: Any) -> Column:
    """Return a column with the present name of an organisation; a search finds it by all its names.

    `side` is the lookup path from the row to the organisation.
    """
    return Column(
        key=f"{side}__name",
        found_by=lambda words: Q(**{f"{side}__in": found_by_name(words)}),
        found_words=FOUND_WORDS,
        group_words=group_words,
        is_grouped=True,
        **column,
    )


def organisation_column(*, side: str, moment: str, otherwise: str = "", **column: Any) -> Column:
    """Return a column with the name that an organisation had at a moment of the row.

    Rows are sorted by that name. Words find them by every name of the organisation, and by those of a body that
    followed it. They are grouped by the present name, with the former ones beside it. `side` and `moment` are paths of
    the row, and `otherwise` that of a name for rows without an organisation.
    """

    def present(_reader: Any) -> Combinable:
        return Coalesce(f"{side}__name", otherwise) if otherwise else F(f"{side}__name")

    def then(_reader: Any) -> Combinable:
        name = named_then(moment, side, present=f"{side}__name")
        return Coalesce(name, F(otherwise)) if otherwise else name

    def found(words: str) -> Q:
        condition = Q(**{f"{side}__in": found_by_name(words)})
        return condition | Q(**{f"{otherwise}__icontains": words}) if otherwise else condition

    return Column(
        key=present,
        sorts_by=then,
        found_by=found,
        found_words=FOUND_WORDS,
        group_words=group_words,
        is_grouped=True,
        **column,
    )
