"""Remove evidence again that was removed before a restore."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.commitments.models import Evidence
from partnerships.commitments.services.evidence import EVIDENCE, evidence_identity, remove_evidence
from partnerships.kit.journal import Redone, register_redo, same_rows


def redo_evidence(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Remove the files that were removed since the backup."""
    redone = Redone()
    files = Evidence.objects.filter(pk__in={line["evidence"] for line in lines}, removed_at=None)
    for evidence, _line in same_rows(
        "evidence",
        lines,
        files.select_related("commitment").order_by("pk"),
        same=evidence_identity,
        began=lambda one: one.added_at,
        redone=redone,
    ):
        remove_evidence(evidence=evidence, author=None, now=now)
        redone.done += 1
    return redone


def register() -> None:
    """Register this for restores."""
    register_redo(EVIDENCE, "files of evidence removed again", redo_evidence)
