"""For the pages of returns.

Quarters to start, grounds to fill in, shortfalls and the asks made of them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from partnerships.exchange.models import Entry
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement, NominationsReturn, ReturnLine, ReturnRecord
from partnerships.nominations.queries.agreement import periods_of
from partnerships.nominations.queries.records import result_in
from partnerships.nominations.queries.returns import agreed_for
from partnerships.nominations.schedule import Bedrooms, words_of
from partnerships.people.models import User

#: How many quarters back the page offers to start a return.
QUARTERS = 8
#: A ground that no agreement lists, because the nominee decides.
NOMINEE_REFUSED = "The nominee refused the home"
#: The theme of asks made of a shortfall.
THEME = "nominations"
_ASKS = uuid.UUID("6c7d0e2e-54a5-4a3b-9b0d-1a2f1f0c7d11")


def quarters_to_start(agreement: NominationsAgreement, today: dt.date) -> list[Quarter]:
    """Quarters without a return in which shares were agreed, newest first.

    They are over, or the agreement ended in them.
    """
    begun = set(agreement.returns.values_list("starts_on", flat=True))
    quarters = [Quarter.of(today)]
    while len(quarters) <= QUARTERS:
        quarters.append(quarters[-1].previous())
    periods = periods_of(agreement, [quarter for quarter in quarters if quarter.starts_on not in begun])
    return [startable for startable, period in periods.items() if period.last < today]


def grounds_of(nominations_return: NominationsReturn, lines: Sequence[ReturnLine]) -> list[str]:
    """Grounds to fill in: those agreed for the quarter, the nominee's own refusal, and others that have a figure."""
    agreed = agreed_for(nominations_return.agreement, nominations_return.quarter)
    given = sorted({refusal.ground for line in lines for refusal in line.refusals.all()})
    return list(dict.fromkeys([*(agreed.refusal_grounds if agreed else ()), NOMINEE_REFUSED, *given]))


def key_of_ask(line: ReturnLine) -> uuid.UUID:
    """The key of the ask made of a line.

    A second click has the same key, and finds the first one's ask.
    """
    return _key(line.nominations_return_id, line.bedrooms, first_let=line.is_first_let)


def _key(return_id: int, size: str, *, first_let: bool) -> uuid.UUID:
    return uuid.uuid5(_ASKS, f"{return_id}/{'first' if first_let else 'relet'}/{size}")


@dataclass(frozen=True, slots=True)
class Origin:
    """The return that an ask was made of.

    `corrected` is the newest correction after the ask, and `missing` what that says is missing; None without one.
    """

    nominations_return: NominationsReturn
    words: str
    corrected: ReturnRecord | None
    missing: int | None


def origin_of(ask: Entry) -> Origin | None:
    """The return that an ask of a council was made of; None for other asks.

    The ask holds only a hash of its line, so this tries each line that a return of the council can have.
    """
    if ask.theme != THEME or not ask.is_ask:
        return None
    returns = NominationsReturn.objects.for_pages().filter(agreement__council__organisation=ask.organisation_id)
    for nominations_return in returns.order_by("-starts_on", "pk"):
        for size, first_let in product(Bedrooms, (True, False)):
            if _key(nominations_return.pk, size, first_let=first_let) == ask.key:
                return _origin(ask, nominations_return, size, first_let=first_let)
    return None


def _origin(ask: Entry, nominations_return: NominationsReturn, size: Bedrooms, *, first_let: bool) -> Origin:
    newest = (
        nominations_return.records.filter(number__gt=1, confirmed_at__gt=ask.created_at).order_by("-number").first()
    )
    words = words_of(size, first_let=first_let)
    if newest is None:
        return Origin(nominations_return, words, None, None)
    lines = [line for line in result_in(newest).lines if (line.bedrooms, line.is_first_let) == (size, first_let)]
    return Origin(nominations_return, words, newest, sum(line.result.shortfall for line in lines))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A line with fewer nominees than agreed, and the ask that was made of it."""

    line: ReturnLine
    missing: int
    ask: Entry | None


def shortfalls_of(lines: Sequence[ReturnLine], user: User) -> list[Shortfall]:
    """What is missing in each line, with the ask that the person may read."""
    short = [line for line in lines if line.result.shortfall]
    keys = {key_of_ask(line): line.pk for line in short}
    asks = {keys[entry.key]: entry for entry in Entry.objects.visible_to(user).filter(key__in=keys)} if keys else {}
    return [Shortfall(line, line.result.shortfall, asks.get(line.pk)) for line in short]
