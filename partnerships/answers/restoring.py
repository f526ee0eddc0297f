"""End trust again that had ended before a backup was restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.answers.models import Trust
from partnerships.answers.services.moderating import TRUST, end_trust, trust_identity
from partnerships.kit.journal import RedoResult, redo_each, register_redo


def redo_trust(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End trust again that has ended, as the journal says, since the backup."""

    def end_again(trust: Trust, _line: dict[str, Any]) -> int:
        end_trust(trust=trust, author=None, now=now)
        return 1

    restored_trust = Trust.objects.current().filter(pk__in={line["trust"] for line in lines})
    return redo_each(
        "trust",
        lines,
        restored_trust.select_related("person", "organisation").order_by("pk"),
        identity_of=trust_identity,
        began_at=lambda trust: trust.set_at,
        redo=end_again,
    )


def register() -> None:
    """Register this function for restores."""
    register_redo(TRUST, "stakeholders whose answers wait for approval again", redo_trust)
