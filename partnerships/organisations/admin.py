"""Admin pages of the directory, which save every correction of register data through the services."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from django.template.defaultfilters import pluralize
from django.utils import timezone

from partnerships.kit.administration import (
    AutocompleteMixin,
    NamedValues,
    NothingDeleted,
    ReadOnlyAdmin,
    ReadOnlyInline,
    RowHistory,
    ShowsRefusals,
    VocabularyAdmin,
)
from partnerships.organisations import admin_corrections
from partnerships.organisations.forms import CorrectionForm, OrganisationAdminForm
from partnerships.organisations.lineage import with_ties
from partnerships.organisations.models import (
    Area,
    AreaKind,
    AreaServed,
    Function,
    Identifier,
    Membership,
    Organisation,
    OrganisationName,
    Role,
    Succession,
    SuccessionTie,
)
from partnerships.organisations.services import (
    UnableToAddIdentifier,
    UnableToCorrectIdentifier,
    UnableToCreateOrganisation,
    UnableToEndMembership,
    UnableToUpdateOrganisation,
    add_identifier,
    add_membership,
    correct_identifier,
    create_organisation,
    end_membership,
    mark_found,
    update_organisation,
)
from partnerships.people.models import User

__all__ = ["admin_corrections"]  # imported so that Django registers its pages too

_FIELDS = (
    "name",
    "short_name",
    "kind",
    "council_type",
    "designation",
    "legal_form",
    "status",
    "region",
    "parent",
    "website",
    "valid_from",
    "valid_to",
    "second_factor_required",
    "sign_in_provider",
    "own_sign_in_required",
)


class IdentifierInline(ReadOnlyInline):
    """The organisation's identifiers."""

    model = Identifier
    fields = ("scheme", "value", "valid_from", "valid_to")


class NameInline(ReadOnlyInline):
    """The organisation's names."""

    model = OrganisationName
    fields = ("name", "kind", "valid_from", "valid_to")


class AreaServedInline(ReadOnlyInline):
    """The areas that the organisation serves."""

    model = AreaServed
    fields = ("area", "starts_on", "ends_on", "source")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AreaServed]:
        """Return the rows with their areas, in one query."""
        return AreaServed.objects.select_related("area")


class RegionFilter(admin.RelatedFieldListFilter):
    """A filter by region. Django's own filter would list all areas, such as councils and counties."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the ids and names of the regions."""
        regions = Area.objects.filter(kind=AreaKind.REGION).order_by("name")
        return [(str(pk), name) for pk, name in regions.values_list("pk", "name")]


@admin.register(Organisation)
class OrganisationAdmin(ShowsRefusals, AutocompleteMixin, RowHistory, NothingDeleted, admin.ModelAdmin[Organisation]):
    """Admin page of organisations.

    Saves through the services, so that a search still finds former names and every change has an author.
    """

    form = OrganisationAdminForm
    refusals = (UnableToUpdateOrganisation, UnableToCreateOrganisation)
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ("name", "kind", "council_type", "designation", "status", "region", "missing_since")
    list_filter = (
        "kind",
        "status",
        "council_type",
        ("designation", NamedValues),
        ("missing_since", admin.EmptyFieldListFilter),
        ("region", RegionFilter),
    )
    list_select_related = ("region",)
    search_fields = ("name", "names__name", "identifiers__value")
    autocomplete_fields = ("region", "parent")
    ordering = ("name", "pk")
    show_full_result_count = False
    inlines = (IdentifierInline, NameInline, AreaServedInline)
    actions = ("mark_checked",)

    def get_fields(self, request: HttpRequest, obj: Organisation | None = None) -> tuple[str, ...]:
        """Return the fields, with `reason` for a correction and `is_another` for a new organisation."""
        return (*_FIELDS, "reason") if obj else (*_FIELDS, "is_another")

    def save_model(
        self, request: HttpRequest, obj: Organisation, form: forms.ModelForm[Organisation], change: bool
    ) -> None:
        """Save the organisation through the service.

        A correction starts from the stored organisation, because Django's form has changed `obj`.
        """
        assert isinstance(request.user, User)
        data = {name: form.cleaned_data[name] for name in _FIELDS}
        now = timezone.now()
        if change:
            stored_organisation = Organisation.objects.get(pk=obj.pk)
            reason = form.cleaned_data["reason"]
            update_organisation(organisation=stored_organisation, author=request.user, now=now, reason=reason, **data)
        else:
            # The form refuses this setting for a new organisation, which has no lead yet.
            data.pop("own_sign_in_required")
            obj.pk = create_organisation(author=request.user, now=now, **data).pk
            obj._state.adding = False

    @admin.action(description="Mark as checked: the organisation still exists")
    def mark_checked(self, request: HttpRequest, queryset: QuerySet[Organisation]) -> None:
        """Clear “not in the latest list” from the organisations that an administrator has checked."""
        assert isinstance(request.user, User)
        count = sum(
            mark_found(organisation=organisation, author=request.user, now=timezone.now()) for organisation in queryset
        )
        messages.info(
            request, f"{count} organisation{pluralize(count)} {pluralize(count, 'has,have')} been marked as checked."
        )


class IdentifierAdminForm(CorrectionForm):
    """The form for a new identifier or for a correction with a reason."""

    class Meta:
        model = Identifier
        fields = ("organisation", "scheme", "value", "valid_from", "valid_to")

    def clean(self) -> dict[str, Any]:
        """Check the dates, and that no other row has the identifier.

        Django does not check this, because the scheme is not on the change page.
        """
        data = super().clean() or {}
        scheme = data.get("scheme") or self.instance.scheme
        same_identifiers = Identifier.objects.filter(scheme=scheme, value=data.get("value", ""))
        same_identifier = same_identifiers.exclude(pk=self.instance.pk).select_related("organisation").first()
        if same_identifier is not None:
            self.add_error("value", f"{same_identifier} already belongs to {same_identifier.organisation.name}.")

        valid_from, valid_to = data.get("valid_from"), data.get("valid_to")
        if valid_from and valid_to and valid_to < valid_from:
            self.add_error("valid_to", "The end must be on or after the start. Correct one of the two dates.")
        return data


@admin.register(Identifier)
class IdentifierAdmin(ShowsRefusals, AutocompleteMixin, RowHistory, NothingDeleted, admin.ModelAdmin[Identifier]):
    """Admin page of identifiers, which administrators add and correct with a reason.

    Identifiers are never deleted, because lists and plans use them to refer to organisations.
    """

    form = IdentifierAdminForm
    refusals = (UnableToAddIdentifier, UnableToCorrectIdentifier)
    list_display = ("value", "scheme", "organisation", "valid_from", "valid_to")
    list_filter = ("scheme", ("valid_to", admin.EmptyFieldListFilter))
    list_select_related = ("organisation",)
    search_fields = ("value", "organisation__name")
    autocomplete_fields = ("organisation",)
    ordering = ("scheme", "value", "pk")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Identifier | None = None) -> tuple[str, ...]:
        """Make the scheme of an existing identifier read-only.

        The same value in another scheme would be a different identifier.
        """
        return ("scheme",) if obj else ()

    def save_model(
        self, request: HttpRequest, obj: Identifier, form: forms.ModelForm[Identifier], change: bool
    ) -> None:
        """Save the identifier through the service."""
        assert isinstance(request.user, User)
        data = {name: value for name, value in form.cleaned_data.items() if name != "reason"}
        reason = form.cleaned_data["reason"]
        if change:
            stored_identifier = Identifier.objects.get(pk=obj.pk)
            correct_identifier(
                identifier=stored_identifier, reason=reason, author=request.user, now=timezone.now(), **data
            )
        else:
            identifier = add_identifier(reason=reason, author=request.user, now=timezone.now(), **data)
            obj.pk = identifier.pk
            obj._state.adding = False


@admin.register(Function)
class FunctionAdmin(VocabularyAdmin):
    """The functions for which bodies are responsible."""


class TieInline(ReadOnlyInline):
    """Predecessors and successors in a succession."""

    model = SuccessionTie
    fields = ("predecessor", "successor", "role", "function", "share", "geography")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SuccessionTie]:
        """Return the ties with their organisations, in one query."""
        return SuccessionTie.objects.select_related("predecessor", "successor")


@admin.register(Succession)
class SuccessionAdmin(ReadOnlyAdmin):
    """Admin page of successions, read-only. They are changed on the pages about successions."""

    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    list_display = ("kind", "status", "vests_on", "before", "after", "instrument", "source")
    list_filter = ("kind", "status")
    search_fields = ("ties__predecessor__name", "ties__successor__name", "instrument", "place")
    ordering = ("-vests_on", "-pk")
    inlines = (TieInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Succession]:
        """Return successions with their ties, in two more queries."""
        return with_ties(Succession.objects.all())

    @admin.display(description="Predecessors")
    def before(self, succession: Succession) -> str:
        """Return the names of the predecessors."""
        return ", ".join(sorted({tie.predecessor.name for tie in succession.ties.all()}))

    @admin.display(description="Successors")
    def after(self, succession: Succession) -> str:
        """Return the names of the successors."""
        return ", ".join(sorted({tie.successor.name for tie in succession.ties.all() if tie.successor}))


class MembershipAdminForm(forms.ModelForm[Membership]):
    """The form for a new membership. Afterwards only the role can change."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="We email this reason to the person and to the organisation’s leads.",
    )

    class Meta:
        model = Membership
        fields = ("person", "organisation", "role", "job_title")

    def clean(self) -> dict[str, Any]:
        """Refuse a second membership, and administrators as members."""
        data = super().clean() or {}
        person, organisation = data.get("person"), data.get("organisation")
        if person and person.is_staff:
            raise forms.ValidationError("Administrators cannot act for an organisation. Choose another person.")
        same_memberships = Membership.objects.filter(person=person, organisation=organisation, ends_on=None)
        if person and organisation and same_memberships.exists():
            raise forms.ValidationError("This person already acts for this organisation. Change their role instead.")
        return data


@admin.register(Membership)
class MembershipAdmin(AutocompleteMixin, RowHistory, NothingDeleted, admin.ModelAdmin[Membership]):
    """Admin page of memberships, which are added and ended through the services."""

    form = MembershipAdminForm
    list_display = ("person", "organisation", "role", "job_title", "starts_on", "ends_on", "accepted_at")
    list_filter = (
        "role",
        ("ends_on", admin.EmptyFieldListFilter),
        ("accepted_at", admin.EmptyFieldListFilter),
        "organisation__kind",
    )
    list_select_related = ("person", "organisation")
    search_fields = ("person__email", "person__name", "organisation__name")
    autocomplete_fields = ("person", "organisation")
    ordering = ("organisation__name", "person__name", "pk")
    actions = ("end_selected_memberships",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, because roles are changed on the organisation's page, which protects the last lead."""
        return False

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        """Add the membership through the service."""
        assert isinstance(request.user, User)
        data = form.cleaned_data
        membership = add_membership(
            organisation=data["organisation"],
            person=data["person"],
            role=data["role"],
            job_title=data["job_title"],
            reason=data["reason"],
            author=request.user,
            now=timezone.now(),
        )
        obj.pk = membership.pk
        obj._state.adding = False

    @admin.action(description="End these memberships")
    def end_selected_memberships(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        """End the selected memberships."""
        assert isinstance(request.user, User)
        for membership in queryset.filter(ends_on=None).select_related("person", "organisation"):
            try:
                end_membership(
                    membership=membership,
                    author=request.user,
                    reason="Ended by an administrator.",
                    now=timezone.now(),
                )
            except UnableToEndMembership as error:
                messages.warning(request, f"{membership.person}: {error}")
            else:
                warning = " Check that the organisation still has a lead." if membership.role == Role.LEAD else ""
                messages.info(request, f"{membership.person} no longer acts for {membership.organisation}.{warning}")
