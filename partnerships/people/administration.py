"""The site of Django admin: entered through the account alone, and its lists answer only what their pages ask."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from partnerships.kit.administration import OfferedFilters, RowHistory
from partnerships.kit.http import next_url


class Administration(AdminSite):
    """Where administrators look after registers, accounts and the ledger."""

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Never Django's own form: it knows neither rate limits nor second factors nor an organisation's own
        sign-in."""
        if not request.user.is_authenticated:
            return redirect_to_login(next_url(request, reverse("admin:index")))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]  # Django's answers with a template of its own
        """On the account's own page, which asks who is there, ends other sessions and writes it down."""
        return redirect("account_change_password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Whoever writes a room's pages, or a package's: every list gets the rule about filters, and every record
        whose table has row history shows it."""
        base = admin_class or ModelAdmin
        if not issubclass(base, OfferedFilters):
            base = type(base.__name__, (OfferedFilters, base), {"__module__": base.__module__})
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for model in models:
            fitting = base
            if hasattr(model, "pgh_event_model") and not issubclass(base, RowHistory):
                fitting = type(base.__name__, (RowHistory, base), {"__module__": base.__module__})
            super().register(model, fitting, **options)
