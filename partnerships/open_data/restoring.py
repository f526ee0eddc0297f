"""After a restore: ends publications again that had ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import Redone, redo_each, register_redo
from partnerships.open_data.models import Publication
from partnerships.open_data.services.publishing import PUBLICATION, end_publishing, publication_identity

_REASON = "As it was before a backup was restored."


def redo_publications(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the publications that had ended since the backup: their files are gone again."""

    def redo(publication: Publication, line: dict[str, Any]) -> int:
        body = publication.organisation
        end_publishing(organisation=body, standard=publication.standard, reason=_REASON, author=None, now=now)
        return 1

    rows = Publication.objects.filter(pk__in={line["publication"] for line in lines}, ended_at=None)
    return redo_each(
        "publication",
        lines,
        rows.select_related("organisation").order_by("pk"),
        same=publication_identity,
        began=lambda row: row.begun_at,
        redo=redo,
    )


def register() -> None:
    """Register this for after a restore."""
    register_redo(PUBLICATION, "publications of open data ended again", redo_publications)
