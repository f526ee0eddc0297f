"""Answers with candidates and properties, and the manifests."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone

from partnerships.reconciliation.presenting import DRAFT, OLD, candidate, fetched, fetched_meta, manifest
from partnerships.reconciliation.queries import Lineage, bodies_of, find, kept_ids, lineage_of
from partnerships.reconciliation.questions import Question
from partnerships.reconciliation.reading import (
    Fetch,
    UnableToRead,
    Wanted,
    read_fetch,
    read_json,
    read_match,
    read_queries,
)
from partnerships.reconciliation.views.service import count_names, public_service
from partnerships.reconciliation.vocabulary import PROPERTIES


@public_service("GET", "POST")
def root_old(request: HttpRequest) -> HttpResponse:
    """Version 0.2: the manifest, queries and properties, all at one address."""
    given = request.POST if request.method == "POST" else request.GET
    if "queries" in given:
        return _match_old(request, given["queries"])
    if "extend" in given:
        return _extend_old(request, given["extend"])
    if request.method == "POST":
        raise UnableToRead("Send `queries` or `extend` as a form.")
    return JsonResponse(_manifest(OLD))


def _match_old(request: HttpRequest, queries: str) -> JsonResponse:
    batch = read_queries(queries)
    count_names(request, len(batch))
    results = _results(list(batch.values()))
    return JsonResponse({key: {"result": found} for key, found in zip(batch, results, strict=True)})


def _extend_old(request: HttpRequest, text: str) -> JsonResponse:
    fetch = _known(read_fetch(read_json(text)))
    count_names(request, len(fetch.ids))
    properties = [wanted.property for wanted in fetch.wanted]
    rows = {body: dict(zip(properties, values, strict=True)) for body, values in _rows(fetch).items()}
    return JsonResponse({"meta": fetched_meta(fetch.wanted), "rows": rows})


@public_service("GET")
def root(request: HttpRequest) -> HttpResponse:
    """The manifest of the 1.0 draft."""
    return JsonResponse(_manifest(DRAFT))


@public_service("POST")
def match(request: HttpRequest) -> HttpResponse:
    """The 1.0 draft: candidates for a batch, in its order."""
    questions = read_match(request.body)
    count_names(request, len(questions))
    return JsonResponse({"results": [{"candidates": result} for result in _results(questions)]})


@public_service("POST")
def extend(request: HttpRequest) -> HttpResponse:
    """The 1.0 draft: properties of bodies."""
    fetch = _known(read_fetch(read_json(request.body)))
    count_names(request, len(fetch.ids))
    rows = [
        {
            "id": body,
            "properties": [
                {"id": wanted.property, "values": found} for wanted, found in zip(fetch.wanted, values, strict=True)
            ],
        }
        for body, values in _rows(fetch).items()
    ]
    return JsonResponse({"meta": fetched_meta(fetch.wanted), "rows": rows})


def _manifest(version: str) -> dict[str, Any]:
    name = "reconciliation:root-old" if version == OLD else "reconciliation:root"
    about = settings.SITE_ORIGIN + reverse("reconciliation:about")
    return manifest(version, settings.SITE_ORIGIN + reverse(name), view=about, documentation=about)


def _results(questions: list[Question]) -> list[list[dict[str, Any]]]:
    verdicts = find(questions)
    lineage = lineage_of({one.body.pk for verdict in verdicts for one in verdict}, timezone.localdate())
    return [
        [candidate(one, lineage, question.period) for one in verdict]
        for question, verdict in zip(questions, verdicts, strict=True)
    ]


def _known(fetch: Fetch) -> Fetch:
    """The request without properties that nobody can fetch."""
    known = (item for item in fetch.wanted if item.property in PROPERTIES and PROPERTIES[item.property].given)
    return Fetch(fetch.ids, tuple(known))


def _rows(fetch: Fetch) -> dict[str, list[list[dict[str, Any]]]]:
    """The values of each property by id; unknown ids have none."""
    today, kept = timezone.localdate(), kept_ids(fetch.ids)
    bodies = bodies_of(kept.values())
    lineages: dict[Any, Lineage] = {}

    def values(pk: int, wanted: Wanted) -> list[dict[str, Any]]:
        day = wanted.day or today
        if wanted.property in ("successors", "predecessors") and day not in lineages:
            lineages[day] = lineage_of(set(bodies), day, before=True)
        return fetched(bodies[pk], wanted, lineages.get(day, Lineage({}, {}, {})), today)

    return {
        pk: [values(kept[pk], wanted) if kept.get(pk) in bodies else [] for wanted in fetch.wanted] for pk in fetch.ids
    }
