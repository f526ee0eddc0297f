"""Read GSS codes of areas and postcodes of sites, which only plans have."""

from __future__ import annotations

import re
from typing import Any

from partnerships.documents.values import read_line
from partnerships.kit.postcodes import read_postcode


def read_area(value: Any) -> str:
    """Return the GSS code of an area, or "" for an empty value. Raises `ValueError`."""
    text = read_line(value)
    if text and not re.fullmatch(r"[A-Z]\d{8}", text, re.ASCII):
        raise ValueError(f"“{text}” is not a GSS code. Enter a code, for example E07000228.")
    return text


def read_site_postcode(value: Any) -> str:
    """Return a postcode or the district of a postcode ("PO16"). Raises `ValueError`."""
    return read_postcode(read_line(value))
