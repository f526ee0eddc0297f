"""Queries about nominations agreements and their returns, for pages and services."""

from partnerships.nominations.queries.agreement import agreement_of, nomination_terms_on
from partnerships.nominations.queries.my_work import TASK_SOURCES
from partnerships.nominations.queries.records import (
    MaskedLine,
    masked_result_of,
    masked_trend_of,
    newest_masked_totals,
    newest_records,
    records_of,
    result_of_record,
    side_names,
    with_side_names,
)
from partnerships.nominations.queries.returns import (
    QuarterResult,
    ReturnResult,
    Total,
    collection_year_of,
    disputed_lines_of,
    result_of,
    returns_of,
    row_outcomes,
    rows_by_authority,
    trend_of,
)

__all__ = [
    "TASK_SOURCES",
    "MaskedLine",
    "QuarterResult",
    "ReturnResult",
    "Total",
    "agreement_of",
    "collection_year_of",
    "disputed_lines_of",
    "masked_result_of",
    "masked_trend_of",
    "newest_masked_totals",
    "newest_records",
    "nomination_terms_on",
    "records_of",
    "result_of",
    "result_of_record",
    "returns_of",
    "row_outcomes",
    "rows_by_authority",
    "side_names",
    "trend_of",
    "with_side_names",
]
