"""Who may call the services of nominations agreements."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.nominations import services
from partnerships.nominations.models import Decision
from partnerships.nominations.services.shortfalls import ask_for_shortfall
from partnerships.people.models import User
from tests.nominations.quarters import afterwards, begun, complete, counted, decide, lettings_of, sent, settled, upload
from tests.nominations.signed import sign_nominations
from tests.support.rights import EDITORS, PARTNER_EDITORS, Row
from tests.world import World


def _complete(world: World, author: User, found: Any) -> None:
    complete(found, {found.lines.values_list("pk", flat=True)[0]: services.Supplement(offers=4)}, author)


def _decide(world: World, author: User, found: Any) -> None:
    lines = dict.fromkeys(found.lines.values_list("pk", flat=True), (Decision.CONFIRMED, ""))
    decide(world, found, lines, author)


def _ask(world: World, author: User, found: Any) -> None:
    line = next(line for line in found.lines.order_by("pk") if line.result.shortfall)
    ask_for_shortfall(nominations_return=found, line=line.pk, author=author, now=timezone.now())


ROWS = (
    Row("nominations.start_return", lambda w, who, a: begun(w, a, who), EDITORS, sign_nominations),
    Row(
        "nominations.take_lettings",
        lambda w, who, made: upload(w, *made, who),
        EDITORS,
        lambda w: (begun(w, sign_nominations(w)), lettings_of(w, 5)),
    ),
    Row("nominations.complete_return", _complete, EDITORS, lambda w: counted(w, sign_nominations(w))),
    Row(
        "nominations.send_return",
        lambda w, who, found: services.send_return(nominations_return=found, author=who, now=afterwards()),
        EDITORS,
        lambda w: counted(w, sign_nominations(w)),
    ),
    Row(
        "nominations.reopen_return",
        lambda w, who, found: services.reopen_return(
            nominations_return=found, reason="One is missing.", author=who, now=afterwards()
        ),
        EDITORS | PARTNER_EDITORS,
        lambda w: settled(w, sign_nominations(w)),
    ),
    Row("nominations.decide_lines", _decide, PARTNER_EDITORS, lambda w: sent(w, sign_nominations(w))),
    Row("nominations.ask_for_shortfall", _ask, PARTNER_EDITORS, lambda w: sent(w, sign_nominations(w))),
    Row(
        "nominations.ask_for_shortfall",
        lambda w, who, found: ask_for_shortfall(nominations_return=found, line=0, author=who, now=timezone.now()),
        PARTNER_EDITORS,
        lambda w: sent(w, sign_nominations(w)),
        situation="in no line of it",
        result="UnableToAsk: No nominations are missing in this line, so you do not need to ask for any.",
    ),
)
WITHOUT_A_PERSON = {
    "nominations.count_waiting": "called by a worker; each run has the rights of the person who uploaded it",
    "nominations.lock_to_write": "checks the rights for the services that write a return",
    "nominations.keep_record": "writes what the council confirmed, for the service that settles a return",
    "nominations.supplements_of": "reads what is saved of lines that the caller has",
    "nominations.record_event": "records what another service did",
    "nominations.record_return": "records what another service did",
}
