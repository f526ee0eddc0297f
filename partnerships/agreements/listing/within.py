"""The partnership that a row belongs to, as a filter and a column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.db.models import Case, F, When
from django.http import QueryDict

from partnerships.agreements.models import Partnership
from partnerships.agreements.queries import inside_among
from partnerships.kit.forms import Form
from partnerships.kit.lists import Column, Key, RecordField
from partnerships.people.models import User


class WithinForm(Form):
    """Filters by words, by partnership, and by whose it is."""

    q = forms.CharField(required=False, max_length=200)
    partnership = RecordField(
        label="Partnership", required=False, queryset=Partnership.objects.none(), empty_label="Any partnership"
    )
    mine = forms.BooleanField(label="Only of my organisations", required=False)

    def __init__(self, parameters: QueryDict, *, user: User, words: str) -> None:
        super().__init__(parameters)
        self.fields["q"].label = words
        field = self.fields["partnership"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Partnership.objects.inside_for(user).order_by("title", "pk")


def _key(path: str) -> Key:
    """Titles for readers inside of the partnership today; others may know only an earlier one."""
    return lambda user: Case(
        When(
            **{f"{path}__in": Partnership.objects.inside_for(user).values("pk")},
            then=F(f"{path}__title"),
        )
    )


def partnership_column(path: str, of: Callable[[Any], Partnership | None]) -> Column:
    """The column of a row's partnership, which is at `path` of its fields."""

    def ready(user: User, rows: Sequence[Any]) -> None:
        known = inside_among(user, [one.pk for row in rows if (one := of(row)) is not None])
        for row in rows:
            one = of(row)
            row.known_partnership = one if one is not None and one.pk in known else None

    return Column(
        name="partnership",
        label="Partnership",
        value=lambda row: row.known_partnership.title if row.known_partnership else None,
        key=_key(path),
        href=lambda row: row.known_partnership.get_absolute_url(),
        ready=ready,
        is_grouped=True,
    )
