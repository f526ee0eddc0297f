"""Loads the recommendations that come with Common Ground."""

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
    RecommendationDetails,
    SourceDetails,
    record_recommendation,
    record_source,
)

#: Three reports with paraphrased recommendations. Each says how certain we are that the report contains it.
SEED = Path(__file__).resolve().parents[1] / "seed.json"


@transaction.atomic
def load_recommendations(*, now: dt.datetime) -> int:
    """Record the reports that come with Common Ground, and return the number of new recommendations.

    National bodies to which the recommendations are addressed are added to the directory if they are missing. Loading
    the reports again does not undo corrections by administrators, even of titles.
    """
    seed = json.loads(SEED.read_text(encoding="utf-8"))
    pk_by_name = {item["name"]: _organisation(item, now).pk for item in seed["organisations"]}
    count = 0
    for source_item in seed["sources"]:
        if _is_recorded(source_item["title"], source_item["year"]):
            continue
        recommendation_items = source_item.pop("recommendations")
        source = record_source(details=SourceDetails(**source_item), organisation=None, author=None, now=now)
        for item in recommendation_items:
            details = _recommendation_details(item, pk_by_name)
            record_recommendation(source=source, details=details, organisation=None, author=None, now=now)
            count += 1
    return count


def _is_recorded(title: str, year: int) -> bool:
    """Return whether a report has this title and year, or had them before a correction."""
    history = Source.pgh_event_model.objects.filter(title__iexact=title, year=year)  # type: ignore[attr-defined]  # made by pghistory
    return Source.objects.filter(pk__in=history.values("pgh_obj")).exists()


def _organisation(item: dict[str, Any], now: dt.datetime) -> Organisation:
    """Return the organisation with this name. If it is missing, it is created."""
    organisation = match_by_name(item["name"]).order_by("pk").first()
    return organisation or create_organisation(
        name=item["name"], short_name=item["short_name"], kind=item["kind"], author=None, now=now
    )


def _recommendation_details(item: dict[str, Any], pk_by_name: dict[str, int]) -> RecommendationDetails:
    """Return the details of a recommendation in the file.

    An addressee in the file is a kind, such as `"council"`, or an organisation, such as `{"organisation": "NHS"}`.
    """
    addressees = item.pop("addressees")
    return RecommendationDetails(
        **item,
        kinds=[addressee for addressee in addressees if isinstance(addressee, str)],
        organisations=[
            pk_by_name[addressee["organisation"]] for addressee in addressees if isinstance(addressee, dict)
        ],
    )
