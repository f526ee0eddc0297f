"""Load the recommendations that come with Common Ground."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from django.db import transaction

from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import match_by_name
from partnerships.organisations.services import create_organisation
from partnerships.recommendations.models import Source
from partnerships.recommendations.services.sources import (
    RecommendationGiven,
    SourceGiven,
    record_recommendation,
    record_source,
)

#: Three reports, paraphrased, each with how certain it is.
SEED = Path(__file__).resolve().parents[1] / "seed.json"


@transaction.atomic
def load_recommendations(*, now: dt.datetime) -> int:
    """Record the reports that come with Common Ground.

    Returns how many recommendations are new. National bodies that they are addressed to join the directory if it lacks
    them. Running it again changes nothing: what an administrator corrected stays, also a corrected title.
    """
    content = json.loads(SEED.read_text(encoding="utf-8"))
    bodies = {organisation["name"]: _body(organisation, now).pk for organisation in content["organisations"]}
    count = 0
    for one in content["sources"]:
        if _is_recorded(one["title"], one["year"]):
            continue
        recommendations = one.pop("recommendations")
        source = record_source(given=SourceGiven(**one), organisation=None, author=None, now=now)
        for row in recommendations:
            record_recommendation(source=source, given=_given(row, bodies), organisation=None, author=None, now=now)
            count += 1
    return count


def _is_recorded(title: str, year: int) -> bool:
    """Whether a report has this title and year, or had them before a correction."""
    history = Source.pgh_event_model.objects.filter(title__iexact=title, year=year)  # type: ignore[attr-defined]  # made by pghistory
    return Source.objects.filter(pk__in=history.values("pgh_obj")).exists()


def _body(item: dict[str, Any], now: dt.datetime) -> Organisation:
    organisation = match_by_name(item["name"]).order_by("pk").first()
    return organisation or create_organisation(
        name=item["name"], short_name=item["short_name"], kind=item["kind"], author=None, now=now
    )


def _given(row: dict[str, Any], bodies: dict[str, int]) -> RecommendationGiven:
    to = row.pop("addressees")
    return RecommendationGiven(
        **row,
        kinds=[one for one in to if isinstance(one, str)],
        organisations=[bodies[one["organisation"]] for one in to if isinstance(one, dict)],
    )
