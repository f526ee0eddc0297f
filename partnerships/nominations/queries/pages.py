"""What the pages of returns offer: quarters to start, grounds to fill in, what is missing and the asks made of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from partnerships.exchange.models import Entry
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement, NominationsReturn, ReturnLine
from partnerships.nominations.queries.agreement import periods_of
from partnerships.nominations.queries.returns import agreed_for
from partnerships.people.models import User

#: How many quarters back the page offers to start a return.
QUARTERS = 8
#: A ground that no agreement lists, because the nominee decides.
NOMINEE_REFUSED = "The nominee refused the home"
_ASKS = uuid.UUID("6c7d0e2e-54a5-4a3b-9b0d-1a2f1f0c7d11")


def quarters_to_start(agreement: NominationsAgreement, today: dt.date) -> list[Quarter]:
    """Quarters without a return in which shares were agreed, newest first.

    They are over, or the agreement ended in them.
    """
    begun = set(agreement.returns.values_list("starts_on", flat=True))
    quarters = [Quarter.of(today)]
    while len(quarters) <= QUARTERS:
        quarters.append(quarters[-1].previous())
    periods = periods_of(agreement, [one for one in quarters if one.starts_on not in begun])
    return [one for one, period in periods.items() if period.last < today]


def grounds_of(found: NominationsReturn, lines: Sequence[ReturnLine]) -> list[str]:
    """Grounds to fill in: those agreed for the quarter, the nominee's own refusal, and others that have a figure."""
    agreed = agreed_for(found.agreement, found.quarter)
    given = sorted({one.ground for line in lines for one in line.refusals.all()})
    return list(dict.fromkeys([*(agreed.refusal_grounds if agreed else ()), NOMINEE_REFUSED, *given]))


def key_of_ask(line: ReturnLine) -> uuid.UUID:
    """The key of the ask made of a line: a second click finds the first one's."""
    kind = "first" if line.is_first_let else "relet"
    return uuid.uuid5(_ASKS, f"{line.nominations_return_id}/{kind}/{line.bedrooms}")


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
