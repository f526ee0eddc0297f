"""The people who may call each service of answers."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.models import Answer, Incoming, PlanQuestion
from partnerships.conversations.services import Record
from partnerships.people.models import User
from tests.support.rights import LEAD, Row
from tests.world import World

STAKEHOLDER = frozenset({"stakeholder"})


def _plan(world: World) -> Any:
    return world.things["digest_plan"]


def _answer_arguments(world: World, author: User) -> dict[str, Any]:
    return {
        "person": author,
        "plan": _plan(world),
        "version_number": 2,
        "key": uuid.uuid4(),
        "now": timezone.now(),
    }


def _comment(world: World) -> Answer:
    return services.comment_by_link(text="Please keep the trees.", **_answer_arguments(world, world.sol))


def _colleague(world: World) -> Answer:
    return services.name_colleague(name="Cleo", email="cleo@council.example", **_answer_arguments(world, world.sol))


def _question(world: World) -> PlanQuestion:
    return services.ask_question(
        plan=_plan(world),
        title="Which homes are missing?",
        body="",
        closes_on=timezone.localdate() + dt.timedelta(days=7),
        author=world.amina,
        now=timezone.now(),
    )


def _answer(world: World, author: User, question: PlanQuestion) -> object:
    arguments = _answer_arguments(world, author)
    del arguments["plan"]
    return services.answer_question(question=question, text="Bungalows.", **arguments)


def _reply(world: World) -> Incoming:
    """Return a reply of Sol's that he has not confirmed yet."""
    reply: Incoming = world.things["answer_reply"]
    return reply


def _save(world: World, author: User, incoming: Incoming) -> object:
    record = Record(
        subject="The access road",
        held_on=timezone.localdate(),
        planned=False,
        format="writing",
        organisations=[world.westmarch],
        partnership=world.partnership,
        said="The road is agreed.",
    )
    return services.save_forwarded(
        incoming=incoming, organisation=world.larkhaven, record=record, author=author, now=timezone.now()
    )


def _decide(service: Any, **more: Any) -> Any:
    return lambda world, author, answer: service(answer=answer, author=author, now=timezone.now(), **more)


ROWS = (
    Row(
        "answers.acknowledge",
        lambda world, author, _: services.acknowledge(**_answer_arguments(world, author)),
        STAKEHOLDER,
    ),
    Row(
        "answers.record_concern",
        lambda world, author, _: services.record_concern(concerned=True, **_answer_arguments(world, author)),
        STAKEHOLDER,
    ),
    Row(
        "answers.comment_by_link",
        lambda world, author, _: services.comment_by_link(
            text="Please keep the trees.", **_answer_arguments(world, author)
        ),
        STAKEHOLDER,
    ),
    Row("answers.answer_question", _answer, STAKEHOLDER, prepare=_question),
    Row(
        "answers.name_colleague",
        lambda world, author, _: services.name_colleague(
            name="Carl", email="carl@council.example", **_answer_arguments(world, author)
        ),
        STAKEHOLDER,
    ),
    Row(
        "answers.change_own_name",
        lambda world, author, _: services.change_own_name(
            person=world.sol, name="Solomon", role="Chair", author=author, now=timezone.now()
        ),
        STAKEHOLDER,
    ),
    Row("answers.approve_answer", _decide(services.approve_answer), LEAD, prepare=_comment),
    Row("answers.refuse_answer", _decide(services.refuse_answer, reason="No."), LEAD, prepare=_comment),
    Row("answers.ask_named_colleague", _decide(services.ask_named_colleague), LEAD, prepare=_colleague),
    Row(
        "answers.trust_person",
        lambda world, author, _: services.trust_person(
            person=world.sol, organisation=world.larkhaven, author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "answers.end_trust",
        lambda world, author, trust: services.end_trust(trust=trust, author=author, now=timezone.now()),
        LEAD,
        prepare=lambda world: services.trust_person(
            person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now()
        ),
    ),
    Row(
        "answers.ask_question",
        lambda world, author, _: services.ask_question(
            plan=_plan(world),
            title="Which homes are missing?",
            body="",
            closes_on=timezone.localdate(),
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "answers.close_question",
        lambda world, author, question: services.close_question(question=question, author=author, now=timezone.now()),
        LEAD,
        prepare=_question,
    ),
    Row(
        "answers.confirm_reply",
        lambda world, author, incoming: services.confirm_reply(
            incoming=incoming, plan=_plan(world), text="Please keep the trees.", author=author, now=timezone.now()
        ),
        STAKEHOLDER,
        prepare=_reply,
    ),
    Row(
        "answers.drop_incoming",
        lambda world, author, incoming: services.drop_incoming(incoming=incoming, author=author, now=timezone.now()),
        STAKEHOLDER,
        prepare=_reply,
    ),
    Row("answers.save_forwarded", _save, LEAD, prepare=lambda world: world.things["answer_forwarded"]),
)

WITHOUT_A_PERSON = {
    "answers.plans_of_reply": "reads only",
    "answers.receive_mail": "called by the command that reads the mailbox",
    "answers.record_event": "records what a service did",
}
