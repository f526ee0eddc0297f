"""Helpers for spreadsheets in which each row becomes a record."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet

from partnerships.kit.names import fold_name
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Organisation, OrganisationName
from partnerships.spreadsheets.services.kinds.base import ImportedRows, Target
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.services.refusals import constraint_of, problem_of_refusal

#: The UUID namespace of keys made from references, so that they differ from the keys of forms.
_NAMESPACE = uuid.UUID("6f6d1f5e-5d1c-4c53-9a5e-0a8f3c1c2b77")


@contextmanager
def set_aside_if_refused(run: ImportedRows, line: Line, *refusals: type[Exception]) -> Iterator[None]:
    """Import one row within a savepoint.

    If a service or the database refuses the row, its changes are undone and the row is set aside. `refusals` are the
    exceptions of the services that are called inside.
    """
    try:
        with transaction.atomic():
            yield
    except UnableToAct as error:
        run.refuse(line, "", str(error) or "you do not have permission to do this.", "Ask a lead of your organisation.")
    except IntegrityError as error:
        run.refuse(line, "", f"we cannot save this row ({constraint_of(error)}).", "Correct the row.")
    except DataError as error:
        run.refuse(line, "", problem_of_refusal(error, line.number).fault, "Shorten the text that is too long.")
    except refusals as error:
        run.refuse(line, "", str(error), "Correct the row, or make the change on the website.")


def quantity_cell(quantity: Decimal | None) -> str:
    """Return a quantity as the text of a cell, such as "60" for 60.00, or "" for None."""
    return "" if quantity is None else f"{quantity.normalize():f}"


def record_key(kind: str, target: Target, reference: str) -> uuid.UUID:
    """Return the key of the record that a row with this reference creates.

    The same reference in a spreadsheet of another target gives another key. Case and spaces make no difference.
    """
    records = [target.plan, target.partnership, target.organisation]
    ids = ":".join(str(record.pk) if record is not None else "" for record in records)
    return uuid.uuid5(_NAMESPACE, f"{kind}:{ids}:{' '.join(reference.split()).casefold()}")


class Revisions:
    """The revisions of records when a run begins, so that changes made since the preview are not overwritten.

    `previewed_total` is the sum of the revisions when the preview was made, or None for a preview.
    """

    def __init__(self, records: QuerySet[Any], previewed_total: int | None) -> None:
        self._revision_by_pk: dict[int, int] = dict(records.values_list("pk", "revision"))
        total = sum(self._revision_by_pk.values())
        self._has_changes = previewed_total is not None and total != previewed_total

    def is_stale(self, pk: int, revision: int) -> bool:
        """Return whether the record may have changed since the preview, or since the run began."""
        return self._has_changes or self._revision_by_pk.get(pk) != revision


class OrganisationFinder:
    """Finds one of several organisations by a name in a cell."""

    def __init__(self, organisations: Collection[Organisation]) -> None:
        self._by_pk = {organisation.pk: organisation for organisation in organisations}
        self._pks_by_name: dict[str, set[int]] = {}
        for organisation in organisations:
            for name in (organisation.name, organisation.short_name):
                self._add(name, organisation.pk)
        other_names = OrganisationName.objects.filter(organisation__in=self._by_pk)
        for name, pk in other_names.values_list("name", "organisation"):
            self._add(name, pk)

    def _add(self, name: str, pk: int) -> None:
        if name:
            self._pks_by_name.setdefault(fold_name(name), set()).add(pk)

    def named(self, name: str) -> Organisation | None:
        """Return the organisation with this name, or None if no organisation or several have this name."""
        pks = self._pks_by_name.get(fold_name(name), set())
        if len(pks) != 1:
            return None
        [pk] = pks
        return self._by_pk[pk]
