"""Who may open each page of answers.

Pages behind a link open for anyone who has the link. The plan and its digest are those of the access table of
digests.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.models import Answer, Incoming, IncomingFile
from partnerships.answers.reading import Attachment, Mail
from partnerships.answers.rights import partnership_key
from partnerships.digests.emails.links import Purpose
from partnerships.digests.models import Preference
from partnerships.outbox.reply_addresses import FORWARD, make_address, reply_address
from tests.digests.access import token
from tests.support.access import Row, expect, public
from tests.world import World

#: `prepare` uses the plan that the access table of digests prepares, so it runs after the others.
AFTER_OTHERS = True


def prepare(world: World) -> None:
    """Create a question, comments, a named colleague, and emails for the rows of the table."""
    plan = world.things["digest_plan"]
    now = timezone.now()
    question = services.ask_question(
        plan=plan,
        title="Which homes are missing?",
        body="Think of older people.",
        closes_on=timezone.localdate() + dt.timedelta(days=7),
        author=world.amina,
        now=now,
    )
    comment = services.comment_by_link(
        person=world.sol, plan=plan, version_number=2, text="Please keep the trees.", key=uuid.uuid4(), now=now
    )
    colleague = services.name_colleague(
        person=world.sol,
        plan=plan,
        version_number=2,
        name="Cora Council",
        email="cora@council.example",
        key=uuid.uuid4(),
        now=now,
    )

    key = Preference.objects.get(person=world.sol).link_key
    address = reply_address(world.things["digest_delivery"].pk, world.sol.pk, key=key)
    confirmed_reply = _receive_email(address, world.sol.email, now)
    unconfirmed_reply = _receive_email(address, world.sol.email, now)
    approved_comment = services.confirm_reply(
        incoming=confirmed_reply, plan=plan, text="With a picture.", author=world.sol, now=now
    )
    services.approve_answer(answer=Answer.objects.get(pk=approved_comment.pk), author=world.amina, now=now)

    forwarding_address = make_address(FORWARD, world.partnership.pk, key=partnership_key(world.partnership))
    world.things |= {
        "answer_question": question,
        "answer_comment": comment,
        "answer_colleague": colleague,
        "answer_reply": unconfirmed_reply,
        "answer_forwarded": _receive_email(forwarding_address, world.amina.email, now),
        "answer_file": IncomingFile.objects.get(answer=approved_comment.pk),
    }


def _receive_email(address: str, sender: str, now: dt.datetime) -> Incoming:
    """Return an email with an attachment that came in."""
    mail = Mail(
        recipients=(address,),
        sender=sender,
        subject="The access road",
        text="The road is agreed.",
        is_automatic=False,
        event_id=uuid.uuid4().hex,
        files=(Attachment("road.txt", b"A plan of the road.\n"),),
    )
    services.receive_mail(mail=mail, now=now)
    return Incoming.objects.latest("pk")


def plan(world: World) -> dict[str, Any]:
    return {"pk": world.things["digest_plan"].pk}


def comment(world: World) -> dict[str, Any]:
    return {"pk": world.things["answer_comment"].pk}


def colleague(world: World) -> dict[str, Any]:
    return {"pk": world.things["answer_colleague"].pk}


def question(world: World) -> dict[str, Any]:
    return {"pk": world.things["answer_question"].pk}


def link(world: World) -> dict[str, Any]:
    return {"token": token(Purpose.READ, world), "plan": world.things["digest_plan"].pk}


_READERS = expect(inside=200, outside=404)
_DECIDES = expect(inside=404, outside=404, lead=302)

ROWS = (
    Row("answers:by-link", on=link, get=public()),
    Row("answers:acknowledge", on=link, post=public(302)),
    Row("answers:concern", on=link, post=public(302)),
    Row("answers:comment-by-link", on=link, get=public(), post=public(302)),
    Row(
        "answers:question-by-link",
        on=lambda world: link(world) | {"question": world.things["answer_question"].pk},
        get=public(),
        post=public(302),
    ),
    Row("answers:colleague-by-link", on=link, get=public(), post=public(302)),
    Row("answers:name-by-link", on=link, get=public(), post=public(302)),
    Row(
        "answers:reply-by-link",
        on=lambda world: {"token": token(Purpose.READ, world), "incoming": world.things["answer_reply"].pk},
        get=public(),
        post=public(422),
    ),
    Row(
        "answers:incoming",
        on=lambda world: {"pk": world.things["answer_forwarded"].pk},
        get=expect(inside=404, outside=404, lead=200),
        post=expect(inside=404, outside=404, lead=422),
    ),
    Row(
        "answers:file",
        on=lambda world: {"pk": world.things["answer_file"].pk},
        get=expect(inside=200, outside=404),
    ),
    Row("answers:plan", on=plan, get=_READERS),
    Row(
        "answers:ask",
        on=plan,
        get=expect(inside=403, outside=404, lead=200),
        post=expect(inside=403, outside=404, lead=422),
    ),
    Row("answers:approve", on=comment, post=_DECIDES),
    Row("answers:refuse", on=comment, get=_DECIDES | {"lead": 200}, post=_DECIDES | {"lead": 422}),
    Row("answers:ask-colleague", on=colleague, post=_DECIDES),
    Row("answers:trust", on=comment, post=_DECIDES),
    Row(
        "answers:stop-trusting",
        on=lambda world: plan(world) | {"trust": 9_999_999},
        post=expect(inside=404, outside=404),
    ),
    Row("answers:close", on=question, post=expect(inside=403, outside=404, lead=302)),
)
