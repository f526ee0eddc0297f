"""After a restore from a backup, end publications again that had ended since the backup."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import MADE_AGAIN, RedoResult, redo_each, register_redo
from partnerships.open_data.models import Publication
from partnerships.open_data.services.publishing import PUBLICATION, end_publishing, publication_identity


def redo_publications(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End the publications that had ended since the backup. `lines` are the journal's lines about them."""

    def end_again(publication: Publication, line: dict[str, Any]) -> int:
        end_publishing(
            organisation=publication.organisation,
            standard=publication.standard,
            reason=MADE_AGAIN,
            author=None,
            now=now,
        )
        return 1

    publications = Publication.objects.filter(pk__in={line["publication"] for line in lines}, ended_at=None)
    return redo_each(
        "publication",
        lines,
        publications.select_related("organisation").order_by("pk"),
        identity_of=publication_identity,
        began_at=lambda publication: publication.begun_at,
        redo=end_again,
    )


def register() -> None:
    """Register the function for the command that runs after a restore."""
    register_redo(PUBLICATION, "publications of open data ended again", redo_publications)
