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
from partnerships.organisations.forms import CorrectionForm
from partnerships.organisations.models import Area, AreaServed, NameKind, OrganisationName
from partnerships.organisations.services import (
    UnableToCorrect,
    correct_area,
    correct_area_served,
    correct_name,
)
from partnerships.organisations.services.corrections import PRESENT_NAMES
from partnerships.people.models import User

#: The kinds of name that are corrected here. Present names are corrected on the organisation's own admin page.
_CORRECTABLE = [(kind.value, kind.label) for kind in NameKind if kind not in PRESENT_NAMES]


class NameForm(CorrectionForm):
    """The form to correct a name, other than the present official and short names."""

    kind = forms.ChoiceField(choices=_CORRECTABLE)

    class Meta:
        model = OrganisationName
        fields = ("name", "kind", "valid_from", "valid_to")


class AreaServedForm(CorrectionForm):
    """The form to correct which area an organisation serves, and when."""

    class Meta:
        model = AreaServed
        fields = ("area", "starts_on", "ends_on", "source")


class AreaForm(CorrectionForm):
    """The form to correct an area. The code of an area never changes."""

    class Meta:
        model = Area
        fields = ("name", "kind", "parent", "region", "valid_from", "valid_to")


class CorrectionAdmin(
    ShowsRefusals, AutocompleteMixin, RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Any]
):
    """Base class of admin pages whose rows are corrected through a service, and never added or deleted."""

    refusals = (UnableToCorrect,)
    show_full_result_count = False

    def correct(self, row: Any, reason: str, author: User, now: dt.datetime, fields: Mapping[str, Any]) -> None:
        """Correct the row through its own service. Subclasses must implement this."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Save the correction through the service, starting from the stored row."""
        assert isinstance(request.user, User)
        fields = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        stored_row = type(obj)._default_manager.get(pk=obj.pk)
        self.correct(stored_row, form.cleaned_data["reason"], request.user, timezone.now(), fields)


@admin.register(OrganisationName)
class NameAdmin(CorrectionAdmin):
    """Admin page of the names by which people find organisations."""

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
        """Return False for present official and short names, which are corrected on the organisation's admin page."""
        return super().has_change_permission(request, obj) and (obj is None or obj.kind not in PRESENT_NAMES)


@admin.register(AreaServed)
class AreaServedAdmin(CorrectionAdmin):
    """Admin page of the areas that organisations serve."""

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
    """Admin page of areas, which are identified by their code."""

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
