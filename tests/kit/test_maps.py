"""Maps are drawn over our own outlines, name the source of these, and hide nothing that the table has."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from django.contrib.staticfiles import finders

from partnerships.kit.maps import (
    OUTLINES_FILE,
    SHADES,
    Map,
    Place,
    Shaded,
    level_of,
    outlines,
    place_map,
    project,
    shaded_map,
)

LEVELS = ((0, "None"), (1, "1"), (2, "2 to 3"))


def svg_of(drawn_map: Map) -> ET.Element:
    """Return the drawing of a map as XML."""
    return ET.fromstring(drawn_map.drawing)


def groups(drawn_map: Map) -> dict[str, list[ET.Element]]:
    """Return the areas of a map by their fill."""
    return {
        group.get("fill", ""): [path for path in group if path.get("data-words")]
        for group in svg_of(drawn_map).iter("g")
        if any(path.get("data-words") for path in group)
    }


def test_every_council_of_england_has_an_outline() -> None:
    assert len(outlines()) == 296
    assert {code[:3] for code in outlines()} == {"E06", "E07", "E08", "E09"}
    for outline in outlines().values():
        left, top, right, bottom = outline.box
        assert left < right
        assert top < bottom
        assert re.fullmatch(r"(M-?\d+ -?\d+l[-\d ]+z)+", outline.path), outline.code


def test_outline_lies_where_the_council_is() -> None:
    left, top, right, bottom = outlines()["E07000087"].box
    x, y = project(-1.18, 50.85)  # Fareham's town centre

    assert left < x < right
    assert top < y < bottom


AREAS = (
    Shaded("E07000087", "Fareham: 3 partnerships", 2, "#E07000087"),
    Shaded("E07000088", "Gosport: none", 0),
    Shaded("E99999999", "Nowhere: 1", 1),
)


def test_areas_are_shaded_by_their_level_and_have_words() -> None:
    drawn_map = shaded_map("Partnerships", AREAS, LEVELS)

    words_by_fill = {fill: [path.get("data-words") for path in paths] for fill, paths in groups(drawn_map).items()}
    assert words_by_fill == {SHADES[0]: ["Gosport: none"], SHADES[2]: ["Fareham: 3 partnerships"]}


def test_map_of_areas_has_a_label_names_a_legend_and_its_source() -> None:
    drawn_map = shaded_map("Partnerships", AREAS, LEVELS)

    drawing = svg_of(drawn_map)
    assert (drawing.get("role"), drawing.get("aria-label")) == ("img", "Partnerships")
    assert "Gosport" in [text.text for text in drawing.iter("text")]
    assert "2 to 3" in str(drawn_map.legend)
    assert "Open Government Licence" in drawn_map.source


def test_whole_country_has_regions_and_no_names() -> None:
    drawn_map = shaded_map("All", [Shaded(code, code, 1) for code in outlines()], LEVELS)

    assert len(groups(drawn_map)[SHADES[1]]) == 296
    assert list(svg_of(drawn_map).iter("text")) == []
    assert len(drawn_map.drawing) < 400_000


def referenced_ids(drawing: ET.Element) -> list[str]:
    """Return the ids of the outlines in the file to which a drawing refers."""
    return [use.get("href", "").partition("#")[2] for use in drawing.iter("use")]


def test_outlines_file_has_every_outline_and_the_regions() -> None:
    file = finders.find(OUTLINES_FILE)
    assert file is not None

    shapes = {path.get("id"): path.get("d") for path in ET.parse(file).getroot()}

    assert {code: shapes[code] for code in outlines()} == {code: outline.path for code, outline in outlines().items()}
    assert "regions" in shapes


def test_map_of_areas_on_a_page_refers_to_the_outlines_file() -> None:
    all_areas = [Shaded(code, code, 1) for code in outlines()]

    drawn_map = shaded_map("All", all_areas, LEVELS, outlines_url="/static/outlines.svg")

    assert sorted(referenced_ids(svg_of(drawn_map))) == sorted([*outlines(), "regions"])
    assert list(svg_of(drawn_map).iter("path")) == []
    assert len(drawn_map.drawing) < 60_000


def test_map_of_places_on_a_page_refers_to_the_outlines_file() -> None:
    places = [Place("Quay", -1.18, 50.85), Place("Mill", -1.2, 50.9)]

    drawn_map = place_map("Sites", places, outlines_url="/static/outlines.svg")

    assert set(referenced_ids(svg_of(drawn_map))) > {"E07000087"}
    assert list(svg_of(drawn_map).iter("path")) == []


def test_hostile_names_are_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    drawn_map = shaded_map(hostile, [Shaded("E07000087", hostile, 1, hostile)], ((1, hostile),))

    assert "<script" not in drawn_map.drawing + str(drawn_map.legend)
    assert groups(drawn_map)[SHADES[1]][0].get("data-words") == hostile


def test_places_close_together_are_one_dot_with_their_number() -> None:
    places = [Place("Quay", -1.180, 50.850), Place("Mill", -1.1801, 50.8501), Place("Depot", -1.30, 50.95)]

    root = svg_of(place_map("Sites", places))

    (places_group,) = (group for group in root.iter("g") if group.get("class") == "cg-map__places")
    assert len(list(root.iter("circle"))) == 2
    assert [text.text for text in places_group.iter("text")] == ["2"]
    assert {"Fareham", "Winchester", "Eastleigh"} & {text.text for text in root.iter("text")}


def test_map_is_never_narrower_than_a_town() -> None:
    root = svg_of(place_map("Sites", [Place("Quay", -1.18, 50.85), Place("Mill", -1.18, 50.85)]))

    _, _, width, height = map(int, root.get("viewBox", "").split())
    assert width == 200
    assert height == 140


@pytest.mark.parametrize(
    ("figure", "level"), [(0, 0), (-3, 0), (1, 1), (2, 2), (3, 2), (4, 3), (8, 4), (500, 4), (0.5, 1)]
)
def test_level_rises_with_each_limit(figure: float, level: int) -> None:
    assert level_of(figure, (1, 2, 4, 8)) == level


def test_shades_grow_darker_in_grey() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    greys = [grey(shade) for shade in SHADES]

    assert all(darker < lighter - 25 for lighter, darker in itertools.pairwise(greys))
