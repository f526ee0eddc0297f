"""Removes evidence again after a restore, if it had been removed since the backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.commitments.models import Evidence
from partnerships.commitments.services.evidence import EVIDENCE, evidence_identity, remove_evidence
from partnerships.kit.journal import RedoResult, redo_each, register_redo


def redo_evidence(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove again the files that were removed since the backup."""

    def remove_again(evidence: Evidence, _line: dict[str, Any]) -> int:
        remove_evidence(evidence=evidence, author=None, now=now)
        return 1

    files = Evidence.objects.filter(pk__in={line["evidence"] for line in lines}, removed_at=None)
    return redo_each(
        "evidence",
        lines,
        files.select_related("commitment").order_by("pk"),
        identity_of=evidence_identity,
        began_at=lambda row: row.added_at,
        redo=remove_again,
    )


def register() -> None:
    """Register the step after a restore."""
    register_redo(EVIDENCE, "files of evidence removed again", redo_evidence)
