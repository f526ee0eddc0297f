"""Register with the kit, at start-up, how row history explains a change."""

from __future__ import annotations

from partnerships.activity.queries import event_labels_in
from partnerships.kit.row_history import explain_by


def register() -> None:
    """Let row history show the events of each change."""
    explain_by(event_labels_in)
