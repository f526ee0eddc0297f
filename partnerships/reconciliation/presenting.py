"""Answers in the shapes of version 0.2 and of the 1.0 draft."""

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
from partnerships.reconciliation.reading import Wanted
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
    words_of,
)

OLD, DRAFT = "0.2", "1.0-draft"
NAME = "English housing bodies as at a date (Common Ground)"
#: The size of a preview in pixels.
WIDTH, HEIGHT = 420, 300
_HELP = "A day such as 2019-04-01, a month or a year. Leave empty for today."
_SETTING = {"type": "text", "name": DATE, "label": "As at", "default": ""}


def manifest(version: str, root: str, *, view: str, documentation: str) -> dict[str, Any]:
    """The manifest of one version.

    `root` is its address without a slash at the end, `view` that of bodies.
    """
    common = {
        "versions": [version],
        "name": NAME,
        "documentation": documentation,
        "defaultTypes": [type_of(TYPES[type_]) for type_ in DEFAULT_TYPES],
        "batchSize": settings.RECONCILIATION_SIZES["BATCH"],
    }
    if version == DRAFT:
        return common | {
            "view": {"url": f"{view}{{id}}/"},
            "preview": {"width": WIDTH, "height": HEIGHT},
            "suggest": {"entity": True, "property": True, "type": True},
            "extend": {
                "proposeProperties": True,
                "propertySettings": [_SETTING | {"id": DATE, "helpText": _HELP}],
            },
            "standardizedScore": True,
            "lang": "en-GB",
            "dir": "ltr",
        }
    return common | {
        "identifierSpace": view,
        "schemaSpace": documentation,
        "view": {"url": f"{view}{{{{id}}}}/"},
        "preview": {"url": f"{root}/preview?id={{{{id}}}}", "width": WIDTH, "height": HEIGHT},
        "suggest": {
            what: {
                "service_url": root,
                "service_path": f"/suggest/{what}",
                "flyout_service_url": root,
                "flyout_service_path": f"/flyout/{what}?id=${{id}}",
            }
            for what in ("entity", "property", "type")
        },
        "extend": {
            "propose_properties": {"service_url": root, "service_path": "/extend/propose"},
            "property_settings": [_SETTING | {"help_text": _HELP}],
        },
    }


def type_of(one: Type) -> dict[str, Any]:
    """A type with its broader one."""
    broader = {"broader": [{"id": one.broader, "name": TYPES[one.broader].name}]} if one.broader else {}
    return {"id": one.id, "name": one.name, **broader}


def candidate(verdict: Verdict, lineage: Lineage, period: Period | None) -> dict[str, Any]:
    """A candidate: its name on the date that was asked for, and what became of it."""
    body = verdict.body
    features = [
        ("name", "How well the name fits", verdict.points),
        ("name_in_use", "The name was in use then", verdict.in_use),
        ("existed", "It existed then", verdict.there),
        *((f"fits_{code}", f"{PROPERTIES[code].name} fits", fits) for code, fits in verdict.agreed.items()),
    ]
    return {
        "id": body.id,
        "name": body.named_on(period.last) if period else body.name,
        "description": described(body, lineage, period),
        "type": [{"id": type_, "name": TYPES[type_].name} for type_ in body.types],
        "score": verdict.points,
        "features": [{"id": code, "name": name, "value": value} for code, name, value in features],
        "match": verdict.match,
    }


def described(body: Body, lineage: Lineage, period: Period | None = None) -> str:
    """One line to tell namesakes apart: kind, time, present name, successors."""
    said = [words_of(body.types)]
    if period and body.named_on(period.last) != body.name:
        said.append(f"now called {body.name}")
    if body.begins:
        said.append(f"began {long_date(body.begins)}")
    if body.is_ended:
        said.append(f"ended {long_date(body.ends)}" if body.ends else "ended")
    after = [lineage.bodies[pk].name for pk in lineage.after.get(body.pk, ()) if pk in lineage.bodies]
    if after:
        said.append(f"followed by {' and '.join(after)}")
    return "; ".join(said)


def facts(body: Body) -> dict[str, Any]:
    """What a page about a body shows: names, numbers and days."""
    return {
        "body": body,
        "types": words_of(body.types),
        "numbers": [
            (Scheme(number.scheme).label, number)
            for number in body.numbers
            if number.scheme != Scheme.LOCAL_AUTHORITY_FORMER
        ],
        "other_names": [name for name in body.names if name.text not in (body.name, body.short_name)],
    }


def suggestion(body: Body, lineage: Lineage) -> dict[str, Any]:
    """A body in a list of suggestions."""
    return {
        "id": body.id,
        "name": body.name,
        "description": described(body, lineage),
        "notable": [{"id": type_, "name": TYPES[type_].name} for type_ in body.types],
    }


def fetched_meta(wanted: Iterable[Wanted]) -> list[dict[str, Any]]:
    """The columns of fetched properties."""
    return [
        {"id": requested.property, "name": PROPERTIES[requested.property].name}
        | ({"type": {"id": ANYTHING, "name": TYPES[ANYTHING].name}} if _is_lineage(requested.property) else {})
        for requested in wanted
    ]


def _is_lineage(code: str) -> bool:
    return code in ("successors", "predecessors")


def fetched(body: Body, wanted: Wanted, lineage: Lineage, today: dt.date) -> list[dict[str, Any]]:
    """The values of one property of a body, as at its date."""
    day, code = wanted.day or today, wanted.property
    if _is_lineage(code):
        ids = (lineage.after if code == "successors" else lineage.before).get(body.pk, ())
        return [{"id": one.id, "name": one.name} for pk in ids if (one := lineage.bodies.get(pk))]
    if code in ("began", "ended"):
        when = body.begins if code == "began" else body.ends
        return [{"date": f"{when.isoformat()}T00:00:00Z"}] if when else []
    return [{"str": text} for text in _texts(body, code, Period(day, day))]


def _texts(body: Body, code: str, period: Period) -> list[str]:
    if code == "name":
        return [body.named_on(period.last)]
    if code == "short-name":
        return [body.short_name] if body.short_name else []
    if code == "other-names":
        return sorted({name.text for name in body.names} - {body.name, body.short_name})
    if code == KIND:
        return [words_of(body.types)]
    numbers = [number for number in body.numbers if period.meets(number.begins, number.ends)]
    if code == ORG_ID:
        return [number.org_id for number in numbers if number.org_id]
    return [number.value for number in numbers if number.scheme == code and code in SCHEMES]
