"""End trust again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.answers.models import Trust
from partnerships.answers.services.moderating import TRUST, end_trust, trust_identity
from partnerships.kit.journal import Redone, redo_each, register_redo


def redo_trust(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the trust that had ended since the backup."""

    def redo(trust: Trust, line: dict[str, Any]) -> int:
        end_trust(trust=trust, author=None, now=now)
        return 1

    rows = Trust.objects.current().filter(pk__in={line["trust"] for line in lines})
    return redo_each(
        "trust",
        lines,
        rows.select_related("person", "organisation").order_by("pk"),
        same=trust_identity,
        began=lambda row: row.set_at,
        redo=redo,
    )


def register() -> None:
    """Register this for after a restore."""
    register_redo(TRUST, "stakeholders whose answers wait for approval again", redo_trust)
