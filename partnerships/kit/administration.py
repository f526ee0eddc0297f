"""Base classes for pages of Django admin, with row history, read-only records and refusals of services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from partnerships.kit.row_history import row_history

#: Lookups that Django's list filters use.
_LOOKUPS = frozenset({"", "exact", "isnull", "isempty", "in", "gte", "lt", "year", "month", "day"})
#: Fields that a filter by a related record compares.
_KEY_FIELDS = frozenset({"id", "pk", "code"})

#: The key in `request.META` of a service's reason for refusing the form.
_REFUSAL = "common_ground.refusal"


#: A list in Django admin counts its rows, and has pages, up to this number. Counting 600,000 rows takes 30 ms.
MAX_COUNTED = 10_000


class _MoreThan(int):
    """A count that stopped at a limit, shown as “more than 10,000”."""

    def __str__(self) -> str:
        return f"more than {int(self):,}"


class CappedPaginator(Paginator[Any]):
    """The pages of a list in Django admin, up to 10,000 rows. People find other rows by search and filters."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, counted up to the limit."""
        rows: Any = self.object_list
        count = int(rows.order_by()[: MAX_COUNTED + 1].count())
        return _MoreThan(MAX_COUNTED) if count > MAX_COUNTED else count


class OfferedFilters:
    """A ModelAdmin that allows only the filters that its list offers.

    Django allows a filter by nearly any column, so an administrator could guess a hidden text character by character.
    """

    #: Rows of a page. Django's default of 100 takes three times as long to render.
    list_per_page = 25
    paginator = CappedPaginator

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Return whether the list offers this filter."""
        model_admin: Any = self
        offered_fields = {
            list_filter if isinstance(list_filter, str) else list_filter[0]
            for list_filter in model_admin.get_list_filter(request)
            if list_filter
        }
        if model_admin.date_hierarchy:
            offered_fields.add(model_admin.date_hierarchy)
        return any(_filters_by(lookup, field) for field in offered_fields if isinstance(field, str))


def _filters_by(lookup: str, field: str) -> bool:
    """Return whether a lookup filters by this field, such as `status__exact` or `owner__id__in`."""
    if lookup == field:
        return True
    prefix = f"{field}__"
    if not lookup.startswith(prefix):
        return False
    return all(part in _LOOKUPS | _KEY_FIELDS for part in lookup.removeprefix(prefix).split("__"))


class NamedValues(admin.AllValuesFieldListFilter):
    """A filter by the values of a column, with the label "Not given" for an empty value.

    Without a label, the link of the empty value would have no text.
    """

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the values, each with its label."""
        for choice in super().choices(changelist):
            is_empty = choice["display"] in ("", None)
            yield {**choice, "display": "Not given"} if is_empty else choice


class RowHistory:
    """A ModelAdmin whose history page shows the changes that database triggers recorded.

    Unlike Django's own history, it includes bulk updates and raw SQL.
    """

    #: Columns whose content only partners may read. The history shows that they changed, but not their values.
    restricted: tuple[str, ...] = ()

    def columns_without_values(self, request: HttpRequest, record: Any) -> set[str]:
        """Return the columns whose values the history does not show.

        These are the `restricted` columns, and the columns that no other admin page shows.
        """
        model_admin: Any = self
        visible_columns = {
            *flatten_fieldsets(model_admin.get_fieldsets(request, record)),
            *model_admin.get_list_display(request),
        }
        hidden_columns = {field.name for field in record._meta.concrete_fields if field.name not in visible_columns}
        return (hidden_columns | set(self.restricted)) - {record._meta.pk.name}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the changes of the row, the newest first, with who made each change, when, from where and why."""
        model_admin: Any = self
        record = model_admin.get_object(request, object_id)
        if record is None:
            raise Http404
        if not model_admin.has_view_or_change_permission(request, record):
            raise PermissionDenied
        context = {
            **model_admin.admin_site.each_context(request),
            "title": f"History of {record}",
            "record": record,
            "opts": model_admin.opts,
            "changes": row_history(record, restricted=self.columns_without_values(request, record)),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/row_history.html", context)


class _IdsOnlySelect(AutocompleteSelect):
    """Django's autocomplete select, which ignores values that cannot be ids when it shows the form again."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """Return the chosen options, without values that PostgreSQL would refuse as ids (more than 18 digits)."""
        ids = [item for item in value if str(item).isdecimal() and len(str(item)) <= 18]
        return super().optgroups(name, ids, attr)


class AutocompleteMixin:
    """A ModelAdmin that shows an invalid value of an autocomplete field as an error of the form.

    Without this class, the value would cause a database error and the response 500.
    """

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the form field. An autocomplete field gets a widget that ignores invalid ids."""
        model_admin: Any = self
        if db_field.name in model_admin.get_autocomplete_fields(request):
            kwargs.setdefault("widget", _IdsOnlySelect(db_field, model_admin.admin_site))
        parent: Any = super()
        return parent.formfield_for_foreignkey(db_field, request, **kwargs)


class ShowsRefusals:
    """A ModelAdmin that saves through a service and shows the service's refusal as an error of the form.

    A service refuses by raising one of `refusals`, and nothing is saved. `save_model` would catch the exception too
    late: Django would go on to say that the record was changed.
    """

    refusals: tuple[type[Exception], ...] = ()

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show or save the form. After a refusal, show the same form again with the reason."""
        parent: Any = super()
        try:
            return parent.changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]  # ModelAdmin's
        except self.refusals as error:
            request.META[_REFUSAL] = str(error)
            return parent.changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]  # ModelAdmin's

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the form class. After a refusal, its `clean` adds the reason as an error."""
        parent: Any = super()
        form_class: Any = parent.get_form(request, *args, **kwargs)
        refusal = request.META.get(_REFUSAL)
        if not refusal:
            return form_class

        def clean(form: Any) -> Any:
            form.add_error(None, refusal)
            return form_class.clean(form)

        return type(form_class.__name__, (form_class,), {"clean": clean})


class NothingAdded:
    """A ModelAdmin without an "Add" page, because only services add rows."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for everybody."""
        return False


class NothingDeleted:
    """A ModelAdmin without deletion, because rows are ended or retired instead."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for everybody."""
        return False


class ReadOnly(NothingAdded, NothingDeleted):
    """A ModelAdmin that only shows rows, because only services change them."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False for everybody."""
        return False


class VocabularyAdmin(RowHistory, NothingDeleted, admin.ModelAdmin[Any]):
    """The admin pages of a `Vocabulary`. The code of a saved word cannot be changed."""

    list_display: tuple[str, ...] = ("label", "code", "position", "active")
    list_editable = ("position",)
    list_filter = ("active",)
    search_fields = ("label", "code")
    ordering = ("position", "label", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return the usual read-only fields, and the code of a saved word, because records are stored with the code."""
        return [*self.readonly_fields, *(["code"] if obj else [])]


class ReadOnlyAdmin(RowHistory, ReadOnly, admin.ModelAdmin[Any]):
    """The admin pages of records that nobody can change there."""


class ReadOnlyInline(ReadOnly, admin.TabularInline[Any, Any]):
    """A table of rows below a record, which nobody can change there."""

    extra = 0
    show_change_link = False
