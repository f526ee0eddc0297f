"""Values that only plans have: GSS codes of areas."""

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
