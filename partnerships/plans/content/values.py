"""Values that only plans have: years, and GSS codes of areas."""

from __future__ import annotations

import re
from typing import Any

from partnerships.documents.values import read_line


def read_area(value: Any) -> str:
    """The GSS code of an area. Raises ValueError."""
    text = read_line(value)
    if text and not re.fullmatch(r"[A-Z]\d{8}", text, re.ASCII):
        raise ValueError(f"“{text}” is not a GSS code such as E07000228.")
    return text


def read_year(value: Any) -> str:
    """A calendar or financial year in one spelling: "2027", "2027-28".

    Raises ValueError.
    """
    text = read_line(value).replace("/", "-").replace("–", "-")
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?", text, re.ASCII)
    if not text:
        return ""
    if match is None or (match[2] and int(match[2]) != (int(match[1]) + 1) % 100):
        raise ValueError(f"“{text}” is not a year: write 2027, or 2027-28 for a financial year.")
    return text
