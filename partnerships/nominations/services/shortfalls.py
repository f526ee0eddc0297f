"""Ask the provider to make up homes that should have gone to nominees."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.db import transaction

from partnerships.exchange.models import Audience, Direction, Entry, Status
from partnerships.exchange.services import UnableToChangeEntry, create_entry, share_entry
from partnerships.kit.rights import require
from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.queries.pages import THEME, shortfall_ask_key
from partnerships.nominations.rights import rights_over
from partnerships.nominations.services.returns import lock_return
from partnerships.people.models import User

UNIT = "homes"


class UnableToAskForShortfall(Exception):
    """Raised if the return is not sent, the line has no shortfall, or the ask cannot be created."""


@transaction.atomic
def ask_for_shortfall(
    *, nominations_return: NominationsReturn, line: int, author: User | None, now: dt.datetime
) -> Entry:
    """Create the council's ask to the provider for the shortfall of a line, or return the existing ask.

    The ask belongs to no partnership, because other parties would then see the number of homes. Raises
    `UnableToAskForShortfall`.
    """
    nominations_return = lock_return(nominations_return)
    agreement = nominations_return.agreement
    require(rights_over(agreement, author, now).may_ask)
    return_line = nominations_return.lines.filter(pk=line).first()
    if return_line is None or not return_line.result.shortfall:
        raise UnableToAskForShortfall("No nominations are missing in this line, so you do not need to ask for any.")
    if nominations_return.is_writable:
        raise UnableToAskForShortfall(
            "The provider has not sent this return, or is correcting it now. Wait until you receive the return."
        )

    result = return_line.result
    key = shortfall_ask_key(return_line)
    existing_ask = Entry.objects.filter(key=key).first()
    if existing_ask is not None:
        return existing_ask

    quarter = nominations_return.quarter
    statement = (
        f"In {quarter}, {return_line.nominated} of {result.counting} homes went to our nominees. The "
        f"agreed number is {result.agreed}. Please tell us how the missing {result.shortfall} will be made up."
    )
    try:
        entry = create_entry(
            organisation=agreement.council_body,
            direction=Direction.ASK,
            title=f"Nominations to make up: {return_line.words}, {quarter}",
            theme=THEME,
            audience=Audience.NAMED,
            addressees=[agreement.provider_body],
            statement=statement,
            quantity=Decimal(result.shortfall),
            unit=UNIT,
            key=key,
            author=author,
            now=now,
        )
        if entry.status == Status.DRAFT:
            share_entry(entry=entry, author=author, now=now)
    except UnableToChangeEntry as error:
        raise UnableToAskForShortfall(str(error)) from error
    return entry
