"""Charts drawn on the server."""

from __future__ import annotations

import re

from partnerships.kit.charts import bar_chart

LONG = ("Estuary Reach Combined Authority", "Saltmarsh Co-operative Homes Limited", "Westmarch Borough Council")


def test_long_names_below_bars_take_several_lines_and_do_not_overlap() -> None:
    svg = bar_chart("Asks", ("Larkhaven Homes asked", "Partner asked"), [(name, ((1, "1"), (2, "2"))) for name in LONG])

    below = re.findall(r'<text x="(\d+)" y="\d+" text-anchor="middle" font-size="12"[^>]*>([^<]+)<', svg)
    assert " ".join(words for _, words in below) == " ".join(LONG)
    assert len(below) > len(LONG)
    assert max(len(words) for _, words in below) <= 17
    legend = re.findall(r'<text x="(\d+)" y="(\d+)" font-size="14">', svg)
    assert legend == [("25", "16"), ("25", "37")]
