"""The grid in which people enter the homes of a site.

Each row is a combination of tenure, bedrooms and needs type, and each column is a year.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from partnerships.documents import read_year
from partnerships.kit.forms import CountField, Form, error_words
from partnerships.plans.content import NEEDS, TENURES, Content, Item, year_of_kind

#: Blank rows at the foot of a grid.
BLANK_ROWS = 3
#: The button adds rows up to this number. A site from a file may have more, and all of its rows are shown and saved.
MAX_ROWS = 200
#: The button adds years up to this number. A site from a file may have more.
MAX_YEARS = 20
#: The most rows of a submitted grid that are read.
MAX_SENT_ROWS = 1_000
#: The most boxes in a grid. `DATA_UPLOAD_MAX_NUMBER_FIELDS` is a little higher, for the other fields of a site.
MAX_BOXES = 1_900
#: Columns of years in the grid of a site without homes.
FIRST_YEARS = 3
#: The most columns of years that a new site copies from the other sites of its plan.
MAX_SUGGESTED = 8
#: The most homes in one cell.
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
    """One row of the grid, with the combination of its homes and a number for each year."""

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
        """Return the number of the row on the page, from 1. The formset gives the row the prefix "homes-INDEX"."""
        index_text = str(self.prefix or "0").rpartition("-")[2]
        return int(index_text) + 1 if index_text.isdecimal() else 1

    def _widget_attributes(self, field: forms.Field, *, has_error: bool) -> dict[str, str]:
        """Return the HTML attributes of a cell.

        Cells have no visible labels, so `aria-label` names each cell for screen readers.
        """
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
        """Return the fields for the combination of the row."""
        return [self["tenure"], self["bedrooms"], self["needs"]]

    @property
    def counts(self) -> list[BoundField]:
        """Return the fields for the number of homes in each year, in order."""
        return [self[name] for name in self.fields if name.startswith("count_")]

    @property
    def by_year(self) -> list[tuple[str, BoundField]]:
        """Return each year in words with the field for its homes."""
        return [(year or "No year", field) for year, field in zip(self.years, self.counts, strict=True)]

    @property
    def numbers(self) -> list[int]:
        """Return the homes entered for each year; 0 for a field that is empty or invalid."""
        return [self._values.get(field.name) or 0 for field in self.counts]

    @property
    def kind_of_homes(self) -> dict[str, Any]:
        """Return the combination that was entered, as the content of a site stores it."""
        bedrooms = self._values.get("bedrooms")
        return {
            "tenure": self._values.get("tenure"),
            "bedrooms": None if bedrooms == "" else bedrooms,
            "needs": self._values.get("needs"),
        }

    @property
    def _values(self) -> Mapping[str, Any]:
        """Return the valid values that were entered; the initial values before anything is entered."""
        if not self.is_bound:
            return self.initial
        self.is_valid()  # fills `cleaned_data` with the valid fields
        return getattr(self, "cleaned_data", {})

    @property
    def total(self) -> int:
        """Return the homes of the row in all years."""
        return sum(self.numbers)


class _YearsForm(Form):
    """The years that head the columns. An empty heading is for homes without a year."""

    def __init__(self, *args: Any, count: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for index in range(count):
            field = YearField(label=f"Year of column {index + 1}", required=False, max_length=9)
            field.widget.attrs = {"class": "govuk-input", "aria-label": field.label, "autocomplete": "off"}
            self.fields[f"year_{index}"] = field
        for name in self.errors:
            self.fields[name].widget.attrs["class"] += " govuk-input--error"


class HomesGrid(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The grid of a site, with the headings of the years and the rows."""

    #: The page's script reads this limit before it adds a row or a year.
    max_boxes = MAX_BOXES

    def __init__(self, data: Any = None, *, homes: Iterable[Item] = (), years: Sequence[str] = ()) -> None:
        """Show the saved `homes`, or read the submitted `data`. `years` are the columns of a site without homes."""
        #: Whether all fields arrived. A page that was opened before an update of Common Ground may send no years, and
        #: saving its grid would lose the homes.
        self.is_whole = True
        rows, column_years = _rows_and_years(homes, years)
        column_count = len(column_years)
        initial_rows = None
        if data is None:
            blank_rows = [{"tenure": "social_rent", "needs": "general"}] * BLANK_ROWS
            initial_rows = [*rows, *blank_rows]
        else:
            column_count = _read_number(data.get("homes-YEARS"), MAX_BOXES)
            self.is_whole = _has_all_fields(data, column_count)
            if not self.is_whole:
                column_count = 1

        initial_years = {f"year_{index}": year for index, year in enumerate(column_years)}
        self.years = _YearsForm(data, count=column_count, prefix="homes", initial=initial_years)
        super().__init__(data, prefix="homes", initial=initial_rows)

    @property
    def is_full(self) -> bool:
        """Return whether one more row would exceed the fields that the page can send."""
        return count_fields(len(self.forms) + 1, len(self.headings)) > MAX_BOXES

    @property
    def headings(self) -> list[BoundField]:
        """Return the fields of the years."""
        return list(self.years)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Return the years, which the labels of the row's fields contain."""
        return {"years": [str(heading.value() or "") for heading in self.headings]}

    def is_valid(self) -> bool:
        """Return whether all fields arrived and are valid."""
        return self.is_whole and self.years.is_valid() and super().is_valid()

    def lines(self) -> list[Item]:
        """Return the lines of homes entered so far, without empty and invalid lines."""
        if self.is_bound:
            self.is_valid()  # fills `cleaned_data` with the valid fields
        data = getattr(self.years, "cleaned_data", {}) if self.is_bound else self.years.initial
        years = [str(data.get(heading.name) or "") for heading in self.headings]
        return [
            {**form.kind_of_homes, "year": year, "count": count}
            for form in self
            for year, count in zip(years, form.numbers, strict=True)
            if count
        ]

    def value(self) -> dict[str, list[Item]]:
        """Return the homes in the form in which the content of a site stores them. The grid must be valid."""
        return {"homes": self.lines()}

    @property
    def totals(self) -> list[int]:
        """Return the homes of each column."""
        return [sum(numbers) for numbers in zip(*(form.numbers for form in self), strict=True)]

    @property
    def total(self) -> int:
        """Return the homes of the whole grid."""
        return sum(self.totals)

    @property
    def problems(self) -> list[dict[str, str]]:
        """Return the errors for the error summary, each with the label of its field and a link to the field."""
        errors = []
        if not self.is_whole or self.non_form_errors():
            errors.append({"text": NOT_WHOLE, "target": ""})
        fields = [*self.headings]
        for form in self:
            fields += form.visible_fields()
        for field in fields:
            for text in error_words(field):
                labelled_text = text if text.startswith(str(field.label)) else f"{field.label}: {text}"
                errors.append({"text": labelled_text, "target": field.id_for_label})
        return errors


HomesFormSet: Any = forms.formset_factory(  # Any: the type stubs do not know the arguments of HomesGrid
    HomesRow, formset=HomesGrid, extra=0, max_num=MAX_ROWS, absolute_max=MAX_SENT_ROWS
)


def count_fields(rows: int, years: int) -> int:
    """Return the number of fields in a grid.

    The grid has a heading for each year and, in each row, three choices and a count for each year.
    """
    return rows * (years + 3) + years


def is_too_large(homes: Iterable[Item]) -> bool:
    """Return whether a grid of these lines would have more fields than a page can send."""
    rows, column_years = _rows_and_years(homes, ())
    return count_fields(len(rows) + BLANK_ROWS, len(column_years)) > MAX_BOXES


def _has_all_fields(data: Any, years: int) -> bool:
    """Return whether a submitted grid says how many years it has, and has no more fields than a browser can send."""
    rows = _read_number(data.get("homes-TOTAL_FORMS"), MAX_BOXES)
    return str(data.get("homes-YEARS") or "").isdecimal() and count_fields(rows, years) <= MAX_BOXES


def _read_number(text: Any, limit: int) -> int:
    """Return the number in a text, at most `limit`; 1 if the text is not a number."""
    return min(int(text), limit) if str(text or "").isdecimal() else 1


def _rows_and_years(homes: Iterable[Item], years: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a grid for these lines of homes, and the years of its columns.

    If no line has a year, the columns are `years`. The last column is "", for homes without a year.
    """
    lines = sorted(homes, key=_row_order)
    used_years = {line["year"] for line in lines if line["year"]}
    column_years = [*sorted(used_years or years), ""]
    index_by_year = {year: index for index, year in enumerate(column_years)}
    row_by_combination: dict[tuple[str, int | None, str], dict[str, Any]] = {}
    for line in lines:
        tenure, bedrooms, needs = line["tenure"], line["bedrooms"], line["needs"]
        new_row = {"tenure": tenure, "bedrooms": "" if bedrooms is None else bedrooms, "needs": needs}
        row = row_by_combination.setdefault((tenure, bedrooms, needs), new_row)
        row[f"count_{index_by_year[line['year']]}"] = line["count"]
    return list(row_by_combination.values()), column_years


def _row_order(line: Item) -> tuple[int, int, int]:
    """Return the sort key of a row, which gives the same order as in all tables of homes."""
    bedrooms = -1 if line["bedrooms"] is None else line["bedrooms"]
    return list(TENURES).index(line["tenure"]), bedrooms, list(NEEDS).index(line["needs"])


def suggested_years(content: Content, kind: str, today: dt.date) -> list[str]:
    """Return the years to offer for a site without homes.

    They are the last years of the plan's other sites or, if those have none, the first years of the plan's period.
    """
    used_years = sorted({line["year"] for site in content["sites"] for line in site["homes"] if line["year"]})
    if used_years:
        return used_years[-MAX_SUGGESTED:]
    period_start = str(content["about"]["period_start"])[:4]
    first_year = int(period_start) if period_start else today.year
    return [year_of_kind(kind, first_year + offset) for offset in range(FIRST_YEARS)]


def add_row_or_year(data: Any, kind: str) -> Any:
    """Return the submitted grid with more rows or with one more year, depending on the button.

    A grid that is already as large as a page can send is returned unchanged.
    """
    extended_data = data.copy()
    button = data.get("more")
    row_count = _read_number(data.get("homes-TOTAL_FORMS"), MAX_SENT_ROWS)
    year_count = _read_number(data.get("homes-YEARS"), MAX_BOXES)
    has_room_for_rows = count_fields(row_count + BLANK_ROWS, year_count) <= MAX_BOXES
    has_room_for_year = year_count < MAX_YEARS and count_fields(row_count, year_count + 1) <= MAX_BOXES
    if button == "rows" and has_room_for_rows and row_count < MAX_ROWS:
        extended_data["homes-TOTAL_FORMS"] = str(min(row_count + BLANK_ROWS, MAX_ROWS))
    elif button == "years" and has_room_for_year:
        extended_data["homes-YEARS"] = str(year_count + 1)
        extended_data[f"homes-year_{year_count}"] = _next_year(data, year_count, kind)
    return extended_data


def _next_year(data: Any, year_count: int, kind: str) -> str:
    """Return the year after the last year of a submitted grid; "" if the grid has no year."""
    year_texts = [data.get(f"homes-year_{index}", "")[:4] for index in range(year_count)]
    last_year = max((int(text) for text in year_texts if text.isdecimal()), default=0)
    return year_of_kind(kind, last_year + 1) if last_year > 1 else ""
