"""A column for a day, a month or a year."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable

from partnerships.kit.dates import NotADate, PartialDate


class PartialDateColumn(models.CharField):  # type: ignore[type-arg]  # pghistory builds it without arguments
    """A `PartialDate` as its ISO text, such as 2027, 2027-04 or 2027-04-01.

    The database compares texts, so a month is before all of its days. For example, 2027-04 is before 2027-04-01.
    """

    description = "A day, a month or a year"
    # django-stubs reads these two for the type of the attribute.
    _pyi_private_set_type: PartialDate | dt.date | str | Combinable  # type: ignore[assignment]  # no text alone
    _pyi_private_get_type: PartialDate  # type: ignore[assignment]  # no text

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The byte order of ISO texts is the order of dates. Other collations may differ.
        super().__init__(*args, **{"max_length": 10, "db_collation": "C", **kwargs})

    def from_db_value(self, value: str | None, *_: Any) -> PartialDate | None:
        """Return the date from the row's text."""
        return PartialDate.parse(value) if value else None

    def to_python(self, value: Any) -> Any:
        """Return the date from a text or a day, or None if empty. Raises `ValidationError` for other texts."""
        if isinstance(value, PartialDate):
            return value
        if isinstance(value, dt.date):
            return PartialDate(value.year, value.month, value.day)
        if not value:
            return None
        try:
            return PartialDate.parse(str(value))
        except NotADate as error:
            raise ValidationError(str(error), code="invalid") from error

    def get_prep_value(self, value: Any) -> Any:
        """Return the text for a column or a comparison."""
        if hasattr(value, "resolve_expression"):
            return value
        partial_date = self.to_python(value)
        return None if partial_date is None else str(partial_date)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the text for a fixture."""
        return str(self.value_from_object(obj) or "")
