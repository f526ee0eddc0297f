"""Save the rows of a standard's file with the plans, agreements and commitments that they belong to."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import transaction

from partnerships.commitments.models import Commitment
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.kit.rights import require
from partnerships.open_data.models import Record
from partnerships.open_data.values import Cells
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.plans.models import Plan

Subject = TypeVar("Subject", Plan, DeveloperAgreement, Commitment)
#: The field of `Record` that refers to the subject, by the subject's model.
_SUBJECT_FIELDS = {Plan: "plan", DeveloperAgreement: "agreement", Commitment: "commitment"}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of an imported file, which is saved as a `Record`."""

    #: The number of the row in the file.
    position: int
    #: The texts of the row, by field.
    cells: Cells
    #: The key of the plan's milestone or site.
    key: str = ""
    #: The values of the subject, by field, when the row was imported.
    values: Cells = field(default_factory=dict)


def _organisation_ids(subject: Plan | DeveloperAgreement | Commitment) -> list[int]:
    """Return the ids of the organisations that own or receive the subject."""
    if isinstance(subject, Plan):
        return list(subject.owners.values_list("organisation", flat=True))
    if isinstance(subject, DeveloperAgreement):
        return [subject.organisation_id]
    return [subject.receiver_id] if subject.receiver_id else []


def is_under_embargo(subject: Plan | DeveloperAgreement | Commitment, now: dt.datetime) -> bool:
    """Return whether the subject is a plan under embargo.

    Its rows are not saved until the embargo ends, because the public file would show most of their cells.
    """
    return isinstance(subject, Plan) and subject.embargoed_until is not None and subject.embargoed_until > now


def _is_same_row(record: Record, row: FileRow) -> bool:
    """Return whether a saved row and an imported row are the same row of the file.

    Sites that have left a register have no key in its plan, so they are compared by reference.
    """
    if record.key and row.key:
        return record.key == row.key
    return _reference(record.cells) == _reference(row.cells)


def _reference(cells: Cells) -> str:
    """Return the reference of a row, which brownfield registers call "SiteReference"."""
    return " ".join(cells.get("SiteReference", cells.get("reference", "")).split())


def _fields(row: Record | FileRow) -> dict[str, Any]:
    """Return the fields of a `Record` that come from a row. A row with equal fields is not saved again."""
    return {"position": row.position, "cells": row.cells, "key": row.key, "values": row.values}


def _records_by_subject(dataset: str, subject_field: str, subject_ids: Collection[int]) -> dict[int, list[Record]]:
    """Return the saved rows of one file in order, by the id of their subject. The default is an empty list."""
    records = Record.objects.filter(dataset=dataset, **{f"{subject_field}__in": subject_ids})
    records_by_subject: dict[int, list[Record]] = defaultdict(list)
    for record in records.order_by("position", "pk"):
        records_by_subject[getattr(record, f"{subject_field}_id")].append(record)
    return records_by_subject


@transaction.atomic
def save_rows(
    *,
    dataset: str,
    rows: Mapping[Subject, Sequence[FileRow]],
    incomplete: Collection[int] = (),
    author: User | None,
    now: dt.datetime,
) -> None:
    """Save the rows of one file in place of the rows that were saved before.

    `rows` has the rows by subject, and all subjects are of one model. If the id of a subject is in `incomplete`, the
    file has only some of its rows, and the others are not deleted. Rows of plans under embargo do not change. Only
    administrators of the directory and leads of the subjects' organisations may save rows.
    """
    if not rows:
        return
    roles = roles_of(author, now)
    require(roles.may_change_directory or all(roles.led_among(_organisation_ids(subject)) for subject in rows))
    rows_to_save = {subject: file_rows for subject, file_rows in rows.items() if not is_under_embargo(subject, now)}
    if not rows_to_save:
        return

    # All subjects are of one model, so the first one decides the field.
    first_subject = next(iter(rows_to_save))
    subject_field = _SUBJECT_FIELDS[type(first_subject)]
    records_by_subject = _records_by_subject(dataset, subject_field, [subject.pk for subject in rows_to_save])
    replaced_ids: list[int] = []
    new_records: list[Record] = []
    for subject, file_rows in rows_to_save.items():
        earlier_records = records_by_subject[subject.pk]
        if subject.pk in incomplete:
            earlier_records = [
                record for record in earlier_records if any(_is_same_row(record, row) for row in file_rows)
            ]
        if [_fields(record) for record in earlier_records] == [_fields(row) for row in file_rows]:
            continue
        replaced_ids += [record.pk for record in earlier_records]
        new_records += [
            Record(dataset=dataset, read_at=now, **{subject_field: subject}, **_fields(row)) for row in file_rows
        ]
    Record.objects.filter(pk__in=replaced_ids).delete()
    Record.objects.bulk_create(new_records, batch_size=500)
