"""Alternative names of councils are found in reverse order, such as “Bristol, City of”."""

from __future__ import annotations

import json

import pytest

from partnerships.transfer.management.commands.load_directory import ENGLAND_FILE
from partnerships.transfer.reading.councils import read_councils
from partnerships.transfer.reading.tables import read_sheets

from .lists import COUNCILS


@pytest.mark.parametrize(
    ("alternative_names", "names"),
    [
        ("Mere UA, City of", ("Mere UA", "City of Mere UA")),
        ("City of", ()),
        ("City of Mere", ("City of Mere",)),
    ],
)
def test_part_that_ends_in_of_is_put_before_the_name(alternative_names: str, names: tuple[str, ...]) -> None:
    list_text = COUNCILS.replace("England,South East,UA,,,,True", f'England,South East,UA,,"{alternative_names}",,True')

    councils = read_councils(read_sheets(list_text.encode(), "councils.csv")).councils

    assert next(council.alternatives for council in councils if council.key == "XNW") == names


def test_no_organisation_of_england_has_a_name_that_ends_in_of() -> None:
    organisations = json.loads(ENGLAND_FILE.read_text())["organisations"]

    names = [
        name["name"].casefold()
        for organisation in organisations
        for name in (organisation, *organisation.get("names", ()))
    ]

    assert len(names) > 1_000
    assert [name for name in names if name.endswith(" of")] == []
