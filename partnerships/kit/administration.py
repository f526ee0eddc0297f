"""Shared parts of Django admin: read-only records and row history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from partnerships.kit.row_history import row_history

#: Look-ups that list filters use.
_COMPARISONS = frozenset({"", "exact", "isnull", "isempty", "in", "gte", "lt", "year", "month", "day"})

#: Where a request keeps why a service refused what it sent.
_REFUSAL = "common_ground.refusal"


class OfferedFilters:
    """Allows only the filters that the list page offers.

    Others would reveal hidden text character by character.
    """

    #: Rows of a page. Django's hundred take three times as long to draw.
    list_per_page = 25

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the page offers this filter; Django would allow any column."""
        page: Any = self
        offered = {
            list_filter if isinstance(list_filter, str) else list_filter[0]
            for list_filter in page.get_list_filter(request)
            if list_filter
        }
        offered |= {page.date_hierarchy} if page.date_hierarchy else set()
        return any(
            lookup == name or (lookup.startswith(f"{name}__") and _is_comparison(lookup.removeprefix(f"{name}__")))
            for name in offered
            if isinstance(name, str)
        )


def _is_comparison(words: str) -> bool:
    """Whether this is a comparison, such as `exact`, `id__in` or `pk`."""
    return all(word in _COMPARISONS or word in {"id", "pk", "code"} for word in words.split("__"))


class NamedValues(admin.AllValuesFieldListFilter):
    """A filter by the values of a column. An empty value is shown as "Not given", because its link needs text."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The values, each with its words."""
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] if choice["display"] not in ("", None) else "Not given"}


class RowHistory:
    """History from database triggers, bulk updates and raw SQL included."""

    #: Columns with content that only partners may read: their changes are shown without values, like those of columns
    #: that the record's page leaves out.
    restricted: tuple[str, ...] = ()

    def told_without_content(self, request: HttpRequest, record: Any) -> set[str]:
        """Columns whose changes are shown without values."""
        page: Any = self
        shown = {*flatten_fieldsets(page.get_fieldsets(request, record)), *page.get_list_display(request)}
        hidden = {field.name for field in record._meta.concrete_fields if field.name not in shown}
        return (hidden | set(self.restricted)) - {record._meta.pk.name}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The changes of the row, newest first: who, when, from where and why."""
        page: Any = self
        record = page.get_object(request, object_id)
        if record is None:
            raise Http404
        if not page.has_view_or_change_permission(request, record):
            raise PermissionDenied
        context = {
            **page.admin_site.each_context(request),
            "title": f"History of {record}",
            "record": record,
            "opts": page.opts,
            "changes": row_history(record, restricted=self.told_without_content(request, record)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/row_history.html", context)


class _Found(AutocompleteSelect):
    """Shows the chosen records again; ignores values that are not ids."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """Without values that the database would refuse as ids."""
        return super().optgroups(name, [one for one in value if str(one).isdecimal() and len(str(one)) < 19], attr)


class AutocompleteMixin:
    """Autocomplete fields that refuse invalid values without an error page."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field, with a widget that shows a wrong choice again."""
        page: Any = self
        if db_field.name in page.get_autocomplete_fields(request):
            kwargs.setdefault("widget", _Found(db_field, page.admin_site))
        above: Any = super()
        return above.formfield_for_foreignkey(db_field, request, **kwargs)


class ShowsRefusals:
    """Forms that save through a service: its refusal is shown as an error of the form, and nothing is saved.

    Without this, Django would say that the record was changed.
    """

    #: What the services raise if they refuse.
    refusals: tuple[type[Exception], ...] = ()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; after a refusal the same form again, with the reason."""
        above: Any = super()
        try:
            return above.changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]  # ModelAdmin's
        except self.refusals as error:
            request.META[_REFUSAL] = str(error)
            return above.changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]  # ModelAdmin's

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; after a refusal one that is invalid for this reason."""
        above: Any = super()
        form: Any = above.get_form(request, *args, **kwargs)
        refusal = request.META.get(_REFUSAL)
        if not refusal:
            return form

        def clean(form_again: Any) -> Any:
            form_again.add_error(None, refusal)
            return form.clean(form_again)

        return type(form.__name__, (form,), {"clean": clean})


class NothingAdded:
    """Rows are added by services only."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class NothingDeleted:
    """Rows are ended, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class ReadOnly(NothingAdded, NothingDeleted):
    """Rows are changed by services only."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


class VocabularyAdmin(RowHistory, NothingDeleted, admin.ModelAdmin[Any]):
    """A list of words that administrators edit; the code of a saved word stays."""

    list_display: tuple[str, ...] = ("label", "code", "position", "active")
    list_editable = ("position",)
    list_filter = ("active",)
    search_fields = ("label", "code")
    ordering = ("position", "label", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The code too, once it is saved: records are stored with it."""
        return [*self.readonly_fields, *(["code"] if obj else [])]


class ReadOnlyAdmin(RowHistory, ReadOnly, admin.ModelAdmin[Any]):
    """A read-only list of records."""


class ReadOnlyInline(ReadOnly, admin.TabularInline[Any, Any]):
    """Read-only rows below a record."""

    extra = 0
    show_change_link = False
