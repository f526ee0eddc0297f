"""Store PDFs of published versions.

Drawing one takes seconds, and anyone may ask for a public plan.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from importlib.metadata import version as release

from partnerships.people.retention import delete_in_batches, register_retention
from partnerships.plans.models import Paper, ReadingClass, Version

KEEP_FOR = dt.timedelta(days=30)


def paper_of(
    page: str, *, version: Version, reader: ReadingClass, draw: Callable[[str], bytes], now: dt.datetime
) -> bytes:
    """The stored PDF of a page, or else a new one, which is stored."""
    digest = hashlib.sha256(f"{release('weasyprint')}\n{page}".encode()).hexdigest()
    kept = Paper.objects.filter(version=version, reader=reader, digest=digest).first()
    if kept is not None:
        return bytes(kept.pdf)
    pdf = draw(page)
    Paper.objects.update_or_create(
        version=version, reader=reader, defaults={"digest": digest, "pdf": pdf, "made_at": now}
    )
    return pdf


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    return delete_in_batches(Paper.objects.filter(made_at__lte=now - KEEP_FOR), dry_run=dry_run)


def register() -> None:
    """Register the retention of stored PDFs."""
    register_retention(
        "papers",
        what="PDFs of published versions, as they were drawn",
        purpose="so that a PDF is drawn once and not for every reader",
        basis="legitimate interests",
        kept_for="30 days, then drawn again when somebody asks",
        apply=_delete_old,
    )
