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
from partnerships.recommendations.services.sources import (
    RecommendationGiven,
    SourceGiven,
    record_recommendation,
    record_source,
)

#: Three reports, paraphrased, each with how surely it is known.
SEED = Path(__file__).resolve().parents[1] / "seed.json"


@transaction.atomic
def load_recommendations(*, now: dt.datetime) -> int:
    """Record the reports that come with Common Ground; how many recommendations are new or changed.

    National bodies that they are addressed to join the directory if it lacks them. Running it again changes nothing.
    """
    content = json.loads(SEED.read_text(encoding="utf-8"))
    bodies = {one["name"]: _body(one, now).pk for one in content["organisations"]}
    count = 0
    for one in content["sources"]:
        recommendations = one.pop("recommendations")
        source = record_source(given=SourceGiven(**one), organisation=None, author=None, now=now)
        for row in recommendations:
            _, outcome = record_recommendation(
                source=source, given=_given(row, bodies), organisation=None, author=None, now=now
            )
            count += outcome != "left_alone"
    return count


def _body(one: dict[str, Any], now: dt.datetime) -> Organisation:
    found = match_by_name(one["name"]).order_by("pk").first()
    return found or create_organisation(
        name=one["name"], short_name=one["short_name"], kind=one["kind"], author=None, now=now
    )


def _given(row: dict[str, Any], bodies: dict[str, int]) -> RecommendationGiven:
    to = row.pop("addressees")
    return RecommendationGiven(
        **row,
        kinds=[one for one in to if isinstance(one, str)],
        organisations=[bodies[one["organisation"]] for one in to if isinstance(one, dict)],
    )
