"""The endpoints for manifests, matching and data extension."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone

from partnerships.reconciliation.presenting import (
    VERSION_0_2,
    VERSION_1_0_DRAFT,
    candidate_json,
    manifest,
    property_columns,
    property_values,
)
from partnerships.reconciliation.queries import Lineage, bodies_by_id, current_pks, find_candidates, lineage_of
from partnerships.reconciliation.questions import Question
from partnerships.reconciliation.reading import (
    Fetch,
    UnableToRead,
    read_fetch,
    read_json,
    read_match,
    read_queries,
)
from partnerships.reconciliation.views.service import count_names, public_service
from partnerships.reconciliation.vocabulary import PROPERTIES

#: An empty lineage, for properties that need neither predecessors nor successors.
_NO_LINEAGE = Lineage(after={}, before={}, bodies={})


@public_service("GET", "POST")
def root_old(request: HttpRequest) -> HttpResponse:
    """Answer all requests of version 0.2, which has one address for the manifest, matching and data extension."""
    parameters = request.POST if request.method == "POST" else request.GET
    if "queries" in parameters:
        return _match_old(request, parameters["queries"])
    if "extend" in parameters:
        return _extend_old(request, parameters["extend"])
    if request.method == "POST":
        raise UnableToRead("Send `queries` or `extend` as a form.")
    return JsonResponse(_manifest(VERSION_0_2))


def _match_old(request: HttpRequest, queries: str) -> JsonResponse:
    """Return the candidates for each query of a batch, by the client's key of the query (version 0.2)."""
    batch = read_queries(queries)
    count_names(request, len(batch))
    candidates = _candidates(list(batch.values()))
    return JsonResponse({key: {"result": result} for key, result in zip(batch, candidates, strict=True)})


def _extend_old(request: HttpRequest, query: str) -> JsonResponse:
    """Return the requested properties of bodies, by the id of the body (version 0.2)."""
    fetch = _without_unknown_properties(read_fetch(read_json(query)))
    count_names(request, len(fetch.ids))
    property_ids = [requested.property for requested in fetch.requested_properties]
    rows = {body_id: dict(zip(property_ids, values, strict=True)) for body_id, values in _values_by_id(fetch).items()}
    return JsonResponse({"meta": property_columns(fetch.requested_properties), "rows": rows})


@public_service("GET")
def root(request: HttpRequest) -> HttpResponse:
    """Return the manifest of the 1.0 draft."""
    return JsonResponse(_manifest(VERSION_1_0_DRAFT))


@public_service("POST")
def match(request: HttpRequest) -> HttpResponse:
    """Return the candidates for each query of a batch, in the order of the queries (1.0 draft)."""
    questions = read_match(request.body)
    count_names(request, len(questions))
    return JsonResponse({"results": [{"candidates": candidates} for candidates in _candidates(questions)]})


@public_service("POST")
def extend(request: HttpRequest) -> HttpResponse:
    """Return the requested properties of bodies (1.0 draft)."""
    fetch = _without_unknown_properties(read_fetch(read_json(request.body)))
    count_names(request, len(fetch.ids))
    property_ids = [requested.property for requested in fetch.requested_properties]
    rows = []
    for body_id, values_by_property in _values_by_id(fetch).items():
        properties = [
            {"id": property_id, "values": values}
            for property_id, values in zip(property_ids, values_by_property, strict=True)
        ]
        rows.append({"id": body_id, "properties": properties})
    return JsonResponse({"meta": property_columns(fetch.requested_properties), "rows": rows})


def _manifest(version: str) -> dict[str, Any]:
    """Return the manifest of a version, with the addresses of this site."""
    root_name = "reconciliation:root-old" if version == VERSION_0_2 else "reconciliation:root"
    about_url = settings.SITE_ORIGIN + reverse("reconciliation:about")
    return manifest(version, settings.SITE_ORIGIN + reverse(root_name), view=about_url, documentation=about_url)


def _candidates(questions: list[Question]) -> list[list[dict[str, Any]]]:
    """Return the candidates for each question, in the format of the response."""
    verdicts_by_question = find_candidates(questions)
    body_pks = {verdict.body.pk for verdicts in verdicts_by_question for verdict in verdicts}
    lineage = lineage_of(body_pks, timezone.localdate())
    return [
        [candidate_json(verdict, lineage, question.period) for verdict in verdicts]
        for question, verdicts in zip(questions, verdicts_by_question, strict=True)
    ]


def _without_unknown_properties(fetch: Fetch) -> Fetch:
    """Return the query without the properties that cannot be fetched."""
    fetchable_properties = [
        requested
        for requested in fetch.requested_properties
        if requested.property in PROPERTIES and PROPERTIES[requested.property].can_fetch
    ]
    return Fetch(ids=fetch.ids, requested_properties=tuple(fetchable_properties))


def _values_by_id(fetch: Fetch) -> dict[str, list[list[dict[str, Any]]]]:
    """Return the values of each requested property, by the id of the body.

    The properties are in the order of the query. For unknown ids, the lists of values are empty.
    """
    today = timezone.localdate()
    pk_by_id = current_pks(fetch.ids)
    bodies = bodies_by_id(pk_by_id.values())
    lineage_by_day = _lineage_by_day(fetch, set(bodies), today)

    values_by_id: dict[str, list[list[dict[str, Any]]]] = {}
    for body_id in fetch.ids:
        body = bodies.get(pk_by_id.get(body_id, 0))
        if body is None:
            values_by_id[body_id] = [[] for _ in fetch.requested_properties]
            continue
        values_by_id[body_id] = [
            property_values(body, requested, lineage_by_day.get(requested.day or today, _NO_LINEAGE), today)
            for requested in fetch.requested_properties
        ]
    return values_by_id


def _lineage_by_day(fetch: Fetch, body_pks: set[int], today: dt.date) -> dict[dt.date, Lineage]:
    """Return the predecessors and successors of the bodies on each day for which the query requests them."""
    if not body_pks:
        return {}
    days = {
        requested.day or today
        for requested in fetch.requested_properties
        if requested.property in ("successors", "predecessors")
    }
    return {day: lineage_of(body_pks, day, with_predecessors=True) for day in days}
