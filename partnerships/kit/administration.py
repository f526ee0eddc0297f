"""What Django admin's pages share: records that only services may write, and row history shown as before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from partnerships.kit.row_history import row_history

#: What the filters that a list offers ask.
_COMPARISONS = frozenset({"", "exact", "isnull", "isempty", "in", "gte", "lt", "year", "month", "day"})


class OfferedFilters:
    """A list is filtered by what its page offers: others would answer questions about hidden text, letter by letter."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Whether the page itself offers this filter; Django would allow any column of the record."""
        page: Any = self
        offered = {one if isinstance(one, str) else one[0] for one in page.get_list_filter(request) if one}
        offered |= {page.date_hierarchy} if page.date_hierarchy else set()
        return any(
            lookup == name or (lookup.startswith(f"{name}__") and _is_comparison(lookup.removeprefix(f"{name}__")))
            for name in offered
            if isinstance(name, str)
        )


def _is_comparison(words: str) -> bool:
    """Whether this is all that follows a field: a foreign key's own number may come first."""
    return all(word in _COMPARISONS or word in {"id", "pk", "code"} for word in words.split("__"))


class RowHistory:
    """The History button shows what the database itself wrote down: also of bulk updates and raw SQL."""

    #: Columns whose content only partners may read: their changes are told without it, as are those of columns that
    #: the record's own page does not show.
    restricted: tuple[str, ...] = ()

    def told_without_content(self, request: HttpRequest, record: Any) -> set[str]:
        """Columns of which the history says only that they changed."""
        page: Any = self
        shown = {*flatten_fieldsets(page.get_fieldsets(request, record)), *page.get_list_display(request)}
        hidden = {field.name for field in record._meta.concrete_fields if field.name not in shown}
        return (hidden | set(self.restricted)) - {record._meta.pk.name}

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Each change of the row, newest first, with who, when, from where and why."""
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
    """Shows again what was chosen; what is no number of a record was not."""

    def optgroups(self, name: str, value: Sequence[str], attr: dict[str, Any] | None = None) -> Any:
        """Without what the database would not take for a number."""
        return super().optgroups(name, [one for one in value if str(one).isdecimal() and len(str(one)) < 19], attr)


class AutocompleteMixin:
    """Records that one finds as one types (`autocomplete_fields`): anything else that is sent is refused, no error."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The field, with a widget that shows a wrong choice again."""
        page: Any = self
        if db_field.name in page.get_autocomplete_fields(request):
            kwargs.setdefault("widget", _Found(db_field, page.admin_site))
        above: Any = super()
        return above.formfield_for_foreignkey(db_field, request, **kwargs)


class NothingAdded:
    """Rows come from services alone."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class NothingDeleted:
    """Rows are ended, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class ReadOnly(NothingAdded, NothingDeleted):
    """To look at, not to change: the services own the truth."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyAdmin(RowHistory, ReadOnly, admin.ModelAdmin[Any]):
    """A register to look at."""


class ReadOnlyInline(ReadOnly, admin.TabularInline[Any, Any]):
    """Rows below a record, to look at."""

    extra = 0
    show_change_link = False
