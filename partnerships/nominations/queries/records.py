"""Records of confirmed returns.

Written once, read as figures, files and masked results.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery
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
from partnerships.nominations.queries.returns import ReturnResult, per_cent_of, total_of
from partnerships.nominations.schedule import Bedrooms, words_of

_FIRST_LETS, _RELETS = "first lets", "relets"
_NOMINEES, _OTHERS = "nominees", "others"
#: Figures of a line that are stored as they are; others are decimals.
_NUMBERS = ("lettings", "nominated", "not_supplied", "offers", "in_time", "days")
_WORDS = ("bedrooms", "is_first_let", "reason", "answer")
_DECIMALS = ("median_days", "share")


def content_of(
    nominations_return: NominationsReturn, lines: Sequence[ReturnLine], period: Period | None
) -> dict[str, Any]:
    """What a record keeps of a return; fetch the lines with their refusals."""
    run = nominations_return.run
    return {
        "starts_on": nominations_return.starts_on.isoformat(),
        "council": nominations_return.agreement.council_body.name,
        "provider": nominations_return.agreement.provider_body.name,
        "in_force": run.report.get("in_force", []),
        "suspended": run.report.get("suspended", []),
        "median_days": run.report.get("median_days", {}),
        "shares": _shares(period),
        "lines": [_kept(line) for line in lines],
    }


def _shares(period: Period | None) -> dict[str, str]:
    if period is None:
        return {}
    return {
        "first_lets": str(period.agreed.first_lets),
        **{size: str(share) for size, share in period.agreed.relets.items()},
    }


def _kept(line: ReturnLine) -> dict[str, Any]:
    figures = {name: getattr(line, name) for name in (*_WORDS, *_NUMBERS)}
    decimals = {name: None if (value := getattr(line, name)) is None else str(value) for name in _DECIMALS}
    return {**figures, **decimals, "refusals": {refusal.ground: refusal.number for refusal in line.refusals.all()}}


def result_in(record: ReturnRecord) -> ReturnResult:
    """The figures of a record, as `result_of` gives those of a return."""
    kept = record.content["lines"]
    lines = [
        ReturnLine(
            # Records from before times to nominate were kept lack `in_time` and `days`.
            **{name: line.get(name) for name in (*_WORDS, *_NUMBERS)},
            **{name: None if line[name] is None else Decimal(line[name]) for name in _DECIMALS},
        )
        for line in kept
    ]
    return ReturnResult(lines, [dict(line["refusals"]) for line in kept], total_of(lines))


def masked_for(lines: Iterable[ReturnLine], before: ReturnRecord | None) -> list[list[Any]]:
    """The figures of settled lines with small counts masked.

    Size, kind, source of the letting, count. What was masked in the record before stays masked: two releases of nearly
    the same counts tell more than one. Where a count is small that the record before showed, every total that includes
    it is masked: its fall would say what is left.
    """
    cells = itertools.product(Bedrooms, (_FIRST_LETS, _RELETS), (_NOMINEES, _OTHERS))
    counts: dict[tuple[str, ...], int] = dict.fromkeys(cells, 0)
    for line in lines:
        kind = _FIRST_LETS if line.is_first_let else _RELETS
        counts[line.bedrooms, kind, _NOMINEES] = line.nominated
        counts[line.bedrooms, kind, _OTHERS] = line.lettings - line.nominated
    then = _figures(before) if before else {}
    fallen = [cell for cell, count in then.items() if count is not None and _sum_of(counts, cell) < MIN_FLOOR]

    def stays_masked(cell: Cell) -> bool:
        return then[cell] is None or any(_covers(cell, small) for small in fallen)

    masked_before = [cell for cell in then if stays_masked(cell)]
    figures = release(counts, tables=[(0, 1, 2)], masked_before=masked_before)
    return [[*cell, count] for cell, count in figures.items()]


def _sum_of(counts: Mapping[tuple[str, ...], int], cell: Cell) -> int:
    return sum(count for key, count in counts.items() if _covers(cell, key))


def _covers(cell: Cell, other: Cell) -> bool:
    """Whether a figure counts all that the other one counts."""
    return all(own is None or own == its for own, its in zip(cell, other, strict=True))


def _figures(record: ReturnRecord) -> dict[Cell, int | None]:
    return {(size, kind, source): count for size, kind, source, count in record.masked}


@dataclass(frozen=True, slots=True)
class MaskedLine:
    """Lettings of one size and kind, or a total; None where masked."""

    words: str
    lettings: int | None
    nominated: int | None
    share: Decimal | None

    @property
    def achieved(self) -> Decimal | None:
        """Nominations in per cent of lettings, if both are shown."""
        if self.lettings is None or self.nominated is None:
            return None
        return per_cent_of(self.nominated, self.lettings)


def with_sides(returns: ReturnQuerySet) -> ReturnQuerySet:
    """Returns with the names of council and provider as their newest record has them, for `sides_of`."""
    newest = ReturnRecord.objects.filter(nominations_return=OuterRef("pk")).order_by("-number")
    council, provider = (newest.annotate(said=KeyTextTransform(side, "content")) for side in ("council", "provider"))
    return returns.annotate(
        kept_council=Subquery(council.values("said")[:1]), kept_provider=Subquery(provider.values("said")[:1])
    )


def sides_of(nominations_return: NominationsReturn) -> tuple[str, str]:
    """The names of council and provider.

    As on the day on which it was confirmed last, else as today. The agreement may have passed to other bodies since.
    Needs `with_sides`.
    """
    council, provider = nominations_return.kept_council, nominations_return.kept_provider  # type: ignore[attr-defined]  # annotated
    return (
        council or nominations_return.agreement.council_body.name,
        provider or nominations_return.agreement.provider_body.name,
    )


def records_of(nominations_return: NominationsReturn) -> list[ReturnRecord]:
    """The records of a return, newest first."""
    records = list(nominations_return.records.select_related("sent_by", "confirmed_by").order_by("-number"))
    for record in records:
        record.nominations_return = nominations_return
    return records


def masked_result_of(nominations_return: NominationsReturn) -> list[MaskedLine]:
    """The newest record of a return and all totals, with small counts masked, for other parties.

    Every size and kind has a line: one left out would say that nothing of it was let. Offers, refusals, void days and
    vacancies without a nominee are not shown. A return that was never confirmed has no lines.
    """
    record = nominations_return.records.order_by("-number").first()
    if record is None:
        return []
    figures, shares = _figures(record), record.content["shares"]
    rows = []
    for kind, words in ((_FIRST_LETS, "First lets"), (_RELETS, "Relets")):
        for size in Bedrooms:
            said = shares.get("first_lets" if kind == _FIRST_LETS else size)
            share = Decimal(said) if said else None
            rows.append(_line(figures, words_of(size, first_let=kind == _FIRST_LETS), size, kind, share))
        rows.append(_line(figures, f"{words}, all sizes", None, kind))
    rows += [_line(figures, f"All lettings, {size.label.lower()}", size, None) for size in Bedrooms]
    return [*rows, _total(figures)]


def _line(
    figures: Mapping[Cell, int | None], words: str, size: str | None, kind: str | None, share: Decimal | None = None
) -> MaskedLine:
    return MaskedLine(words, figures[size, kind, None], figures[size, kind, _NOMINEES], share)


def _total(figures: Mapping[Cell, int | None]) -> MaskedLine:
    return _line(figures, "All lettings", None, None)


def masked_trend_of(agreement: NominationsAgreement) -> list[tuple[Quarter, MaskedLine]]:
    """The totals of the newest records, earliest quarter first, with small counts masked."""
    newest = ReturnRecord.objects.filter(nominations_return__agreement=agreement).order_by(
        "nominations_return__starts_on", "-number"
    )
    newest_of_quarters = newest.distinct("nominations_return__starts_on")
    return [(Quarter(record.starts_on), _total(_figures(record))) for record in newest_of_quarters]
