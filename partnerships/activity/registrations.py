"""Registers with the kit what row history shows about a change, at start-up."""

from __future__ import annotations

from partnerships.activity.queries import acts_in
from partnerships.kit.row_history import explain_by


def register() -> None:
    """Let row history show the events of each change."""
    explain_by(acts_in)
