"""The homes of a site as a grid: a row for each tenure, bedrooms and needs type, a column for each year."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from partnerships.documents import read_year
from partnerships.kit.forms import CountField, Form, error_words
from partnerships.plans.content import NEEDS, TENURES, Content, Item, year_of_kind

#: Blank rows below those of a grid.
BLANK_ROWS = 3
#: Rows up to which the button adds more. A site from a file may have more: all of them are shown and saved.
MAX_ROWS = 200
#: Years up to which the button adds more. A site from a file may have more.
MAX_YEARS = 20
#: Rows of a submitted grid that are read, at most.
MAX_SENT_ROWS = 1_000
#: Boxes of a grid, at most. `DATA_UPLOAD_MAX_NUMBER_FIELDS` allows some more, for the other fields of a site.
MAX_BOXES = 1_900
#: Columns of years in the grid of a site without homes.
FIRST_YEARS = 3
#: Columns of years that a new site takes from the other sites of its plan, at most.
MAX_SUGGESTED = 8
#: Homes in one cell, at most.
MAX_CELL = 100_000
NOT_WHOLE = "Part of the table of homes is missing, so nothing was saved. Open the site’s page again."


class YearField(forms.CharField):
    """A calendar or financial year, normalised to "2027" or "2027-28"."""

    def clean(self, value: Any) -> str:
        """Return the normalised year, or "" for an empty field."""
        try:
            return read_year(super().clean(value))
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from error


class HomesRow(Form):
    """One row of the grid: a kind of homes, and the number of homes in each year."""

    tenure = forms.ChoiceField(
        label="Tenure",
        choices=[(code, label[0].upper() + label[1:]) for code, label in TENURES.items()],
        required=False,
    )
    bedrooms = forms.TypedChoiceField(
        label="Bedrooms",
        choices=[("", "Not known"), ("0", "Studio"), *((str(count), str(count)) for count in range(1, 21))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    needs = forms.ChoiceField(
        label="Needs type",
        choices=[(code, label.removesuffix(" needs").capitalize()) for code, label in NEEDS.items()],
        required=False,
    )

    def __init__(self, *args: Any, years: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.years = list(years)
        for index, year in enumerate(years):
            self.fields[f"count_{index}"] = CountField(
                label=f"Homes, {year or 'year not given'}, row {self._row_number}",
                min_value=0,
                max_value=MAX_CELL,
                required=False,
                widget=forms.TextInput(),
            )
        for name, field in self.fields.items():
            has_error = self.is_bound and bool(self.errors.get(name))
            field.widget.attrs.update(self._widget_attributes(field, has_error=has_error))

    @property
    def _row_number(self) -> int:
        """The number of the row on the page, from 1. The formset gives the row the prefix "homes-INDEX"."""
        index_text = str(self.prefix or "0").rpartition("-")[2]
        return int(index_text) + 1 if index_text.isdecimal() else 1

    def _widget_attributes(self, field: forms.Field, *, has_error: bool) -> dict[str, str]:
        """Return the HTML attributes of a cell. Cells have no visible labels, so each is named for screen readers."""
        if isinstance(field, forms.ChoiceField):
            return {
                "class": "govuk-select govuk-select--error" if has_error else "govuk-select",
                "aria-label": f"{field.label}, row {self._row_number}",
            }
        return {
            "class": "govuk-input govuk-input--error" if has_error else "govuk-input",
            "aria-label": str(field.label),
            "inputmode": "numeric",
            "data-homes-count": "",
            "autocomplete": "off",
        }

    @property
    def kinds(self) -> list[BoundField]:
        """The fields for the kind of homes of the row."""
        return [self["tenure"], self["bedrooms"], self["needs"]]

    @property
    def counts(self) -> list[BoundField]:
        """The fields for the years, in order."""
        return [self[name] for name in self.fields if name.startswith("count_")]

    @property
    def by_year(self) -> list[tuple[str, BoundField]]:
        """The fields for the years, each with its year in words."""
        return [(year or "No year", field) for year, field in zip(self.years, self.counts, strict=True)]

    @property
    def numbers(self) -> list[int]:
        """The homes of each year as entered; 0 for a field that is empty or invalid."""
        if self.is_bound:
            self.is_valid()  # fills `cleaned_data` with the valid fields
        data: Mapping[str, Any] = getattr(self, "cleaned_data", {}) if self.is_bound else self.initial
        return [data.get(field.name) or 0 for field in self.counts]

    @property
    def total(self) -> int:
        """The homes of all years."""
        return sum(self.numbers)


class _YearsForm(Form):
    """The headings of the columns: a year each, empty for homes without a year."""

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for index in range(count):
            field = YearField(label=f"Year of column {index + 1}", required=False, max_length=9)
            field.widget.attrs = {"class": "govuk-input", "aria-label": field.label, "autocomplete": "off"}
            self.fields[f"year_{index}"] = field
        for name in self.errors:
            self.fields[name].widget.attrs["class"] += " govuk-input--error"


class HomesGrid(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The homes of a site."""

    #: For the page's script, which adds rows and years.
    max_boxes = MAX_BOXES

    def __init__(self, data: Any = None, *, homes: Iterable[Item] = (), years: Sequence[str] = ()) -> None:
        rows, columns = _rows_and_columns(homes, years)
        column_count = len(columns) if data is None else _number(data.get("homes-YEARS"), MAX_BOXES)
        #: Whether all fields arrived. A page from before an update sends no years, and its homes would be lost.
        self.is_whole = data is None or _is_whole(data, column_count)
        if not self.is_whole:
            column_count = 1
        self.years = _YearsForm(
            data,
            count=column_count,
            prefix="homes",
            initial={f"year_{index}": year for index, year in enumerate(columns)},
        )
        blank_rows = [{"tenure": "social_rent", "needs": "general"}] * BLANK_ROWS
        super().__init__(data, prefix="homes", initial=[*rows, *blank_rows] if data is None else None)

    @property
    def is_full(self) -> bool:
        """Whether the page cannot send another row."""
        return boxes_in(len(self.forms) + 1, len(self.headings)) > MAX_BOXES

    @property
    def headings(self) -> list[BoundField]:
        """The fields of the years."""
        return list(self.years)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Return the years, for the labels of the fields."""
        return {"years": [str(heading.value() or "") for heading in self.headings]}

    def is_valid(self) -> bool:
        """Whether all fields arrived and are valid."""
        return self.is_whole and self.years.is_valid() and super().is_valid()

    def lines(self) -> list[Item]:
        """Return the lines of homes as entered so far, without empty and invalid ones."""
        if self.is_bound:
            self.is_valid()  # fills `cleaned_data` with the valid fields
        data = getattr(self.years, "cleaned_data", {}) if self.is_bound else self.years.initial
        years = [str(data.get(heading.name) or "") for heading in self.headings]
        lines: list[Item] = []
        for form in self:
            row = getattr(form, "cleaned_data", {}) if form.is_bound else form.initial
            bedrooms = row.get("bedrooms")
            kind_of_homes = {
                "tenure": row.get("tenure"),
                "bedrooms": None if bedrooms == "" else bedrooms,
                "needs": row.get("needs"),
            }
            lines += [
                {**kind_of_homes, "year": year, "count": count}
                for year, count in zip(years, form.numbers, strict=True)
                if count
            ]
        return lines

    def value(self) -> dict[str, list[Item]]:
        """Return the lines of homes as a site's content holds them, once the grid is valid."""
        return {"homes": self.lines()}

    @property
    def totals(self) -> list[int]:
        """The homes of each column."""
        return [sum(numbers) for numbers in zip(*(form.numbers for form in self), strict=True)]

    @property
    def total(self) -> int:
        """All homes."""
        return sum(self.totals)

    @property
    def problems(self) -> list[dict[str, str]]:
        """The errors for the error summary, each with its field's label and a link to the field."""
        errors = []
        if not self.is_whole or self.non_form_errors():
            errors.append({"text": NOT_WHOLE, "target": ""})
        fields = [*self.headings]
        for form in self:
            fields += form.visible_fields()
        for field in fields:
            for text in error_words(field):
                words = text if text.startswith(str(field.label)) else f"{field.label}: {text}"
                errors.append({"text": words, "target": field.id_for_label})
        return errors


HomesFormSet: Any = forms.formset_factory(  # Any: the stubs do not know our own arguments
    HomesRow, formset=HomesGrid, extra=0, max_num=MAX_ROWS, absolute_max=MAX_SENT_ROWS
)


def boxes_in(rows: int, years: int) -> int:
    """Return the number of fields in a grid.

    The grid has a heading for each year and, in each row, three choices and a count for each year.
    """
    return rows * (years + 3) + years


def is_too_large(homes: Iterable[Item]) -> bool:
    """Whether a grid of these lines would have more fields than a page can send."""
    rows, columns = _rows_and_columns(homes, ())
    return boxes_in(len(rows) + BLANK_ROWS, len(columns)) > MAX_BOXES


def _is_whole(data: Any, years: int) -> bool:
    """Whether a submitted grid has its number of years, and is not larger than a browser can send."""
    rows = _number(data.get("homes-TOTAL_FORMS"), MAX_BOXES)
    return str(data.get("homes-YEARS") or "").isdecimal() and boxes_in(rows, years) <= MAX_BOXES


def _number(text: Any, limit: int) -> int:
    """Return the number in a text, at most `limit`; 1 if there is none."""
    return min(int(text), limit) if str(text or "").isdecimal() else 1


def _rows_and_columns(homes: Iterable[Item], years: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a grid for these lines of homes, and the years of its columns; the last is ""."""
    lines = sorted(homes, key=_row_order)
    columns = [*sorted({line["year"] for line in lines if line["year"]} or years), ""]
    index_by_year = {year: index for index, year in enumerate(columns)}
    rows: list[dict[str, Any]] = []
    for kind, lines_of_kind in groupby(lines, key=lambda line: (line["tenure"], line["bedrooms"], line["needs"])):
        tenure, bedrooms, needs = kind
        row = {"tenure": tenure, "bedrooms": "" if bedrooms is None else bedrooms, "needs": needs}
        for line in lines_of_kind:
            row[f"count_{index_by_year[line['year']]}"] = line["count"]
        rows.append(row)
    return rows, columns


def _row_order(line: Item) -> tuple[int, int, int]:
    """Return the sort key of a row, as in tables of homes."""
    bedrooms = -1 if line["bedrooms"] is None else line["bedrooms"]
    return list(TENURES).index(line["tenure"]), bedrooms, list(NEEDS).index(line["needs"])


def suggested_years(content: Content, kind: str, today: dt.date) -> list[str]:
    """Return the years to offer for a site without homes.

    They are the years of the plan's other sites or, without these, the first years of its period.
    """
    used_years = sorted({line["year"] for site in content["sites"] for line in site["homes"] if line["year"]})
    if used_years:
        return used_years[-MAX_SUGGESTED:]
    period_start = str(content["about"]["period_start"])[:4]
    first_year = int(period_start) if period_start else today.year
    return [year_of_kind(kind, first_year + offset) for offset in range(FIRST_YEARS)]


def with_more(data: Any, kind: str) -> Any:
    """Return the submitted grid with more rows or one more year, depending on the button."""
    extended = data.copy()
    button = data.get("more")
    rows = _number(data.get("homes-TOTAL_FORMS"), MAX_SENT_ROWS)
    years = _number(data.get("homes-YEARS"), MAX_BOXES)
    if button == "rows" and boxes_in(rows + BLANK_ROWS, years) <= MAX_BOXES:
        extended["homes-TOTAL_FORMS"] = str(max(rows, min(rows + BLANK_ROWS, MAX_ROWS)))
    if button == "years" and years < MAX_YEARS and boxes_in(rows, years + 1) <= MAX_BOXES:
        year_texts = [data.get(f"homes-year_{index}", "")[:4] for index in range(years)]
        last_year = max((int(text) for text in year_texts if text.isdecimal()), default=0)
        extended["homes-YEARS"] = str(years + 1)
        extended[f"homes-year_{years}"] = year_of_kind(kind, last_year + 1) if last_year > 1 else ""
    return extended
