"""The series of published housing figures, their measures, and how their years are written."""

from __future__ import annotations

from enum import StrEnum


class Series(StrEnum):
    """The codes of publications that have new figures each year, quarter or month."""

    DELIVERY_TEST = "delivery-test"
    NET_ADDITIONS = "net-additions"
    AFFORDABLE_SUPPLY = "affordable-supply"
    WAITING_LISTS = "waiting-lists"
    REQUIREMENTS = "requirements"


class Status(StrEnum):
    """Whether a figure has a value, and how final it is."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"
    REVISED = "revised"
    NOT_PUBLISHED = "not_published"
    NOT_APPLICABLE = "not_applicable"
    WITHHELD = "withheld"


SERIES_LABELS = {
    Series.DELIVERY_TEST: "Housing Delivery Test",
    Series.NET_ADDITIONS: "Net additional dwellings (live table 122)",
    Series.AFFORDABLE_SUPPLY: "Affordable homes (live tables 1006 to 1008)",
    Series.WAITING_LISTS: "Households on housing registers",
    Series.REQUIREMENTS: "Housing requirements of local plans",
}
STATUS_LABELS = {
    Status.PUBLISHED: "Published",
    Status.PROVISIONAL: "Provisional",
    Status.REVISED: "Revised",
    Status.NOT_PUBLISHED: "Not published",
    Status.NOT_APPLICABLE: "Does not apply",
    Status.WITHHELD: "Withheld by the publisher",
}

#: The kinds of affordable home, by the live table that has them. A table gives starts on site and completions.
AFFORDABLE = {
    "1006": ("social_rent", "Social rent"),
    "1006a": ("affordable_rent", "Affordable rent"),
    "1006b": ("london_affordable_rent", "London Affordable Rent"),
    "1007a": ("intermediate_rent", "Intermediate rent"),
    "1007b": ("shared_ownership", "Shared ownership"),
    "1007c": ("affordable_ownership", "Affordable home ownership"),
    "1008": ("affordable", "All affordable homes"),
}
STAGES = {"s": ("starts", "starts on site"), "c": ("completions", "completions")}


def affordable_measure(table: str, stage: str) -> str:
    """Return the measure of a live table such as 1008 and a stage such as C, or "" for other live tables."""
    if table.casefold() not in AFFORDABLE:
        return ""
    kind, _ = AFFORDABLE[table.casefold()]
    stage_code, _ = STAGES[stage.casefold()]
    return f"{kind}_{stage_code}"


#: The label of the measure “consequence”, which is also the heading of a column of reports.
CONSEQUENCE = "Consequence of the test"
#: The labels of measures by their codes. A figure is a number of homes, unless the label says otherwise.
MEASURES = {
    "required": "Homes required",
    "required_total": "Homes required in the three years",
    "delivered": "Homes delivered",
    "delivered_total": "Homes delivered in the three years",
    "measurement": "Homes delivered as a share of homes required",
    "consequence": CONSEQUENCE,
    "net_additions": "Net additional dwellings",
    **{
        f"{kind}_{stage_code}": f"{kind_label}, {stage_label}"
        for kind, kind_label in AFFORDABLE.values()
        for stage_code, stage_label in STAGES.values()
    },
    "waiting_list": "Households on the housing register on 31 March",
    "requirement": "Homes required in the plan period",
    "requirement_least": "Homes required in the plan period, at least",
    "requirement_most": "Homes required in the plan period, at most",
    "requirement_a_year": "Homes required a year",
    "requirement_a_year_least": "Homes required a year, at least",
    "requirement_a_year_most": "Homes required a year, at most",
}


def period_words(series: str, first: int, last: int) -> str:
    """Return the years of a figure as the series writes them.

    For example, a financial year is “2024-25”, and three of them are “2020-21 to 2022-23”. The day of a register is
    “2025”, and the period of a plan is “2011 to 2029”.
    """
    if series == Series.REQUIREMENTS:
        return f"{first} to {last}"
    if first == last:
        return str(last)
    if last == first + 1:
        return financial_year(first)
    return f"{financial_year(first)} to {financial_year(last - 1)}"


def financial_year(first: int) -> str:
    """Return the financial year that begins in a year: 2024 is “2024-25”."""
    return f"{first}-{(first + 1) % 100:02d}"
