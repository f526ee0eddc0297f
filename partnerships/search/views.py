"""The search page and its suggestions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.people.requests import signed_in
from partnerships.search.queries import Choice, Facet, search, suggest
from partnerships.search.queries.candidates import Narrowed
from partnerships.search.sources.every import KINDS


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Search results for the reader."""
    text = _typed(request)
    narrowed = _narrowed(request)
    found = search(user=signed_in(request), text=text, narrowed=narrowed, after=request.GET.get("after", ""))
    chosen = {name: value for name in _FACETS if (value := getattr(narrowed, name))}
    context = {
        "text": text,
        "found": found,
        "chosen": chosen,
        "after": request.GET.get("after", ""),
        "facets": _facets(found.facets, {"q": text, **chosen}),
        "all": f"?{urlencode({'q': text})}",
        "next": f"?{urlencode({'q': text, **chosen, 'after': found.next_after})}" if found.next_after else "",
        "first": f"?{urlencode({'q': text, **chosen})}" if request.GET.get("after") else "",
    }
    return render(request, "search/results.html", context)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """What the reader may mean.

    A part of a page, fetched while they type, or a page of its own.
    """
    text = _typed(request)
    context = {"text": text, "suggestions": suggest(user=signed_in(request), text=text)}
    template = "search/_suggestions.html" if getattr(request, "htmx", False) else "search/suggestions.html"
    return render(request, template, context)


_FACETS = ("kind", "partnership", "organisation", "year")


def _facets(facets: Sequence[Facet], asked: Mapping[str, object]) -> list[tuple[Facet, list[tuple[Choice, str]]]]:
    """Each facet with its choices, each with the address that chooses it or takes it back."""
    return [
        (
            facet,
            [
                (choice, _address(asked, facet.name, "" if choice.is_chosen else choice.value))
                for choice in facet.choices
            ],
        )
        for facet in facets
    ]


def _address(asked: Mapping[str, object], name: str, value: str) -> str:
    values = {**asked, name: value}
    return f"?{urlencode({key: parameter for key, parameter in values.items() if parameter})}"


def _typed(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()


def _narrowed(request: HttpRequest) -> Narrowed:
    """The facets in the address; unknown values are ignored."""
    kind = request.GET.get("kind", "")
    return Narrowed(
        kind=kind if kind in KINDS else "",
        partnership=_number(request, "partnership", 2**63),
        organisation=_number(request, "organisation", 2**63),
        year=_number(request, "year", 9_000),
    )


def _number(request: HttpRequest, name: str, below: int) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 20 and 0 < int(value) < below else None
