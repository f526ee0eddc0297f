"""Admin pages for kinds of partnership, and for the fields, tables and checks of their terms.

docs/rights.md says who may use them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from partnerships.agreements.models import KindCheck, KindField, KindTable, PartnershipKind, StarterClause
from partnerships.agreements.terms.declarations import SHAPES, FieldDeclaration
from partnerships.kit.administration import NothingAdded, NothingDeleted, RowHistory, VocabularyAdmin


class FixedCodeForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """A form on which the code of a saved row cannot change, because terms are stored under this code."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "code" in self.fields:
            self.fields["code"].disabled = True


_SMALL_TEXT_AREAS: dict[type[models.Field[Any, Any]], dict[str, Any]] = {
    models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 60})}
}


class DeclaredInline(NothingDeleted, admin.StackedInline[Any, Any]):
    """Rows of a kind that administrators can retire but not delete."""

    form = FixedCodeForm
    extra = 0
    show_change_link = True
    ordering = ("position", "pk")
    formfield_overrides = _SMALL_TEXT_AREAS


class FieldInline(DeclaredInline):
    """The fields of a kind."""

    model = KindField
    fields: ClassVar[tuple[Any, ...]] = (
        ("label", "code", "shape"),
        "help",
        "choices",
        "starter",
        ("position", "required", "active"),
    )
    verbose_name = "field"
    verbose_name_plural = "fields, in addition to those that all terms have"


class ColumnInline(FieldInline):
    """The columns of a table. A column has no starting text."""

    fields = (("label", "code", "shape"), "help", "choices", ("position", "required", "active"))
    verbose_name = "column"
    verbose_name_plural = "columns (the first one names the row)"


class TableInline(DeclaredInline):
    """The tables of a kind. The columns of a table are on the table's own page."""

    model = KindTable
    fields = (("label", "code", "one"), "help", ("position", "required", "active"))
    verbose_name = "table"
    verbose_name_plural = "tables (save, then choose Change to edit the columns)"


class CheckInline(DeclaredInline):
    """The checks of a kind."""

    model = KindCheck
    fields = ("check_name", ("table", "field", "other"), ("position", "active"))
    verbose_name = "check"
    verbose_name_plural = "checks that terms must pass before they can be signed"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only the tables of this kind."""
        if db_field.name == "table":
            kind_id = request.resolver_match.kwargs.get("object_id") if request.resolver_match else None
            tables = KindTable.objects.order_by("position", "pk")
            kwargs["queryset"] = tables.filter(kind=kind_id) if kind_id and kind_id.isdecimal() else tables.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class StarterClauseInline(DeclaredInline):
    """The clauses that first terms begin with."""

    model = StarterClause
    fields = ("title", "body", ("position", "active"))


@admin.register(PartnershipKind)
class PartnershipKindAdmin(VocabularyAdmin):
    """Kinds of partnership. Administrators can retire a kind but not delete it."""

    fields = (
        ("label", "code"),
        "purpose",
        ("position", "active"),
        "requires_review_date",
        ("notice_days", "reminder_days"),
        "needs_data_sharing",
        "gives_data_sharing",
        "see_form",
    )
    readonly_fields = ("see_form",)
    list_display = ("label", "code", "purpose", "position", "active")
    inlines = (FieldInline, TableInline, CheckInline, StarterClauseInline)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        """Return no inlines before the kind is saved, because a check refers to saved fields and tables."""
        return self.inlines if obj else ()

    @admin.display(description="form")
    def see_form(self, kind: PartnershipKind) -> str:
        """Return a link to a preview of the form that partners fill in."""
        if not kind.pk:
            return "Save the kind first. You can then see its form here."
        return format_html('<a href="{}">Preview the form</a>', reverse("admin:kind_preview", args=[kind.pk]))

    def get_urls(self) -> list[Any]:
        """Add the address of the preview."""
        preview = path("<int:pk>/preview/", self.admin_site.admin_view(self.preview), name="kind_preview")
        return [preview, *super().get_urls()]

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the fields that partners fill in, in the order of the form and of the printed terms."""
        kind = get_object_or_404(PartnershipKind.rows_to_cache(), pk=pk)
        if not self.has_view_permission(request, kind):
            raise PermissionDenied
        declarations = kind.declarations
        context = {
            **self.admin_site.each_context(request),
            "title": f"Terms: {kind.label}",
            "opts": self.opts,
            "kind": kind,
            "about": _with_shape_labels(declarations["about"]),
            "tables": [{**table, "fields": _with_shape_labels(table["fields"])} for table in declarations["tables"]],
        }
        return TemplateResponse(request, "admin/agreements/kind_preview.html", context)


def _with_shape_labels(fields: list[FieldDeclaration]) -> list[dict[str, Any]]:
    """Return the fields, each with the label of its shape, for example "A line of text", as `shape_label`."""
    return [{**field, "shape_label": SHAPES.get(field["shape"], "")} for field in fields]


class DeclaredAdmin(RowHistory, NothingAdded, NothingDeleted, admin.ModelAdmin[Any]):
    """The page of one field, table, check or starter clause. New rows are added on the page of their kind."""

    form = FixedCodeForm
    list_filter: ClassVar[tuple[str, ...]] = ("active",)
    ordering = ("kind__position", "position", "pk")
    formfield_overrides = _SMALL_TEXT_AREAS

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Return to the page of the kind or, from a column, to the page of its table."""
        response = super().response_change(request, obj)
        if response.status_code == 302 and not {"_continue", "_popup"} & request.POST.keys():
            # A column has a table but no kind; a check has both.
            table = getattr(obj, "table", None) if obj.kind is None else None
            model_name, pk = ("kindtable", table.pk) if table else ("partnershipkind", obj.kind.pk)
            return redirect(f"admin:agreements_{model_name}_change", pk)
        return response

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Make the kind and the table read-only, because a row never moves to another."""
        return [name for name in ("kind", "table") if name in {field.name for field in self.opts.fields}]


@admin.register(KindField)
class KindFieldAdmin(DeclaredAdmin):
    """Fields of all kinds, and columns of all tables."""

    fields = (("kind", "table"), *FieldInline.fields)
    list_display = ("label", "code", "kind", "table", "shape", "required", "active")
    list_filter = ("active", "kind", "shape")
    list_select_related = ("table",)
    search_fields = ("label", "code")


@admin.register(KindTable)
class KindTableAdmin(DeclaredAdmin):
    """Tables of all kinds, with their columns."""

    fields = ("kind", *TableInline.fields)
    list_display = ("label", "code", "kind", "required", "active")
    list_filter = ("active", "kind")
    search_fields = ("label", "code")
    inlines = (ColumnInline,)


@admin.register(KindCheck)
class KindCheckAdmin(DeclaredAdmin):
    """Checks of all kinds."""

    fields = ("kind", *CheckInline.fields)
    list_display = ("check_name", "kind", "table", "field", "other", "active")
    list_filter = ("active", "kind")
    list_select_related = ("table",)


@admin.register(StarterClause)
class StarterClauseAdmin(DeclaredAdmin):
    """Starter clauses of all kinds."""

    fields = ("kind", *StarterClauseInline.fields)
    list_display = ("title", "kind", "position", "active")
    list_filter = ("active", "kind")
    search_fields = ("title", "body")
