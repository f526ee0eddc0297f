"""Sites of a plan as GeoJSON, for its map."""

from __future__ import annotations

from django.http import JsonResponse

from partnerships.kit.text import counted
from partnerships.plans.content import Content, homes_count


def geojson(content: Content) -> JsonResponse:
    """Return the sites of a content with a position, as GeoJSON."""
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
