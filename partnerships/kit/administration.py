"""What Django admin's pages share: records that only services may write, and row history shown as before and after."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from partnerships.kit.row_history import row_history


class RowHistory:
    """The History button shows what the database itself wrote down: also of bulk updates and raw SQL."""

    #: Columns whose content only partners may read: their changes are told without it.
    restricted: tuple[str, ...] = ()

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Each change of the row, newest first, with who, when, from where and why."""
        page: Any = self
        record = get_object_or_404(page.get_queryset(request), pk=object_id)
        if not page.has_view_or_change_permission(request, record):
            raise PermissionDenied
        context = {
            **page.admin_site.each_context(request),
            "title": f"History of {record}",
            "record": record,
            "opts": page.opts,
            "changes": row_history(record, restricted=self.restricted),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/row_history.html", context)


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
