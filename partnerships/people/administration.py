"""The Django admin site, which people can enter only through the account's sign-in page."""

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
from django.utils.text import capfirst, slugify
from django.views.decorators.http import require_http_methods

from partnerships.kit.addresses import page_address
from partnerships.kit.administration import OfferedFilters, RowHistory
from partnerships.kit.http import next_url

#: The groups of the index. Each contains rooms, or single models of a room, by their labels.
GROUPS = {
    "Directory": ("organisations",),
    "People and accounts": (
        "people",
        "account",
        "mfa",
        "usersessions",
        "socialaccount",
        "organisations.membership",
    ),
    "Partnerships and meetings": ("agreements", "conversations", "nominations", "recommendations", "surveys"),
    "Asks, offers and commitments": ("exchange", "commitments", "developer_agreements"),
    "Plans and comments": ("plans", "answers"),
    "Lists to choose from": (
        "agreements.kindcheck",
        "agreements.kindfield",
        "agreements.kindtable",
        "agreements.partnershipkind",
        "agreements.starterclause",
        "commitments.unit",
        "exchange.theme",
        "organisations.function",
        "plans.plankind",
        "plans.starterpart",
        "surveys.questionset",
    ),
    "Imports": ("transfer",),
    "Emails": ("digests", "outbox"),
    "Logs and retention": (
        "activity",
        "people.retentionrulestate",
        "people.retentionrun",
        "people.securityevent",
        "people.viewas",
    ),
}
#: The group of models that are in no other group.
OTHERS = "Other records"
_GROUP_OF = {label: name for name, labels in GROUPS.items() for label in labels}


class Administration(AdminSite):
    """The admin site of registers, accounts and the ledger of emails."""

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the account's sign-in page.

        Django's own form has no rate limits, second factors or sign-in through an organisation's own page.
        """
        if not request.user.is_authenticated:
            return redirect_to_login(next_url(request, reverse("admin:index")))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return the models grouped by purpose; on the page of one room, grouped as Django groups them."""
        if app_label is not None:
            rooms: list[Any] = super().get_app_list(request, app_label)
            return rooms
        groups: dict[str, list[Any]] = {name: [] for name in (*GROUPS, OTHERS)}
        for model, model_admin in self._registry.items():
            if entry := _index_entry(request, model._meta, model_admin):
                room = model._meta.app_label
                label = f"{room}.{model._meta.model_name}"
                groups[_GROUP_OF.get(label) or _GROUP_OF.get(room, OTHERS)].append(entry)
        index = reverse("admin:index")
        return [
            {
                "name": name,
                "app_label": slugify(name),
                "app_url": f"{index}#{slugify(name)}",
                "has_module_perms": True,
                "models": sorted(models, key=lambda model: str(model["name"])),
            }
            for name, models in groups.items()
            if models
        ]

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]  # Django's answers with a template of its own
        """Redirect to the account's own page for changing the password.

        That page requires the present password, ends other sessions and writes to the security log.
        """
        return redirect("account_change_password")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register models, and add the filter rule and row history to their pages.

        Each list accepts only the filters that it offers, and each model with row history shows this history.
        """
        base = admin_class or ModelAdmin
        if not issubclass(base, OfferedFilters):
            base = type(base.__name__, (OfferedFilters, base), {"__module__": base.__module__})
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else model_or_iterable
        for model in models:
            model_admin = base
            if hasattr(model, "pgh_event_model") and not issubclass(base, RowHistory):
                model_admin = type(base.__name__, (RowHistory, base), {"__module__": base.__module__})
            super().register(model, model_admin, **options)


def _index_entry(request: HttpRequest, options: Any, model_admin: ModelAdmin[Any]) -> dict[str, Any] | None:
    """Return the entry of a model in the index and the sidebar; None if the person may not see or add its records.

    The entry has the keys of Django's `AdminSite._build_app_dict`. We do not call Django's function, because looking up
    its 160 addresses takes a tenth of a page's time.
    """
    permissions = model_admin.get_model_perms(request)
    if not model_admin.has_module_permission(request) or not any(permissions.values()):
        return None
    may_see = permissions["view"] or permissions["change"]
    page_name = f"admin:{options.app_label}_{options.model_name}"
    return {
        "model": options.model,
        "name": capfirst(options.verbose_name_plural),
        "object_name": options.object_name,
        "perms": permissions,
        "view_only": not permissions["change"],
        "admin_url": page_address(f"{page_name}_changelist") if may_see else None,
        "add_url": page_address(f"{page_name}_add") if permissions["add"] else None,
    }
