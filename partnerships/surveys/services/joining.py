"""Asks other partnerships to run a round together, and records their answers."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.services.recording import lock_partnership
from partnerships.kit.disclosure import MIN_FLOOR
from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.limits import add_to_count
from partnerships.people.models import User
from partnerships.surveys.models import JOINT_FLOOR, AnswerMode, Joining, Round
from partnerships.surveys.queries.rounds import ids_of_leads_who_run, partnerships_to_ask
from partnerships.surveys.rights import rights_in, rights_over
from partnerships.surveys.services.recording import (
    UnableToRun,
    journal_joining,
    lock_own_draft,
    lock_round,
    withdraw_agreement,
)

#: A round can ask at most this many partnerships, and so can a partnership in a day. Each request emails many leads.
MAX_JOININGS = 30
_DAY = dt.timedelta(days=1)


@transaction.atomic
def ask_to_join(*, survey_round: Round, partnership: Partnership, author: User, now: dt.datetime) -> Joining:
    """Ask another partnership to run an anonymous draft too, and email its leads. Raises `UnableToRun`."""
    # Lock in the order of ids, so that two partnerships that ask each other do not deadlock.
    for partnership_id in sorted((survey_round.partnership_id, partnership.pk)):
        lock_partnership(partnership_id)
    survey_round = lock_own_draft(survey_round, author, now)
    if survey_round.way != AnswerMode.ANONYMOUS:
        raise UnableToRun("A survey by several partnerships must be anonymous.")
    if survey_round.joinings.count() >= MAX_JOININGS:
        raise UnableToRun(
            f"You can ask at most {MAX_JOININGS} partnerships to run a survey with you. Remove one first."
        )
    if not partnerships_to_ask(survey_round, author).filter(pk=partnership.pk).exists():
        raise UnableToRun("Choose a partnership from the list.")
    requests_today = add_to_count(f"asked to join a survey {survey_round.partnership_id}", stretch=_DAY, now=now)
    if requests_today > MAX_JOININGS:
        raise UnableToRun(f"This partnership has asked {MAX_JOININGS} partnerships today. Try again tomorrow.")

    joining = Joining.objects.create(round=survey_round, partnership=partnership, asked_by=author, asked_at=now)
    journal_joining(joining, now=now, undone=True)
    record_emails(
        kind="surveys.joining", people=ids_of_leads_who_run(partnership), params={"joining": joining.pk}, now=now
    )
    return joining


@transaction.atomic
def answer_joining(*, joining: Joining, joins: bool, author: User | None, now: dt.datetime) -> None:
    """Accept or decline a request to run a draft together, for the partnership that was asked. Raises `UnableToRun`.

    A partnership that accepts cannot leave the round. Only a lead of the draft can remove it, before the round opens.
    """
    survey_round = lock_round(joining.round)
    require(rights_over(joining.partnership, author, now).may_run)
    waiting_joinings = survey_round.joinings.select_for_update().filter(accepted_at=None)
    waiting_joining = waiting_joinings.filter(pk=joining.pk).first()
    if waiting_joining is None or not survey_round.is_draft:
        raise UnableToRun(
            "A lead has already answered this request, or the survey has opened, so you do not need to answer it."
        )
    if not joins:
        waiting_joining.delete()
        return
    if joining.partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRun("This partnership has ended, so it cannot join a survey.")

    waiting_joining.accepted_by = author
    waiting_joining.accepted_at = now
    waiting_joining.save(update_fields=["accepted_by", "accepted_at"])
    survey_round.floor = JOINT_FLOOR
    survey_round.save(update_fields=["floor"])
    withdraw_agreement(survey_round)


@transaction.atomic
def remove_joining(*, joining: Joining, author: User | None, now: dt.datetime) -> None:
    """Remove a partnership from a draft, with the people that its leads added. Raises `UnableToRun`."""
    survey_round = lock_own_draft(joining.round, author, now)
    deleted_count, _count_by_model = survey_round.joinings.filter(pk=joining.pk).delete()
    if deleted_count:
        journal_joining(joining, now=now)

    inviters = User.objects.filter(pk__in=survey_round.invitations.values("invited_by"))
    former_inviter_ids = [inviter.pk for inviter in inviters if not rights_in(survey_round, inviter, now).may_invite]
    survey_round.invitations.filter(invited_by__in=former_inviter_ids).delete()

    survey_round.floor = JOINT_FLOOR if survey_round.joinings.accepted().exists() else MIN_FLOOR
    survey_round.save(update_fields=["floor"])
    withdraw_agreement(survey_round)
