"""What the transfer room registers at start-up."""

from __future__ import annotations

from partnerships.people.personal import register_personal
from partnerships.transfer.personal import RULES


def register() -> None:
    """Register what this room holds about people."""
    register_personal(RULES)
