"""Account URLs match allauth's, although some views are imported late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import getclosurevars
from typing import Any

import allauth.urls
from django.urls import URLPattern, URLResolver
from django.views import View

from housing import accounts
from partnerships.people.views import to_organisation_sign_in

Address = tuple[str, str]


def named_views(
    patterns: list[URLPattern | URLResolver], prefix: str = ""
) -> Iterator[tuple[Address, Callable[..., Any]]]:
    """Yield every named URL with its view.

    allauth has four URLs without a name, which redirect from older addresses of its pages.
    """
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named_views(pattern.url_patterns, prefix + str(pattern.pattern))
        elif pattern.name:
            yield (prefix + str(pattern.pattern), pattern.name), pattern.callback


def view_behind(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view that a late import replaces; other views are returned unchanged."""
    if view.__module__ != "partnerships.kit.late":
        return view
    late = getclosurevars(view).nonlocals
    imported_view: Callable[..., Any] = late["around"](getattr(late["module"], late["function_name"]))
    return imported_view


def is_in_one_transaction(view: Callable[..., Any]) -> bool:
    """Return whether a view makes its change and records its alert in one transaction."""
    return getattr(view_behind(view), "view_class", View).__module__ == "partnerships.people.account_changes"


def allauth_view(view: Callable[..., Any]) -> Any:
    """Return the class of a view as allauth wrote it, or the view itself if it has no class."""
    original_view = view_behind(view)
    return (
        original_view.view_class.__bases__[1]
        if is_in_one_transaction(view)
        else getattr(original_view, "view_class", original_view)
    )


# The only added URL comes before allauth's, and redirects people to their organisation's sign-in.
ADDED = {("oidc/<str:provider_id>/login/", "openid_connect_login"): to_organisation_sign_in}


def test_account_urls_and_views_match_allauth() -> None:
    our_views = dict(named_views(accounts.urlpatterns))
    allauth_views = dict(named_views(allauth.urls.urlpatterns)) | ADDED

    ours = {address: allauth_view(view) for address, view in our_views.items()}

    allauths = {address: getattr(view, "view_class", view) for address, view in allauth_views.items()}
    assert ours == allauths


def test_every_account_form_is_saved_in_one_transaction_with_its_alert() -> None:
    names_in_one_transaction = {
        name for (_, name), view in named_views(accounts.urlpatterns) if is_in_one_transaction(view)
    }

    names_with_form = {name for (_, name), view in named_views(allauth.urls.urlpatterns) if takes_a_form(view)}
    assert names_in_one_transaction == names_with_form | {"account_confirm_email"}


def takes_a_form(view: Callable[..., Any]) -> bool:
    """Return whether a view of allauth saves a form."""
    return hasattr(getattr(view, "view_class", None), "form_valid")


def requirements(view: Callable[..., Any]) -> tuple[bool, bool]:
    """Return whether a view requires a sign-in, and whether it goes without the token against forged forms."""
    return getattr(view, "login_required", True), getattr(view, "csrf_exempt", False)


def test_late_imported_views_require_sign_in_where_the_original_does() -> None:
    our_views = dict(named_views(accounts.urlpatterns))
    allauth_views = dict(named_views(allauth.urls.urlpatterns)) | ADDED

    ours = {address: requirements(view) for address, view in our_views.items()}

    allauths = {address: requirements(view) for address, view in allauth_views.items()}
    assert ours == allauths
