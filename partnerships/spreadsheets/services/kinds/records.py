"""What kinds share whose rows become records through services, one by one."""

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
from partnerships.spreadsheets.services.kinds.base import Run, Target
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.services.rows import constraint_of, problem_of

#: Of the keys made from references, so that they differ from those of forms.
_SPACE = uuid.UUID("6f6d1f5e-5d1c-4c53-9a5e-0a8f3c1c2b77")


@contextmanager
def one_row(run: Run, line: Line, *refusals: type[Exception]) -> Iterator[None]:
    """Apply one row.

    What a service or the database refuses is undone and sets the row aside.
    """
    try:
        with transaction.atomic():
            yield
    except UnableToAct as error:
        run.refuse(line, "", str(error) or "you are not allowed to do this.", "Ask a lead of your organisation.")
    except IntegrityError as error:
        run.refuse(line, "", f"it cannot be stored ({constraint_of(error)}).", "Correct the row.")
    except DataError as error:
        run.refuse(line, "", problem_of(error, line.number).found, "Shorten the text that is too long.")
    except refusals as error:
        run.refuse(line, "", str(error), "Correct the row, or do it on its page.")


def number_of(quantity: Decimal | None) -> str:
    """A quantity as a cell: "60", without zeros behind; "" for none."""
    return "" if quantity is None else f"{quantity.normalize():f}"


def own_key(kind: str, target: Target, said: str) -> uuid.UUID:
    """The key of a record that a row with this reference makes.

    It holds the record and the organisation, so that the same reference elsewhere is another record.
    """
    where = [target.plan, target.partnership, target.organisation]
    ids = ":".join(str(record.pk) if record is not None else "" for record in where)
    return uuid.uuid5(_SPACE, f"{kind}:{ids}:{' '.join(said.split()).casefold()}")


class Revisions:
    """The revisions of records when a run begins.

    What somebody changed since the preview is not overwritten. `seen` is the sum of the revisions at the preview; None
    while previewing.
    """

    def __init__(self, rows: QuerySet[Any], seen: int | None) -> None:
        self._by_pk: dict[int, int] = dict(rows.values_list("pk", "revision"))
        self._any_changed = seen is not None and sum(self._by_pk.values()) != seen

    def is_stale(self, pk: int, revision: int) -> bool:
        """Whether the record may have changed since the preview.

        A large import takes a while itself.
        """
        return self._any_changed or self._by_pk.get(pk) != revision


class Bodies:
    """Finds one of several organisations by a name, as it is written in a cell."""

    def __init__(self, organisations: Collection[Organisation]) -> None:
        self._by_pk = {organisation.pk: organisation for organisation in organisations}
        self._by_name: dict[str, set[int]] = {}
        for organisation in organisations:
            for name in (organisation.name, organisation.short_name):
                self._add(name, organisation.pk)
        rows = OrganisationName.objects.filter(organisation__in=self._by_pk).values_list("name", "organisation")
        for name, pk in rows:
            self._add(name, pk)

    def _add(self, name: str, pk: int) -> None:
        if name:
            self._by_name.setdefault(fold_name(name), set()).add(pk)

    def named(self, said: str) -> Organisation | None:
        """The one organisation of that name; None if there is none, or several."""
        found = self._by_name.get(fold_name(said), set())
        return self._by_pk[next(iter(found))] if len(found) == 1 else None
