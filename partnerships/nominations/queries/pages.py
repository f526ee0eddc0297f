"""Read the quarters that can be started, the grounds to fill in, and shortfalls with the asks for them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

from partnerships.exchange.models import Entry
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement, NominationsReturn, ReturnLine, ReturnRecord
from partnerships.nominations.queries.agreement import periods_in_force
from partnerships.nominations.queries.records import result_of_record
from partnerships.nominations.queries.returns import nomination_terms_for
from partnerships.nominations.schedule import Bedrooms, size_and_let_in_words
from partnerships.people.models import User

#: The number of past quarters for which the page offers to start a return.
QUARTERS = 8
#: A ground that agreements do not list, because it is the nominee who refuses.
NOMINEE_REFUSED = "The nominee refused the home"
#: The theme of asks to make up a shortfall.
THEME = "nominations"
#: Namespace of the keys of these asks.
_ASKS = uuid.UUID("6c7d0e2e-54a5-4a3b-9b0d-1a2f1f0c7d11")


def quarters_to_start(
    agreement: NominationsAgreement, today: dt.date, returns: Iterable[NominationsReturn] | None = None
) -> list[Quarter]:
    """Return the quarters for which a return can be started, newest first.

    Such a quarter has agreed shares and no return yet. It must be over, or the agreement must have ended in it. Pass
    all `returns` of the agreement if the page has read them already.
    """
    if returns is None:
        days_with_return = set(agreement.returns.values_list("starts_on", flat=True))
    else:
        days_with_return = {nominations_return.starts_on for nominations_return in returns}
    quarters = [Quarter.of(today)]
    while len(quarters) <= QUARTERS:
        quarters.append(quarters[-1].previous())
    quarters_without_return = [quarter for quarter in quarters if quarter.starts_on not in days_with_return]
    periods = periods_in_force(agreement, quarters_without_return)
    return [quarter for quarter, period in periods.items() if period.last_day < today]


def refusal_grounds(nominations_return: NominationsReturn, lines: Sequence[ReturnLine]) -> list[str]:
    """Return the agreed grounds for refusal, the nominee's own refusal, and any other ground with a figure."""
    agreed = nomination_terms_for(nominations_return.agreement, nominations_return.quarter)
    agreed_grounds = agreed.refusal_grounds if agreed else ()
    grounds_with_figure = sorted({refusal.ground for line in lines for refusal in line.refusals.all()})
    return list(dict.fromkeys([*agreed_grounds, NOMINEE_REFUSED, *grounds_with_figure]))


def shortfall_ask_key(line: ReturnLine) -> uuid.UUID:
    """Return the key of the ask to make up a line's shortfall. A second click finds the ask by the same key."""
    return _shortfall_ask_key(line.nominations_return_id, line.bedrooms, first_let=line.is_first_let)


def _shortfall_ask_key(return_id: int, size: str, *, first_let: bool) -> uuid.UUID:
    """Return the same key for the same return, size and kind of let."""
    return uuid.uuid5(_ASKS, f"{return_id}/{'first' if first_let else 'relet'}/{size}")


@dataclass(frozen=True, slots=True)
class ShortfallOrigin:
    """The line of a return whose shortfall an ask is meant to make up."""

    nominations_return: NominationsReturn
    #: The name of the line, such as "Relets, 2 bedrooms".
    words: str
    #: The newest correction of the return since the ask, and the corrected shortfall. None if there is no correction.
    corrected: ReturnRecord | None
    missing: int | None


def shortfall_origin(ask: Entry) -> ShortfallOrigin | None:
    """Return the line of a return whose shortfall an ask is meant to make up, or None for other asks.

    The ask stores only a hash of the line, so this tries every line that returns of the council can have.
    """
    if ask.theme != THEME or not ask.is_ask:
        return None
    returns = NominationsReturn.objects.for_pages().filter(agreement__council__organisation=ask.organisation_id)
    for nominations_return in returns.order_by("-starts_on", "pk"):
        for size, first_let in product(Bedrooms, (True, False)):
            if _shortfall_ask_key(nominations_return.pk, size, first_let=first_let) == ask.key:
                return _shortfall_origin(ask, nominations_return, size, first_let=first_let)
    return None


def _shortfall_origin(
    ask: Entry, nominations_return: NominationsReturn, size: Bedrooms, *, first_let: bool
) -> ShortfallOrigin:
    """Return the line with this size and kind of let, and how the newest correction changed its shortfall."""
    corrections = nominations_return.records.filter(number__gt=1, confirmed_at__gt=ask.created_at)
    newest_correction = corrections.order_by("-number").first()
    shortfall = None
    if newest_correction is not None:
        lines = result_of_record(newest_correction).lines
        shortfall = sum(
            line.result.shortfall for line in lines if (line.bedrooms, line.is_first_let) == (size, first_let)
        )
    return ShortfallOrigin(
        nominations_return=nominations_return,
        words=size_and_let_in_words(size, first_let=first_let),
        corrected=newest_correction,
        missing=shortfall,
    )


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A line with fewer nominees than agreed, and the ask for the missing homes, if there is one."""

    line: ReturnLine
    missing: int
    ask: Entry | None


def line_shortfalls(lines: Sequence[ReturnLine], user: User) -> list[Shortfall]:
    """Return the shortfall of each line that has one, with its ask if the person may read the ask."""
    line_by_key = {shortfall_ask_key(line): line for line in lines if line.result.shortfall}
    if not line_by_key:
        return []
    asks = Entry.objects.visible_to(user).filter(key__in=line_by_key)
    ask_by_key = {ask.key: ask for ask in asks}
    return [
        Shortfall(line=line, missing=line.result.shortfall, ask=ask_by_key.get(key))
        for key, line in line_by_key.items()
    ]
