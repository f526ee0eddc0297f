"""Sites of a plan as GeoJSON, for its map."""

from __future__ import annotations

from django.http import JsonResponse

from partnerships.plans.content import Content, homes_count


def homes_in_words(homes: int) -> str:
    """`1 home`, `1,200 homes`."""
    return f"{homes:,} home{'' if homes == 1 else 's'}"


def geojson(content: Content) -> JsonResponse:
    """The sites of a content with a position, as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [site["lng"], site["lat"]]},
            "properties": {"name": site["name"], "label": f"{site['name']}, {homes_in_words(homes_count(site))}"},
        }
        for site in content["sites"]
        if site["lat"] is not None and site["lng"] is not None
    ]
    response = JsonResponse({"type": "FeatureCollection", "features": features})
    response["Cache-Control"] = "private, no-store"
    return response
