"""`manage.py show_urls`: every route, its name, and who may use it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, TypedDict

from django.core.management.base import BaseCommand
from django.urls import URLPattern, URLResolver, get_resolver


class Route(TypedDict):
    """One URL: its pattern, its name with namespaces, who may open it, and a sentence about the page."""

    route: str
    name: str
    who: str
    says: str


def _who(name: str, view: Any) -> str:
    """Return who may open a page, in words."""
    if name.startswith("admin:"):
        return "network administrators"
    if not getattr(view, "login_required", True):
        return "anyone"
    return "signed in; what they see starts from visible_to"


def _routes(resolver: URLResolver, prefix: str = "", namespace: str = "") -> Iterator[Route]:
    """Yield the routes of a resolver and of all resolvers below it."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner_namespace = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _routes(pattern, prefix + str(pattern.pattern), inner_namespace)
        elif isinstance(pattern, URLPattern):
            name = f"{namespace}{pattern.name or ''}"
            first_line = (getattr(pattern.callback, "__doc__", None) or "").strip().partition("\n")[0]
            yield Route(
                route="/" + prefix + str(pattern.pattern),
                name=name,
                who=_who(name, pattern.callback),
                says=first_line,
            )


class Command(BaseCommand):
    """List every route of the site."""

    help = "List every route with its name and who may use it. With --json, as one JSON array of objects."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add `--json`."""
        parser.add_argument("--json", action="store_true", help="Print one JSON array instead of a table.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each route, sorted by its pattern."""
        routes = sorted(_routes(get_resolver()), key=lambda route: (route["route"], route["name"]))
        if options["json"]:
            self.stdout.write(json.dumps(routes, indent=2))
            return
        width = max(len(route["route"]) for route in routes)
        for route in routes:
            self.stdout.write(f"{route['route']:<{width}}  {route['name']:<40}  {route['who']}")
        self.stdout.write(f"{len(routes)} routes.")
