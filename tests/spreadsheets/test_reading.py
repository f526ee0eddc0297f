"""Cells and tables of homes are read as people write them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from partnerships.spreadsheets.reading.cells import (
    bedrooms,
    choice_reader,
    long_text,
    partial_date_text,
    quantity,
    whole_number,
    year,
    yes_no,
)
from partnerships.spreadsheets.reading.homes import with_one_number_a_row
from partnerships.transfer.reading.tables import Row, Sheet
from partnerships.transfer.reading.values import Unreadable


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (bedrooms, "2 bed", 2),
        (bedrooms, "3b", 3),
        (bedrooms, 4.0, 4),
        (bedrooms, "Studio", 0),
        (bedrooms, "", None),
        (year, "2027/28", "2027-28"),
        (year, "2027/2028", "2027-28"),
        (year, 2027.0, "2027"),
        (whole_number, "1,200", 1200),
        (whole_number, 12.0, 12),
        (partial_date_text, "April 2027", "2027-04"),
        (partial_date_text, "11/04/27", "2027-04-11"),
        (yes_no, "Y", True),
        (quantity, "1,200.5", Decimal("1200.50")),
        (quantity, 0.1 + 0.2, Decimal("0.30")),
        (long_text, " One.\r\nT\x00wo.\x0b ", "One.\nTwo."),
        (choice_reader({"social_rent": "Social Rent"}), "social-rent", "social_rent"),
    ],
)
def test_cell_is_read_as_people_write_it(read: Callable[[Any], Any], cell: Any, value: Any) -> None:
    assert read(cell) == value


@pytest.mark.parametrize(
    ("read", "cell"),
    [
        (bedrooms, "4+"),
        (year, "2027-29"),
        (whole_number, "-3"),
        (whole_number, "1.5"),
        (yes_no, "perhaps"),
        (quantity, "1.255"),
    ],
)
def test_other_values_are_refused_with_a_remedy(read: Callable[[Any], Any], cell: Any) -> None:
    with pytest.raises(Unreadable, match=r"“.+”.*\. Enter "):
        read(cell)


def test_table_with_a_column_for_each_year_gets_a_row_for_each() -> None:
    sheet = Sheet(
        "homes",
        (
            Row(1, ("Tenure", "Bedrooms", "2027-28", "2028-29", "Total")),
            Row(2, ("Social Rent", 2, 10, None, 10)),
            Row(5, ("Market sale", 3, 0, 7, 7)),
        ),
    )

    (arranged_sheet,) = with_one_number_a_row([sheet])

    assert [row.cells for row in arranged_sheet.rows] == [
        ("Tenure", "Bedrooms", "Total", "Year", "Homes"),
        ("Social Rent", 2, 10, "2027-28", 10),
        ("Market sale", 3, 7, "2027-28", 0),
        ("Market sale", 3, 7, "2028-29", 7),
    ]
    assert [row.came_from for row in arranged_sheet.rows[1:]] == [(2, "2027-28"), (5, "2027-28"), (5, "2028-29")]
    assert len({row.number for row in arranged_sheet.rows}) == len(arranged_sheet.rows)


def test_table_with_one_line_a_row_stays_as_it_is() -> None:
    sheet = Sheet("homes", (Row(1, ("Site", "Tenure", "Year", "Homes")), Row(2, ("NQ1", "Social Rent", 2027, 10))))

    assert with_one_number_a_row([sheet]) == (sheet,)
