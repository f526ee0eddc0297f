"""Alternative names of councils that a list writes backwards."""

from __future__ import annotations

import pytest

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
