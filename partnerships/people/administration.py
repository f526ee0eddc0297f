"""The Django admin site, entered only through the account's sign-in."""

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
    """Admin site for registers, accounts and the ledger."""

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the account's sign-in.

        Django's own form has no rate limits, second factors or own sign-in.
        """
        if not request.user.is_authenticated:
            return redirect_to_login(next_url(request, reverse("admin:index")))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]  # Django's answers with a template of its own
        """Redirect to the account's page.

        It asks for the present password, ends other sessions and writes to the security log.
        """
        return redirect("account_change_password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models; adds the filter rule and row history to each page.

        Every list accepts only the filters it offers, and every model with row history shows it.
        """
        base = admin_class or ModelAdmin
        if not issubclass(base, OfferedFilters):
            base = type(base.__name__, (OfferedFilters, base), {"__module__": base.__module__})
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for model in models:
            fitting = base
            if hasattr(model, "pgh_event_model") and not issubclass(base, RowHistory):
                fitting = type(base.__name__, (RowHistory, base), {"__module__": base.__module__})
            super().register(model, fitting, **options)
