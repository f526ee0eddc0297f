"""Form fields for dates and amounts, in one box each, written as people write them."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.safestring import SafeString

from partnerships.kit.addresses import page_address
from partnerships.kit.dates import NotADate, PartialDate
from partnerships.kit.html import input_element
from partnerships.kit.text import figure, pounds
from partnerships.kit.written import DAY_EXAMPLES, PARTIAL_EXAMPLES, NotAnAmount, read_amount, read_date


class DateInput(forms.TextInput):
    """A box for a date. With JavaScript, it has a calendar and shows how the typed text was understood."""

    whole_days = True

    def format_value(self, value: Any) -> str | None:
        """Return the date in words, also if a person typed it. A text that is not a date is returned unchanged."""
        if not value:
            return None
        if isinstance(value, dt.datetime):
            value = value.date()
        try:
            return read_date(str(value)).words
        except NotADate:
            return str(value)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Return the box as HTML, with the address that a script requests to learn which date the typed text means.

        No template is used, which makes it faster (see `partnerships.kit.html`).
        """
        script_request = {"box": name, "whole_days": "yes" if self.whole_days else ""}
        box_attributes = {
            **self.build_attrs(self.attrs, attrs),
            "autocomplete": "off",
            "hx-get": page_address("web:read-date"),
            "hx-vals": json.dumps(script_request),
            "hx-trigger": "change",
            "hx-target": "next .cg-date__read",
            "hx-push-url": "false",
        }
        return SafeString(
            '<div class="moj-datepicker cg-date" data-module="cg-date">'
            f"{input_element('text', name, self.format_value(value), box_attributes)}"
            '<p class="govuk-hint cg-date__read" role="status"></p></div>'
        )


class PartialDateInput(DateInput):
    """A box for a date that may be a month, a quarter or a year."""

    whole_days = False


def read_precise_date(text: str, *, whole_days: bool) -> PartialDate:
    """Return the date that a text means.

    Raises `NotADate`, whose text says what to enter. It is also raised for a month or a year if `whole_days` are
    needed.
    """
    date = read_date(text)
    if whole_days and date.precision != "day":
        # For a year, 31 March is suggested, because it is the end of the financial year.
        month = PartialDate(date.year, date.month or 3)
        raise NotADate(f"Add the day, for example {month.latest.day} {month.words}.")
    return date


class _DateField(forms.Field):
    """A date in one box."""

    whole_days = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.attrs.setdefault("class", "govuk-input--width-10")

    def read(self, value: Any) -> PartialDate | None:
        """Return the date, or None if empty. Errors name the field and say what to enter."""
        text = str(value or "").strip()
        name = str(self.label or "The date")
        if not text:
            if self.required:
                raise ValidationError(f"Enter {_with_article(name)}.", code="required")
            return None
        try:
            return read_precise_date(text, whole_days=self.whole_days)
        except NotADate as error:
            remedy = str(error) if not self.whole_days else str(error).replace(PARTIAL_EXAMPLES, DAY_EXAMPLES)
            raise ValidationError(f"{name} is not clear. {remedy}", code="invalid") from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the box has another date than before."""
        format_value = self.widget.format_value
        return (format_value(initial) or "") != (format_value(str(data or "").strip()) or "")


class DayField(_DateField):
    """A box for a day. Its clean value is a `date`, or None if the box is empty."""

    widget = DateInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("input_formats", None)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> dt.date | None:
        """Return the day. Errors name the field."""
        day = self.read(value)
        if day is None:
            return None
        self.run_validators(day.earliest)
        return day.earliest


class PartialDateField(_DateField):
    """A box for a date as precise as it is known.

    Its clean value is "2027", "2027-04", "2027-04-11" or "". A quarter is its last month.
    """

    widget = PartialDateInput
    whole_days = False

    def clean(self, value: Any) -> str:
        """Return the partial date. Errors name the field."""
        partial_date = self.read(value)
        return str(partial_date) if partial_date else ""


def _with_article(label: str) -> str:
    """Return a date's label after “Enter”, such as `the start date` for `Start date`. `Needed by` is quoted."""
    lowered = label[:1].lower() + label[1:]
    return f"the {lowered}" if "date" in lowered else f"a date for “{label}”"


class AmountField(forms.DecimalField):
    """A box for a number or an amount of money: "1,150", "1.8m", "£250k". Large numbers are shown with commas.

    `example` is used in errors: "Budget must be a number, like 1,150."
    """

    def __init__(self, *, example: str = "1,150", **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "govuk-input--width-10", "inputmode": "text"}))
        super().__init__(**kwargs)
        self.example = example

    @property
    def named(self) -> str:
        """Return the name of the field in errors."""
        return str(self.label or "This")

    def run_validators(self, value: Any) -> None:
        """Check the limits. The errors are written only now, because the label may have changed since `__init__`."""
        limits = {code: getattr(self, code) for code in ("min_value", "max_value")}
        limit_words = {code: figure(Decimal(limit)) for code, limit in limits.items() if limit is not None}
        self.error_messages |= {
            "min_value": f"{self.named} must be at least {limit_words.get('min_value', '')}.",
            "max_value": f"{self.named} must be at most {limit_words.get('max_value', '')}.",
            "max_decimal_places": f"{self.named} must have at most {self.decimal_places} decimal places."
            if self.decimal_places
            else f"{self.named} must be a whole number, like {self.example}.",
            "max_digits": f"{self.named} is too large. Enter a smaller number.",
            "max_whole_digits": f"{self.named} is too large. Enter a smaller number.",
        }
        super().run_validators(value)

    def to_python(self, value: Any) -> Decimal | None:  # type: ignore[override]  # the stubs give an int
        """Return the number, or None if the box is empty."""
        try:
            return read_amount(value)
        except NotAnAmount as error:
            raise ValidationError(f"{self.named} must be a number, like {self.example}.", code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        """Return the text of the box. A number gets commas, even if a person typed it. Other text is unchanged.

        A number with more than two decimals is unchanged too. Its error is about what was typed, and the person may
        have meant 1,150 with "1.150".
        """
        try:
            amount = read_amount(value)
        except NotAnAmount:
            return value
        if amount is None:
            return None
        return self.shown(amount) if int(amount.as_tuple().exponent) >= -2 else value

    def shown(self, number: Decimal) -> str:
        """Return a number as the box shows it."""
        return figure(number)


class CountField(AmountField):
    """A box for a whole number, with or without commas. Its clean value is an int."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("decimal_places", 0)
        super().__init__(**kwargs)

    def clean(self, value: Any) -> int | None:
        """Return the number, or None if the box is empty."""
        count = super().clean(value)
        return None if count is None else int(count)


class MoneyField(AmountField):
    """A box for an amount in pounds and whole pence: "£1.8m", "1,800,000", "£250k"."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            **{"example": "£1,800,000, £1.8m or £250k", "decimal_places": 2, "min_value": Decimal(0), **kwargs}
        )

    def shown(self, number: Decimal) -> str:
        """Return an amount as the box shows it, such as £1,800,000."""
        return pounds(number)
