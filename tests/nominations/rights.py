"""The people who may call the services of nominations agreements."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.nominations import services
from partnerships.nominations.services.shortfalls import ask_for_shortfall
from partnerships.people.models import User
from tests.nominations.quarters import (
    confirm_all_lines,
    confirmed_return,
    counted_return,
    days_after,
    fill_in_table,
    lettings_of,
    sent_return,
    started_return,
    upload_lettings,
)
from tests.nominations.signed import sign_nominations
from tests.support.rights import EDITORS, PARTNER_EDITORS, Row
from tests.world import World


def _complete(world: World, author: User, nominations_return: Any) -> None:
    fill_in_table(
        nominations_return,
        {nominations_return.lines.values_list("pk", flat=True)[0]: services.Supplement(offers=4)},
        author,
    )


def _decide(world: World, author: User, nominations_return: Any) -> None:
    confirm_all_lines(world, nominations_return, author)


def _ask(world: World, author: User, nominations_return: Any) -> None:
    line = next(line for line in nominations_return.lines.order_by("pk") if line.result.shortfall)
    ask_for_shortfall(nominations_return=nominations_return, line=line.pk, author=author, now=timezone.now())


ROWS = (
    Row(
        "nominations.start_return", lambda world, author, a: started_return(world, a, author), EDITORS, sign_nominations
    ),
    Row(
        "nominations.store_lettings",
        lambda world, author, made: upload_lettings(world, *made, author),
        EDITORS,
        lambda world: (started_return(world, sign_nominations(world)), lettings_of(world, 5)),
    ),
    Row(
        "nominations.complete_return", _complete, EDITORS, lambda world: counted_return(world, sign_nominations(world))
    ),
    Row(
        "nominations.send_return",
        lambda world, author, nominations_return: services.send_return(
            nominations_return=nominations_return, author=author, now=days_after()
        ),
        EDITORS,
        lambda world: counted_return(world, sign_nominations(world)),
    ),
    Row(
        "nominations.reopen_return",
        lambda world, author, nominations_return: services.reopen_return(
            nominations_return=nominations_return, reason="One is missing.", author=author, now=days_after()
        ),
        EDITORS | PARTNER_EDITORS,
        lambda world: confirmed_return(world, sign_nominations(world)),
    ),
    Row(
        "nominations.decide_lines", _decide, PARTNER_EDITORS, lambda world: sent_return(world, sign_nominations(world))
    ),
    Row(
        "nominations.ask_for_shortfall",
        _ask,
        PARTNER_EDITORS,
        lambda world: sent_return(world, sign_nominations(world)),
    ),
    Row(
        "nominations.ask_for_shortfall",
        lambda world, author, nominations_return: ask_for_shortfall(
            nominations_return=nominations_return, line=0, author=author, now=timezone.now()
        ),
        PARTNER_EDITORS,
        lambda world: sent_return(world, sign_nominations(world)),
        situation="in no line of it",
        result="UnableToAskForShortfall: No nominations are missing in this line, so you do not need to ask for any.",
    ),
)
WITHOUT_A_PERSON = {
    "nominations.count_waiting": "called by a worker; each run has the rights of the person who uploaded it",
    "nominations.lock_return_to_edit": "checks the rights for the services that write a return",
    "nominations.create_record": "writes what the council confirmed, for the service that settles a return",
    "nominations.saved_supplements": "reads what is saved of lines that the caller has",
    "nominations.record_event": "records what another service did",
    "nominations.record_return_event": "records what another service did",
}
