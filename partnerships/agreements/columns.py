"""Columns that several lists share, such as the partnership of a row and the size of a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import NullIf
from django.forms import BaseForm, ModelChoiceField

from partnerships.agreements.models import Partnership
from partnerships.agreements.queries import ids_readable_in_full
from partnerships.kit import lists
from partnerships.kit.exports import day_of
from partnerships.kit.lists import Column
from partnerships.organisations.audience import Reader
from partnerships.people.models import User

# The next three columns are for lists of files.
ADDED = Column(
    name="added",
    label="Added",
    kind=lists.Kind.MOMENT,
    value=lambda row: day_of(row.added_at),
    key="added_at",
    is_nullable=False,
)
ADDED_BY = Column(
    name="person",
    label="Person",
    value=lambda row: row.added_by.display_name if row.added_by else None,
    key=lambda _user: NullIf(F("added_by__name"), Value("")),
    is_shown=False,
    is_grouped=True,
)
FILE_SIZE = Column(
    name="size",
    label="Size in bytes",
    kind=lists.Kind.NUMBER,
    value=lambda row: row.size,
    is_nullable=False,
    is_shown=False,
)


def offer_partnerships(form: BaseForm, reader: Reader) -> None:
    """Offer, in the field `partnership` of a form, the partnerships that the reader may read in full."""
    field = form.fields["partnership"]
    assert isinstance(field, ModelChoiceField)
    field.queryset = Partnership.objects.readable_today_by(reader).order_by("title", "pk")


def partnership_column(path: str = "partnership", **column: Any) -> Column:
    """Return a column that shows the partnership of each row.

    `path` leads from the row to the partnership, for example `post.partnership`. The cell is empty unless the reader's
    organisation is in the partnership today, because other readers may know only an earlier title. Other arguments are
    passed to `Column` in place of the ones below.
    """
    partnership_of: Callable[[Any], Partnership | None] = attrgetter(path)
    lookup_path = path.replace(".", "__")

    def set_known_partnerships(user: User, rows: Sequence[Any]) -> None:
        """Set `known_partnership` on each row: its partnership, or None if the reader may not see the title."""
        partnerships = [partnership_of(row) for row in rows]
        partnership_ids = [partnership.pk for partnership in partnerships if partnership is not None]
        readable_ids = ids_readable_in_full(user, partnership_ids)
        for row, partnership in zip(rows, partnerships, strict=True):
            is_readable = partnership is not None and partnership.pk in readable_ids
            row.known_partnership = partnership if is_readable else None

    def sort_by_known_title(user: User) -> Combinable:
        """Sort by title. A title that the reader may not see sorts as empty, because its position would reveal it."""
        readable_ids = Partnership.objects.readable_today_by(user).values("pk")
        is_readable = Q((f"{lookup_path}__in", readable_ids))
        return Case(When(is_readable, then=F(f"{lookup_path}__title")))

    defaults: dict[str, Any] = {
        "name": "partnership",
        "label": "Partnership",
        "value": lambda row: row.known_partnership.title if row.known_partnership else None,
        "key": sort_by_known_title,
        "href": lambda row: row.known_partnership.get_absolute_url(),
        "ready": set_known_partnerships,
        "is_grouped": True,
    }
    return Column(**defaults | column)
