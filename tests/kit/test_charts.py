"""Charts that the server draws have the right shapes and words."""

from __future__ import annotations

import re
from itertools import pairwise

from partnerships.kit.charts import bar_chart, row_chart

LONG = ("Estuary Reach Combined Authority", "Saltmarsh Co-operative Homes Limited", "Westmarch Borough Council")


def test_long_names_below_bars_take_several_lines_and_do_not_overlap() -> None:
    svg = bar_chart("Asks", ("Larkhaven Homes asked", "Partner asked"), [(name, ((1, "1"), (2, "2"))) for name in LONG])

    lines_below = re.findall(r'<text x="(\d+)" y="\d+" text-anchor="middle" font-size="12"[^>]*>([^<]+)<', svg)
    assert " ".join(words for _, words in lines_below) == " ".join(LONG)
    assert len(lines_below) > len(LONG)
    assert max(len(words) for _, words in lines_below) <= 17
    legend = re.findall(r'<text x="(\d+)" y="(\d+)" font-size="14">', svg)
    assert legend == [("25", "16"), ("25", "37")]


def test_years_below_many_bars_do_not_touch() -> None:
    years = [f"{2016 + number}-{17 + number}" for number in range(14)]

    svg = bar_chart("Homes", ("Added", "To come"), [(year, ((1, "1"), (2, "2"))) for year in years])

    below = re.findall(r'<text x="(\d+)" y="(\d+)" text-anchor="middle" font-size="12"[^>]*>([^<]+)<', svg)
    assert [words for _, _, words in below] == years
    for down in {down for _, down, _ in below}:
        middles = [int(middle) for middle, line, _ in below if line == down]
        assert min(right - left for left, right in pairwise(middles)) > 60


def test_long_words_of_a_row_take_two_lines_inside_a_narrow_chart() -> None:
    svg = row_chart("Who met", [(" and ".join(LONG[:2]), 3), ("All", 1)], is_narrow=True)

    labels = re.findall(r'<text x="0" y="(\d+)" font-size="14">([^<]+)<', svg)
    assert [down for down, _ in labels] == ["16", "33", "87"]
    assert max(len(line) for _, line in labels) <= 45
