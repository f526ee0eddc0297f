"""The homes of a site as a grid.

A row for each tenure, bedrooms and needs type, a column for each year.
"""

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
#: Rows that the button adds, at most. A site may come with more from a file: all of them are shown and kept.
MAX_ROWS = 200
#: Years that the button adds, at most. A site may come with more from a file.
MAX_YEARS = 20
#: Rows of a sent grid that are read, at most.
MAX_SENT_ROWS = 1_000
#: Boxes of a grid, at most; `DATA_UPLOAD_MAX_NUMBER_FIELDS` has some more for the other fields of a site.
MAX_BOXES = 1_900
#: Columns of years that a grid without homes begins with.
FIRST_YEARS = 3
#: Years of a plan's other sites that a new site's grid begins with, at most.
MAX_SUGGESTED = 8
#: Homes in one cell, at most.
MAX_CELL = 100_000
NOT_WHOLE = "Part of the table of homes is missing, so nothing was saved. Open the site’s page again."


class YearField(forms.CharField):
    """A calendar or financial year in one spelling: "2027", "2027-28"."""

    def clean(self, value: Any) -> str:
        """The year; "" where none is given."""
        try:
            return read_year(super().clean(value))
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from error


class HomesRow(Form):
    """One row of the grid: what kind of homes, and how many of them in each year."""

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
        number = str(self.prefix or "0").rpartition("-")[2]
        row = int(number) + 1 if number.isdecimal() else 1
        for place, year in enumerate(years):
            label = f"Homes, {year or 'year not given'}, row {row}"
            self.fields[f"count_{place}"] = CountField(
                label=label, min_value=0, max_value=MAX_CELL, required=False, widget=forms.TextInput()
            )
        for name, field in self.fields.items():
            select = isinstance(field, forms.ChoiceField)
            field.widget.attrs.update(
                {
                    "class": "govuk-select" if select else "govuk-input",
                    "aria-label": f"{field.label}, row {row}" if select else field.label,
                }
                | ({} if select else {"inputmode": "numeric", "data-homes-count": "", "autocomplete": "off"})
            )
            if self.is_bound and self.errors.get(name):
                field.widget.attrs["class"] += " govuk-select--error" if select else " govuk-input--error"

    @property
    def kinds(self) -> list[BoundField]:
        """The boxes that say what kind of homes the row is about."""
        return [self["tenure"], self["bedrooms"], self["needs"]]

    @property
    def counts(self) -> list[BoundField]:
        """The boxes for the years, in order."""
        return [self[name] for name in self.fields if name.startswith("count_")]

    @property
    def by_year(self) -> list[tuple[str, BoundField]]:
        """The boxes for the years, each with its year in words."""
        return [(year or "No year", field) for year, field in zip(self.years, self.counts, strict=True)]

    @property
    def numbers(self) -> list[int]:
        """The homes of each year as entered; 0 for a box that is empty or wrong."""
        if self.is_bound:
            self.is_valid()  # fills what is valid
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
        for place in range(count):
            field = YearField(label=f"Year of column {place + 1}", required=False, max_length=9)
            field.widget.attrs = {"class": "govuk-input", "aria-label": field.label, "autocomplete": "off"}
            self.fields[f"year_{place}"] = field
        for name in self.errors:
            self.fields[name].widget.attrs["class"] += " govuk-input--error"


class HomesGrid(forms.BaseFormSet):  # type: ignore[type-arg]  # not generic at run time
    """The homes of a site."""

    #: For the page's script, which adds rows and years.
    max_boxes = MAX_BOXES

    def __init__(self, data: Any = None, *, homes: Iterable[Item] = (), years: Sequence[str] = ()) -> None:
        rows, columns = _arranged(homes, years)
        count = len(columns) if data is None else _number(data.get("homes-YEARS"), MAX_BOXES)
        #: Whether all boxes arrived: a page from before an update sends no years, and its homes would be lost.
        self.is_whole = data is None or _is_whole(data, count)
        if not self.is_whole:
            count = 1
        self.years = _YearsForm(
            data, count=count, prefix="homes", initial={f"year_{place}": year for place, year in enumerate(columns)}
        )
        blank = [{"tenure": "social_rent", "needs": "general"}] * BLANK_ROWS
        super().__init__(data, prefix="homes", initial=[*rows, *blank] if data is None else None)

    @property
    def is_full(self) -> bool:
        """Whether a page cannot send another row."""
        return boxes_in(len(self.forms) + 1, len(self.headings)) > MAX_BOXES

    @property
    def headings(self) -> list[BoundField]:
        """The boxes of the years."""
        return list(self.years)

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """The years, for the labels of the boxes."""
        return {"years": [str(heading.value() or "") for heading in self.headings]}

    def is_valid(self) -> bool:
        """Whether it arrived whole, with valid years and rows."""
        return self.is_whole and self.years.is_valid() and super().is_valid()

    def lines(self) -> list[Item]:
        """The lines of homes as entered so far, without those that are empty or invalid."""
        if self.is_bound:
            self.is_valid()  # fills what is valid
        data = getattr(self.years, "cleaned_data", {}) if self.is_bound else self.years.initial
        years = [str(data.get(heading.name) or "") for heading in self.headings]
        lines: list[Item] = []
        for form in self:
            row = getattr(form, "cleaned_data", {}) if form.is_bound else form.initial
            kind_of_home = {
                "tenure": row.get("tenure"),
                "bedrooms": None if row.get("bedrooms") == "" else row.get("bedrooms"),
                "needs": row.get("needs"),
            }
            for year, count in zip(years, form.numbers, strict=True):
                if count:
                    lines.append({**kind_of_home, "year": year, "count": count})
        return lines

    def value(self) -> dict[str, list[Item]]:
        """The lines that have homes, once valid."""
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
        """What is wrong, each naming its box and linking to it."""
        messages = []
        if not self.is_whole or self.non_form_errors():
            messages.append({"text": NOT_WHOLE, "target": ""})
        fields = [*self.headings]
        for form in self:
            fields += form.visible_fields()
        for field in fields:
            for text in error_words(field):
                words = text if text.startswith(str(field.label)) else f"{field.label}: {text}"
                messages.append({"text": words, "target": field.id_for_label})
        return messages


HomesFormSet: Any = forms.formset_factory(  # the stubs know no arguments of our own
    HomesRow, formset=HomesGrid, extra=0, max_num=MAX_ROWS, absolute_max=MAX_SENT_ROWS
)


def boxes_in(rows: int, years: int) -> int:
    """The boxes of a grid: a heading for each year, and in each row three choices and a box for each year."""
    return rows * (years + 3) + years


def is_too_large(homes: Iterable[Item]) -> bool:
    """Whether a grid of these lines would have more boxes than a page can send."""
    rows, columns = _arranged(homes, ())
    return boxes_in(len(rows) + BLANK_ROWS, len(columns)) > MAX_BOXES


def _is_whole(data: Any, years: int) -> bool:
    """Whether a sent grid says how many years it has, and is no larger than a browser can send."""
    rows = _number(data.get("homes-TOTAL_FORMS"), MAX_BOXES)
    return str(data.get("homes-YEARS") or "").isdecimal() and boxes_in(rows, years) <= MAX_BOXES


def _number(text: Any, limit: int) -> int:
    return min(int(text), limit) if str(text or "").isdecimal() else 1


def _arranged(homes: Iterable[Item], years: Sequence[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of a grid with some lines of homes, and its columns.

    The last column has no year.
    """
    lines = list(homes)
    columns = [*sorted({line["year"] for line in lines if line["year"]} or years), ""]
    rows: list[dict[str, Any]] = []
    for kind, lines_alike in groupby(
        sorted(lines, key=_order), key=lambda line: (line["tenure"], line["bedrooms"], line["needs"])
    ):
        tenure, bedrooms, needs = kind
        counts = {f"count_{columns.index(line['year'])}": line["count"] for line in lines_alike}
        rows.append({"tenure": tenure, "bedrooms": "" if bedrooms is None else bedrooms, "needs": needs, **counts})
    return rows, columns


def _order(line: Item) -> tuple[int, int, int]:
    """The place of a row: as in tables of homes."""
    bedrooms = -1 if line["bedrooms"] is None else line["bedrooms"]
    return list(TENURES).index(line["tenure"]), bedrooms, list(NEEDS).index(line["needs"])


def suggested_years(content: Content, kind: str, today: dt.date) -> list[str]:
    """The columns for a site without homes.

    They are the years of the plan's other sites, or else the next ones.
    """
    used = sorted({line["year"] for site in content["sites"] for line in site["homes"] if line["year"]})
    if used:
        return used[-MAX_SUGGESTED:]
    start = str(content["about"]["period_start"])[:4]
    first = int(start) if start else today.year
    return [year_of_kind(kind, first + place) for place in range(FIRST_YEARS)]


def with_more(data: Any, kind: str) -> Any:
    """The sent grid with more rows or one more year, as its button asks."""
    data = data.copy()
    rows, years = _number(data.get("homes-TOTAL_FORMS"), MAX_SENT_ROWS), _number(data.get("homes-YEARS"), MAX_BOXES)
    if data.get("more") == "rows" and boxes_in(rows + BLANK_ROWS, years) <= MAX_BOXES:
        data["homes-TOTAL_FORMS"] = str(max(rows, min(rows + BLANK_ROWS, MAX_ROWS)))
    if data.get("more") == "years" and years < MAX_YEARS and boxes_in(rows, years + 1) <= MAX_BOXES:
        years_entered = [data.get(f"homes-year_{place}", "")[:4] for place in range(years)]
        last = max((int(year) for year in years_entered if year.isdecimal()), default=dt.date.min.year)
        data["homes-YEARS"] = str(years + 1)
        data[f"homes-year_{years}"] = year_of_kind(kind, last + 1) if last > 1 else ""
    return data
