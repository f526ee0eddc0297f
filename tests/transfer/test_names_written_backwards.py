"""Alternative names of councils that a list writes backwards."""

from __future__ import annotations

import json

import pytest

from partnerships.transfer.management.commands.load_directory import ENGLAND
from partnerships.transfer.reading.councils import read_councils
from partnerships.transfer.reading.tables import read_sheets

from .lists import COUNCILS


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("Mere UA, City of", ("Mere UA", "City of Mere UA")),
        ("City of", ()),
        ("City of Mere", ("City of Mere",)),
    ],
)
def test_name_written_backwards_is_read_with_what_it_belongs_to(written: str, names: tuple[str, ...]) -> None:
    listed = COUNCILS.replace("England,South East,UA,,,,True", f'England,South East,UA,,"{written}",,True')

    councils = read_councils(read_sheets(listed.encode(), "councils.csv")).councils

    assert next(one.alternatives for one in councils if one.key == "XNW") == names


def test_no_organisation_of_england_has_a_name_that_ends_in_of() -> None:
    named = json.loads(ENGLAND.read_text())["organisations"]

    names = [name["name"].casefold() for one in named for name in (one, *one.get("names", ()))]

    assert len(names) > 1_000
    assert [name for name in names if name.endswith(" of")] == []
