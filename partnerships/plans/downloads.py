"""The sites of a plan as GeoJSON, for the map on the plan's page."""

from __future__ import annotations

from django.http import JsonResponse

from partnerships.kit.text import counted
from partnerships.plans.content import Content, homes_count


def geojson(content: Content) -> JsonResponse:
    """Return a response with those sites of a content that have a position, as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [site["lng"], site["lat"]]},
            "properties": {"name": site["name"], "label": f"{site['name']}, {counted(homes_count(site), 'home')}"},
        }
        for site in content["sites"]
        if site["lat"] is not None and site["lng"] is not None
    ]
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response["Cache-Control"] = "private, no-store"
    return response
