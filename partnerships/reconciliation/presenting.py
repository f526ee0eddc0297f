"""Build JSON responses in the formats of version 0.2 and of the 1.0 draft."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from partnerships.kit.dates import long_date
from partnerships.organisations.models import Scheme
from partnerships.reconciliation.matching import Body, Verdict
from partnerships.reconciliation.queries import Lineage
from partnerships.reconciliation.questions import Period
from partnerships.reconciliation.reading import RequestedProperty
from partnerships.reconciliation.vocabulary import (
    ANYTHING,
    DATE,
    DEFAULT_TYPES,
    KIND,
    ORG_ID,
    PROPERTIES,
    SCHEMES,
    TYPES,
    Type,
    types_in_words,
)

VERSION_0_2, VERSION_1_0_DRAFT = "0.2", "1.0-draft"
NAME = "English housing bodies as at a date (Common Ground)"
#: The size of a preview in pixels.
WIDTH, HEIGHT = 420, 300
_HELP = "A day such as 2019-04-01, a month or a year. Leave this empty to use today’s date."
_SETTING = {"type": "text", "name": DATE, "label": "As at", "default": ""}


def manifest(version: str, root: str, *, view: str, documentation: str) -> dict[str, Any]:
    """Return the manifest of one version.

    `root` is the address of the version, without a slash at the end. `view` is the address under which bodies have
    their pages, and `documentation` is the address of the page about the service.
    """
    common = {
        "versions": [version],
        "name": NAME,
        "documentation": documentation,
        "defaultTypes": [type_json(TYPES[type_]) for type_ in DEFAULT_TYPES],
        "batchSize": settings.RECONCILIATION_SIZES["BATCH"],
    }
    if version == VERSION_1_0_DRAFT:
        return {**common, **_manifest_of_1_0_draft(view)}
    return {**common, **_manifest_of_0_2(root, view=view, documentation=documentation)}


def _manifest_of_1_0_draft(view: str) -> dict[str, Any]:
    """Return the part of the manifest that only the 1.0 draft has.

    Its clients replace `{id}` by an id.
    """
    return {
        "view": {"url": f"{view}{{id}}/"},
        "preview": {"width": WIDTH, "height": HEIGHT},
        "suggest": {"entity": True, "property": True, "type": True},
        "extend": {
            "proposeProperties": True,
            "propertySettings": [{**_SETTING, "id": DATE, "helpText": _HELP}],
        },
        "standardizedScore": True,
        "lang": "en-GB",
        "dir": "ltr",
    }


def _manifest_of_0_2(root: str, *, view: str, documentation: str) -> dict[str, Any]:
    """Return the part of the manifest that only version 0.2 has.

    Its clients replace `{{id}}` by an id. In the address of a flyout, they replace `${id}`.
    """
    suggest_services = {}
    for suggested in ("entity", "property", "type"):
        suggest_services[suggested] = {
            "service_url": root,
            "service_path": f"/suggest/{suggested}",
            "flyout_service_url": root,
            "flyout_service_path": f"/flyout/{suggested}?id=${{id}}",
        }
    return {
        "identifierSpace": view,
        "schemaSpace": documentation,
        "view": {"url": f"{view}{{{{id}}}}/"},
        "preview": {"url": f"{root}/preview?id={{{{id}}}}", "width": WIDTH, "height": HEIGHT},
        "suggest": suggest_services,
        "extend": {
            "propose_properties": {"service_url": root, "service_path": "/extend/propose"},
            "property_settings": [{**_SETTING, "help_text": _HELP}],
        },
    }


def type_json(body_type: Type) -> dict[str, Any]:
    """Return a type as JSON, with the broader type if it has one."""
    fields: dict[str, Any] = {"id": body_type.id, "name": body_type.name}
    if body_type.broader:
        fields["broader"] = [{"id": body_type.broader, "name": TYPES[body_type.broader].name}]
    return fields


def candidate_json(verdict: Verdict, lineage: Lineage, period: Period | None) -> dict[str, Any]:
    """Return a candidate as JSON, with the name that it had at the date of the question."""
    body = verdict.body
    features: list[dict[str, Any]] = [
        {"id": "name", "name": "How well the name fits", "value": verdict.points},
        {"id": "name_in_use", "name": "The name was in use then", "value": verdict.is_name_in_use},
        {"id": "existed", "name": "It existed then", "value": verdict.existed},
    ]
    for code, fits in verdict.fits_by_property.items():
        features.append({"id": f"fits_{code}", "name": f"{PROPERTIES[code].name} fits", "value": fits})
    return {
        "id": body.id,
        "name": body.named_on(period.last) if period else body.name,
        "description": description_of_body(body, lineage, period),
        "type": [{"id": type_, "name": TYPES[type_].name} for type_ in body.types],
        "score": verdict.points,
        "features": features,
        "match": verdict.is_match,
    }


def description_of_body(body: Body, lineage: Lineage, period: Period | None = None) -> str:
    """Return one line that distinguishes bodies of the same name.

    For example: “District council; began 1 April 1974; ended 1 April 2019; succeeded by Dorset Council”.
    """
    facts = [types_in_words(body.types)]
    if period and body.named_on(period.last) != body.name:
        facts.append(f"now called {body.name}")
    if body.begins:
        facts.append(f"began {long_date(body.begins)}")
    if body.is_ended:
        facts.append(f"ended {long_date(body.ends)}" if body.ends else "ended")
    successors = [lineage.bodies[pk].name for pk in lineage.after.get(body.pk, ()) if pk in lineage.bodies]
    if successors:
        facts.append(f"succeeded by {' and '.join(successors)}")
    return "; ".join(facts)


def facts_for_page(body: Body) -> dict[str, Any]:
    """Return the template context with the types, numbers and other names of a body."""
    return {
        "body": body,
        "types": types_in_words(body.types),
        "numbers": [
            (Scheme(number.scheme).label, number)
            for number in body.numbers
            if number.scheme != Scheme.LOCAL_AUTHORITY_FORMER
        ],
        "other_names": [name for name in body.names if name.text not in (body.name, body.short_name)],
    }


def suggestion_json(body: Body, lineage: Lineage) -> dict[str, Any]:
    """Return a body as JSON for a list of suggestions."""
    return {
        "id": body.id,
        "name": body.name,
        "description": description_of_body(body, lineage),
        "notable": [{"id": type_, "name": TYPES[type_].name} for type_ in body.types],
    }


def property_columns(requested_properties: Iterable[RequestedProperty]) -> list[dict[str, Any]]:
    """Return the columns of a data extension response."""
    columns = []
    for requested in requested_properties:
        column: dict[str, Any] = {"id": requested.property, "name": PROPERTIES[requested.property].name}
        if _is_lineage(requested.property):
            column["type"] = {"id": ANYTHING, "name": TYPES[ANYTHING].name}
        columns.append(column)
    return columns


def _is_lineage(property_id: str) -> bool:
    """Return whether the values of a property are other bodies."""
    return property_id in ("successors", "predecessors")


def property_values(body: Body, requested: RequestedProperty, lineage: Lineage, today: dt.date) -> list[dict[str, Any]]:
    """Return the values of one property of a body, as at the date of the request."""
    day = requested.day or today
    property_id = requested.property
    if _is_lineage(property_id):
        pks_by_body = lineage.after if property_id == "successors" else lineage.before
        relatives = [lineage.bodies[pk] for pk in pks_by_body.get(body.pk, ()) if pk in lineage.bodies]
        return [{"id": relative.id, "name": relative.name} for relative in relatives]
    if property_id in ("began", "ended"):
        date = body.begins if property_id == "began" else body.ends
        return [{"date": f"{date.isoformat()}T00:00:00Z"}] if date else []
    return [{"str": text} for text in _texts(body, property_id, Period(day, day))]


def _texts(body: Body, property_id: str, period: Period) -> list[str]:
    """Return the names, kinds or numbers of a body that were in use in the period."""
    if property_id == "name":
        return [body.named_on(period.last)]
    if property_id == "short-name":
        return [body.short_name] if body.short_name else []
    if property_id == "other-names":
        return sorted({name.text for name in body.names} - {body.name, body.short_name})
    if property_id == KIND:
        return [types_in_words(body.types)]
    valid_numbers = [number for number in body.numbers if period.meets(number.begins, number.ends)]
    if property_id == ORG_ID:
        return [number.org_id for number in valid_numbers if number.org_id]
    return [number.value for number in valid_numbers if number.scheme == property_id and property_id in SCHEMES]
