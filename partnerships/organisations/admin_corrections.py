"""Admin pages on which names, areas served and areas are corrected with a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from partnerships.kit.administration import (
    AutocompleteMixin,
    NothingAdded,
    NothingDeleted,
    RowHistory,
    ShowsRefusals,
)
from partnerships.organisations.forms import ReasonedForm
from partnerships.organisations.models import Area, AreaServed, NameKind, OrganisationName
from partnerships.organisations.services import (
    UnableToCorrect,
    correct_area,
    correct_area_served,
    correct_name,
)
from partnerships.organisations.services.corrections import PRESENT_NAMES
from partnerships.people.models import User

#: Names that administrators correct here; the present ones are corrected on the organisation's own page.
_CORRECTABLE = [(kind.value, kind.label) for kind in NameKind if kind not in PRESENT_NAMES]


class NameForm(ReasonedForm):
    """A name other than the present official and short ones."""

    kind = forms.ChoiceField(choices=_CORRECTABLE)

    class Meta:
        model = OrganisationName
        fields = ("name", "kind", "valid_from", "valid_to")


class AreaServedForm(ReasonedForm):
    """Which area an organisation serves, and when."""

    class Meta:
        model = AreaServed
        fields = ("area", "starts_on", "ends_on", "source")


class AreaForm(ReasonedForm):
    """An area; its code is never changed."""

    class Meta:
        model = Area
        fields = ("name", "kind", "parent", "region", "valid_from", "valid_to")


class CorrectionAdmin(
    ShowsRefusals, AutocompleteMixin, RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Any]
):
    """Rows that are corrected through a service and never added or deleted here."""

    refusals = (UnableToCorrect,)
    show_full_result_count = False

    def correct(self, row: Any, reason: str, author: User, now: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Correct the row through the service of its kind."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Save through the service."""
        assert isinstance(request.user, User)
        fields = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        fresh = type(obj)._default_manager.get(pk=obj.pk)
        self.correct(fresh, form.cleaned_data["reason"], request.user, timezone.now(), fields)


@admin.register(OrganisationName)
class NameAdmin(CorrectionAdmin):
    """Names by which organisations are found."""

    form = NameForm
    list_display = ("name", "kind", "organisation", "valid_from", "valid_to")
    list_filter = ("kind", ("valid_to", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("name", "organisation__name")
    ordering = ("name", "pk")

    def correct(self, row: Any, reason: str, author: User, now: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Correct the name."""
        correct_name(row=row, reason=reason, author=author, now=now, **fields)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Present official and short names are corrected on the organisation's own page."""
        return super().has_change_permission(request, obj) and (obj is None or obj.kind not in PRESENT_NAMES)


@admin.register(AreaServed)
class AreaServedAdmin(CorrectionAdmin):
    """Which organisation serves which area."""

    form = AreaServedForm
    list_display = ("organisation", "area", "starts_on", "ends_on", "source")
    list_filter = ("area__kind", ("ends_on", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "area")
    search_fields = ("organisation__name", "area__name", "area__code")
    autocomplete_fields = ("area",)
    ordering = ("organisation__name", "area__name", "pk")

    def correct(self, row: Any, reason: str, author: User, now: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Correct the area served."""
        correct_area_served(served=row, reason=reason, author=author, now=now, **fields)


@admin.register(Area)
class AreaAdmin(CorrectionAdmin):
    """Areas by code."""

    form = AreaForm
    list_display = ("name", "code", "kind", "parent", "region", "valid_from", "valid_to")
    list_filter = ("kind", ("valid_to", admin.EmptyFieldListFilter))
    list_select_related = ("parent", "region")
    search_fields = ("name", "code")
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("parent", "region")
    ordering = ("name", "code")

    def correct(self, row: Any, reason: str, author: User, now: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Correct the area."""
        correct_area(area=row, reason=reason, author=author, now=now, **fields)
