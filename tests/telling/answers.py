"""Calls of services of answers that send emails, with who gets each."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

from django.utils import timezone

from partnerships.answers import services
from partnerships.answers.reading import Mail
from partnerships.answers.rights import partnership_key
from partnerships.digests import services as digests
from partnerships.outbox.models import Email
from partnerships.outbox.reply_addresses import FORWARD, make_address, reply_address
from partnerships.plans import services as plans
from tests.plans.drafts import published_plan
from tests.telling.case import Act, case
from tests.world import World


def _mail(address: str, sender: str) -> Mail:
    return Mail(
        recipients=(address,),
        sender=sender,
        subject="Re: news",
        text="Please keep the trees.",
        is_automatic=False,
        event_id=uuid.uuid4().hex,
    )


def _replied(world: World, text: str) -> Act:
    """Ben replies to the email that tells him of a mention."""
    plan = published_plan(world)
    plans.add_comment(plan=plan, version_number=1, text="@Ben West, is it so?", author=world.amina, now=timezone.now())
    told = Email.objects.filter(kind="plans.mention").latest("pk")
    mail = replace(_mail(reply_address(told.pk, world.ben.pk), world.ben.email), text=text)
    return lambda: services.receive_mail(mail=mail, now=timezone.now())


@case(("answers.confirm_reply", "ben"))
def reply_came_in(world: World) -> Act:
    return _replied(world, "It is.")


@case(("answers.unfit", "ben"))
def reply_without_words_came_in(world: World) -> Act:
    return _replied(world, "")


@case(("answers.confirm_forwarded", "amina"))
def email_forwarded(world: World) -> Act:
    address = make_address(FORWARD, world.partnership.pk, key=partnership_key(world.partnership))
    return lambda: services.receive_mail(mail=_mail(address, world.amina.email), now=timezone.now())


@case(("answers.refused", "sol"))
def answer_refused(world: World) -> Act:
    plan = published_plan(world)
    digests.add_confirmed_subscription(
        person=world.sol,
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now() - dt.timedelta(days=1),
    )
    answer = services.comment_by_link(
        person=world.sol,
        plan=plan,
        version_number=plan.current_number,
        text="Please keep the trees.",
        key=uuid.uuid4(),
        now=timezone.now(),
    )
    return lambda: services.refuse_answer(
        answer=answer, reason="It names a neighbour.", author=world.amina, now=timezone.now()
    )
