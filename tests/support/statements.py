"""What statements a page sent to the database, so that two visits can be held against each other."""

from __future__ import annotations

import re


def shape(statements: list[dict[str, str]]) -> list[str]:
    """Statements without what stands in them."""
    return [re.sub(r"'(?:[^']|'')*'|\b\d+\b|\bs\d+_x\d+\b", "?", statement["sql"]) for statement in statements]
