"""Store the PDFs of published versions and comparisons, so that each PDF is rendered once.

Rendering a PDF takes seconds, and anyone may download the PDF of a public plan.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from importlib.metadata import version as release
from typing import Any

from django.db.models import QuerySet

from partnerships.people.retention import delete_in_batches, register_retention
from partnerships.plans.models import ComparedPaper, Paper, ReadingClass, Version

#: The time for which the PDF of a version or of a comparison is stored.
KEEP_FOR = dt.timedelta(days=30)


def stored_pdf(
    page: str,
    *,
    version: Version,
    against: Version | None = None,
    reader: ReadingClass,
    draw: Callable[[str], bytes],
    now: dt.datetime,
) -> bytes:
    """Return the stored PDF of a page of HTML, or render the page with `draw` and store the PDF.

    The page shows a version. With `against`, it shows how the version differs from another version.
    """
    # The digest contains the release of WeasyPrint, because a new release may draw the same page differently.
    digest = hashlib.sha256(f"{release('weasyprint')}\n{page}".encode()).hexdigest()
    if against is None:
        papers: QuerySet[Any] = Paper.objects.all()
        lookup: dict[str, Any] = {"version": version, "reader": reader}
    else:
        papers = ComparedPaper.objects.all()
        lookup = {"version": version, "against": against, "reader": reader}

    stored_paper = papers.filter(**lookup, digest=digest).first()
    if stored_paper is not None:
        return bytes(stored_paper.pdf)
    pdf = draw(page)
    papers.update_or_create(**lookup, defaults={"digest": digest, "pdf": pdf, "made_at": now})
    return pdf


def _delete_old(now: dt.datetime, dry_run: bool) -> int:
    """Delete the PDFs older than `KEEP_FOR`, and return how many. A dry run only counts them."""
    deleted_count = 0
    for model in (Paper, ComparedPaper):
        old_papers: QuerySet[Any] = model._default_manager.filter(made_at__lte=now - KEEP_FOR)
        deleted_count += delete_in_batches(old_papers, dry_run=dry_run)
    return deleted_count


def register() -> None:
    """Register the retention of stored PDFs."""
    register_retention(
        "papers",
        what="PDFs of published versions and of two versions compared",
        purpose="so that we make each PDF once instead of again for every reader",
        basis="legitimate interests",
        kept_for="30 days, after which we make the PDF again when a reader downloads it",
        apply=_delete_old,
    )
