"""Account URLs match allauth's, although some views are imported late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import getclosurevars
from typing import Any

import allauth.urls
from django.urls import URLPattern, URLResolver

from housing import accounts
from partnerships.people.views import to_organisation_sign_in

Address = tuple[str, str]


def named(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[Address, Callable[..., Any]]]:
    """Every named URL with its view.

    allauth has four without a name, which redirect from older addresses of its pages.
    """
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from named(pattern.url_patterns, before + str(pattern.pattern))
        elif pattern.name:
            yield (before + str(pattern.pattern), pattern.name), pattern.callback


def view_behind(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view that a late import stands for; other views unchanged."""
    if view.__module__ != "partnerships.kit.late":
        return view
    late = getclosurevars(view).nonlocals
    found: Callable[..., Any] = getattr(late["views"], late["function"])
    return found


# The one added URL comes before allauth's, and redirects people to their organisation's sign-in.
ADDED = {("oidc/<str:provider_id>/login/", "openid_connect_login"): to_organisation_sign_in}


def test_account_urls_and_views_match_allauth() -> None:
    ours = dict(named(accounts.urlpatterns))
    theirs = dict(named(allauth.urls.urlpatterns))

    assert {address: view_behind(view) for address, view in ours.items()} == theirs | ADDED


def test_late_imported_views_require_sign_in_where_the_original_does() -> None:
    ours = dict(named(accounts.urlpatterns))
    theirs = dict(named(allauth.urls.urlpatterns))

    def asked(view: Callable[..., Any]) -> tuple[bool, bool]:
        return getattr(view, "login_required", True), getattr(view, "csrf_exempt", False)

    assert {address: asked(view) for address, view in ours.items()} == {
        address: asked(view) for address, view in (theirs | ADDED).items()
    }
