"""Addresses of accounts are allauth's own, although the views of second factors are read late."""

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
    """Every address that has a name, with its view. allauth has four without: they lead on from where its own pages
    were before this site was."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from named(one.url_patterns, before + str(one.pattern))
        elif one.name:
            yield (before + str(one.pattern), one.name), one.callback


def view_behind(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view that one read late stands for; any other is its own."""
    if view.__module__ != "partnerships.kit.late":
        return view
    late = getclosurevars(view).nonlocals
    found: Callable[..., Any] = getattr(late["views"], late["function"])
    return found


# The one address this site adds: it stands before allauth's own, to send people to the organisation's sign-in.
ADDED = {("oidc/<str:provider_id>/login/", "openid_connect_login"): to_organisation_sign_in}


def test_accounts_have_the_addresses_and_views_of_allauth() -> None:
    ours = dict(named(accounts.urlpatterns))
    theirs = dict(named(allauth.urls.urlpatterns))

    assert {address: view_behind(view) for address, view in ours.items()} == theirs | ADDED


def test_a_view_that_is_read_late_asks_for_sign_in_exactly_where_it_asks_itself() -> None:
    ours = dict(named(accounts.urlpatterns))
    theirs = dict(named(allauth.urls.urlpatterns))

    def asked(view: Callable[..., Any]) -> tuple[bool, bool]:
        return getattr(view, "login_required", True), getattr(view, "csrf_exempt", False)

    assert {address: asked(view) for address, view in ours.items()} == {
        address: asked(view) for address, view in (theirs | ADDED).items()
    }
