"""Queries about nominations agreements and their returns, for pages and services."""

from partnerships.nominations.queries.agreement import agreement_of, nomination_terms_on
from partnerships.nominations.queries.my_work import WAITING
from partnerships.nominations.queries.records import (
    MaskedLine,
    masked_result_of,
    masked_trend_of,
    records_of,
    result_in,
    sides_of,
    with_sides,
)
from partnerships.nominations.queries.returns import (
    QuarterResult,
    ReturnResult,
    Total,
    authorities_of,
    disputed_lines_of,
    outcomes_of,
    result_of,
    returns_of,
    trend_of,
    year_of,
)

__all__ = [
    "WAITING",
    "MaskedLine",
    "QuarterResult",
    "ReturnResult",
    "Total",
    "agreement_of",
    "authorities_of",
    "disputed_lines_of",
    "masked_result_of",
    "masked_trend_of",
    "nomination_terms_on",
    "outcomes_of",
    "records_of",
    "result_in",
    "result_of",
    "returns_of",
    "sides_of",
    "trend_of",
    "with_sides",
    "year_of",
]
