"""Build the content of records of confirmed returns, and read records in full or with small counts masked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform

from partnerships.kit.disclosure import MIN_FLOOR, Cell, release
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import (
    NominationsAgreement,
    NominationsReturn,
    ReturnLine,
    ReturnQuerySet,
    ReturnRecord,
)
from partnerships.nominations.queries.agreement import Period
from partnerships.nominations.queries.returns import ReturnResult, percentage, sum_lines
from partnerships.nominations.schedule import Bedrooms, size_and_let_in_words
from partnerships.organisations.statements import rows_for

_FIRST_LETS, _RELETS = "first lets", "relets"
_NOMINEES, _OTHERS = "nominees", "others"
#: Fields of a line by how a record stores them: whole numbers, other values, and decimals as text.
_NUMBERS = ("lettings", "nominated", "not_supplied", "offers", "in_time", "days")
_VALUES = ("bedrooms", "is_first_let", "reason", "answer")
_DECIMALS = ("median_days", "share")


def record_content(
    nominations_return: NominationsReturn, lines: Sequence[ReturnLine], period: Period | None
) -> dict[str, Any]:
    """Return the content for a new record of a return. The refusals of the lines should be prefetched."""
    run = nominations_return.run
    return {
        "starts_on": nominations_return.starts_on.isoformat(),
        "council": nominations_return.agreement.council_body.name,
        "provider": nominations_return.agreement.provider_body.name,
        "in_force": run.report.get("in_force", []),
        "suspended": run.report.get("suspended", []),
        "median_days": run.report.get("median_days", {}),
        "shares": _agreed_shares(period),
        "lines": [_line_content(line) for line in lines],
    }


def _agreed_shares(period: Period | None) -> dict[str, str]:
    """Return the agreed shares of first lets, and of relets by size. Empty without a period."""
    if period is None:
        return {}
    return {
        "first_lets": str(period.agreed.first_lets),
        **{size: str(share) for size, share in period.agreed.relets.items()},
    }


def _line_content(line: ReturnLine) -> dict[str, Any]:
    """Return a line as a record stores it."""
    content = {name: getattr(line, name) for name in (*_VALUES, *_NUMBERS)}
    for name in _DECIMALS:
        value = getattr(line, name)
        content[name] = None if value is None else str(value)
    content["refusals"] = {refusal.ground: refusal.number for refusal in line.refusals.all()}
    return content


def result_of_record(record: ReturnRecord) -> ReturnResult:
    """Return the figures of a record, in the same form as `result_of` returns those of a return.

    The lines are unsaved objects, so that pages can show a record in the same table as a return.
    """
    lines, refused = [], []
    for content in record.content["lines"]:
        # Older records have no `in_time` and no `days`.
        fields: dict[str, Any] = {name: content.get(name) for name in (*_VALUES, *_NUMBERS)}
        for name in _DECIMALS:
            fields[name] = None if content[name] is None else Decimal(content[name])
        lines.append(ReturnLine(**fields))
        refused.append(dict(content["refusals"]))
    return ReturnResult(lines=lines, refused=refused, total=sum_lines(lines))


def masked_counts(lines: Iterable[ReturnLine], previous_record: ReturnRecord | None) -> list[list[Any]]:
    """Return the counts of settled lines, with small counts masked, as lists of size, kind, source and count.

    A correction publishes nearly the same counts again, and the difference could reveal a masked count. So a count that
    was masked in the previous record stays masked. If a count that was shown in that record is now small, all totals
    that include it are masked.
    """
    cells = itertools.product(Bedrooms, (_FIRST_LETS, _RELETS), (_NOMINEES, _OTHERS))
    counts: dict[tuple[str, ...], int] = dict.fromkeys(cells, 0)
    for line in lines:
        kind = _FIRST_LETS if line.is_first_let else _RELETS
        counts[line.bedrooms, kind, _NOMINEES] = line.nominated
        counts[line.bedrooms, kind, _OTHERS] = line.lettings - line.nominated
    previous_counts = _count_by_cell(previous_record) if previous_record else {}
    masked_before: list[Cell] = []
    newly_small: list[Cell] = []
    for cell, previous_count in previous_counts.items():
        if previous_count is None:
            masked_before.append(cell)
        elif _sum_of(counts, cell) < MIN_FLOOR:
            newly_small.append(cell)
    for cell, previous_count in previous_counts.items():
        includes_small = any(_includes_cell(cell, small_cell) for small_cell in newly_small)
        if previous_count is not None and includes_small:
            masked_before.append(cell)
    figures = release(counts, tables=[(0, 1, 2)], masked_before=masked_before)
    return [[*cell, count] for cell, count in figures.items()]


def _sum_of(counts: Mapping[tuple[str, ...], int], cell: Cell) -> int:
    """Return the count of a cell or total."""
    return sum(count for inner_cell, count in counts.items() if _includes_cell(cell, inner_cell))


def _includes_cell(cell: Cell, other_cell: Cell) -> bool:
    """Return whether a cell or total includes all that another includes. None in a cell represents all values."""
    return all(value is None or value == other for value, other in zip(cell, other_cell, strict=True))


def _count_by_cell(record: ReturnRecord) -> dict[Cell, int | None]:
    """Return the counts that a record shows to other parties. A masked count is None."""
    return {(size, kind, source): count for size, kind, source, count in record.masked}


@dataclass(frozen=True, slots=True)
class MaskedLine:
    """The lettings of one size and kind, or a total. A masked count is None."""

    words: str
    lettings: int | None
    nominated: int | None
    share: Decimal | None

    @property
    def achieved(self) -> Decimal | None:
        """Return nominations in per cent of lettings, or None unless both are shown."""
        if self.lettings is None or self.nominated is None:
            return None
        return percentage(self.nominated, self.lettings)


def with_side_names(returns: ReturnQuerySet) -> ReturnQuerySet:
    """Annotate returns with the names of council and provider in their newest record, for `side_names`."""
    records = ReturnRecord.objects.filter(nominations_return=OuterRef("pk")).order_by("-number")

    def name_in_newest_record(side: str) -> Subquery:
        return Subquery(records.annotate(name=KeyTextTransform(side, "content")).values("name")[:1])

    return returns.annotate(
        kept_council=name_in_newest_record("council"), kept_provider=name_in_newest_record("provider")
    )


def side_names(nominations_return: NominationsReturn) -> tuple[str, str]:
    """Return the names of council and provider in the newest record or, without a record, their present names.

    Other organisations may have succeeded them since. `nominations_return` should be fetched with `with_side_names`.
    """
    council, provider = nominations_return.kept_council, nominations_return.kept_provider  # type: ignore[attr-defined]  # annotated
    return (
        council or nominations_return.agreement.council_body.name,
        provider or nominations_return.agreement.provider_body.name,
    )


def records_of(nominations_return: NominationsReturn) -> list[ReturnRecord]:
    """Return the records of a return, newest first."""
    records = list(nominations_return.records.select_related("sent_by", "confirmed_by").order_by("-number"))
    # Set the return that is already loaded, so that pages do not read it again for each record.
    for record in records:
        record.nominations_return = nominations_return
    return records


def masked_result_of(nominations_return: NominationsReturn) -> list[MaskedLine]:
    """Return the lines and totals of the newest record for other parties, with small counts masked.

    Every size and kind has a line, because a missing line would reveal that nothing was let. A return that was never
    confirmed has no lines.
    """
    record = nominations_return.records.order_by("-number").first()
    if record is None:
        return []
    counts, shares = _count_by_cell(record), record.content["shares"]
    lines = []
    for kind, kind_label in ((_FIRST_LETS, "First lets"), (_RELETS, "Relets")):
        is_first_let = kind == _FIRST_LETS
        for size in Bedrooms:
            share = shares.get("first_lets" if is_first_let else size)
            line = _masked_line(counts, size_and_let_in_words(size, first_let=is_first_let), size=size, kind=kind)
            lines.append(replace(line, share=Decimal(share) if share else None))
        lines.append(_masked_line(counts, f"{kind_label}, all sizes", kind=kind))
    lines += [_masked_line(counts, f"All lettings, {size.label.lower()}", size=size) for size in Bedrooms]
    return [*lines, _masked_total(counts)]


def _masked_line(
    counts: Mapping[Cell, int | None], words: str, *, size: str | None = None, kind: str | None = None
) -> MaskedLine:
    """Return the line of a size and kind, or of all sizes or kinds."""
    return MaskedLine(
        words=words, lettings=counts[size, kind, None], nominated=counts[size, kind, _NOMINEES], share=None
    )


def _masked_total(counts: Mapping[Cell, int | None]) -> MaskedLine:
    """Return the line of all lettings."""
    return _masked_line(counts, "All lettings")


def masked_trend_of(agreement: NominationsAgreement) -> list[tuple[Quarter, MaskedLine]]:
    """Return each quarter with the total of its newest record, earliest first. Small counts are masked."""
    records = ReturnRecord.objects.filter(nominations_return__agreement=agreement).order_by(
        "nominations_return__starts_on", "-number"
    )
    newest_records = records.distinct("nominations_return__starts_on")
    return [(Quarter(record.starts_on), _masked_total(_count_by_cell(record))) for record in newest_records]


def newest_masked_totals(partnership_ids: list[int]) -> dict[int, tuple[Quarter, MaskedLine]]:
    """Return by agreement (id) the last quarter with its total, as `masked_trend_of` does for one agreement."""
    return {
        record.nominations_return.agreement_id: (Quarter(record.starts_on), _masked_total(_count_by_cell(record)))
        for record in rows_for(newest_records, partnership_ids)
    }


def newest_records(partnership_ids: list[int]) -> QuerySet[ReturnRecord]:
    """Return the newest record of the last quarter of each agreement of these partnerships."""
    records = ReturnRecord.objects.filter(nominations_return__agreement__partnership__in=partnership_ids)
    last_quarter_first = records.order_by("nominations_return__agreement", "-nominations_return__starts_on", "-number")
    return last_quarter_first.distinct("nominations_return__agreement").select_related("nominations_return")
