"""Remove the values from the SQL statements of a page, to compare two visits."""

from __future__ import annotations

import re


def shape(statements: list[dict[str, str]]) -> list[str]:
    """Return the statements without their values."""
    return [re.sub(r"'(?:[^']|'')*'|\b\d+\b|\bs\d+_x\d+\b", "?", statement["sql"]) for statement in statements]
