"""Helpers that upload and import spreadsheets through the services."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.queries import draft_content
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.services import ask_to_import, upload_spreadsheet
from partnerships.spreadsheets.services.kinds import Target


def upload(plan: Plan, author: User, kind: str, data: str | bytes, name: str = "rows.csv", **more: Any) -> Upload:
    """Upload a spreadsheet for a plan."""
    return upload_spreadsheet(
        kind=kind,
        target=Target(plan=plan, site=more.pop("site", "")),
        data=data.encode() if isinstance(data, str) else data,
        file_name=name,
        author=author,
        now=timezone.now(),
        **more,
    )


def imported_upload(
    plan: Plan, author: User, kind: str, data: str | bytes, name: str = "rows.csv", **more: Any
) -> Upload:
    """Upload a spreadsheet for a plan, and import it."""
    return ask_to_import(upload=upload(plan, author, kind, data, name, **more), author=author, now=timezone.now())


def row_counts(upload: Upload) -> dict[str, int]:
    """Return the number of rows by outcome, without zeros."""
    return {name: count for name, count in upload.report["counts"].items() if count}


def draft_items_by_name(plan: Plan, code: str) -> dict[str, dict[str, Any]]:
    """Return the items of a collection of the draft, by name."""
    return {item["name"]: item for item in draft_content(plan)[code]}


def export_of(client: Client, plan: Plan, kind: str, form: str = "csv") -> bytes:
    """Return the bytes of an export of a plan."""
    response = client.get(reverse("spreadsheets:export", args=["plan", plan.pk, kind, form]))
    assert response.status_code == 200
    return response.getvalue()  # type: ignore[no-any-return]  # it has no type in the stubs


def csv_rows(data: bytes) -> list[dict[str, str]]:
    """Return the rows of a CSV export."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
