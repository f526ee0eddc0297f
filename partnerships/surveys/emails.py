"""Emails about surveys. No email says who has answered, or how many people have.

Each function returns the content of an email, or a sentence that says why the email is no longer sent.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.outbox.content import Content, link
from partnerships.outbox.kinds import DueEmail, Postponed
from partnerships.people.models import User
from partnerships.people.refusals import people_who_refused
from partnerships.surveys import sealing
from partnerships.surveys.links import make_link
from partnerships.surveys.models import UNREAD_KEPT, Invitation, Joining, Round
from partnerships.surveys.queries.rounds import partnerships_of
from partnerships.surveys.rights import may_agree, may_moderate, rights_in, rights_over

#: A machine without the key of a survey retries its invitations after this time.
TRY_AGAIN = dt.timedelta(minutes=10)


def write_invitation(due: DueEmail, person: User, now: dt.datetime) -> Content | Postponed | str:
    """Compose the email that asks a person to answer."""
    return _request_to_answer("invitation", due, person, now)


def write_reminder(due: DueEmail, person: User, now: dt.datetime) -> Content | Postponed | str:
    """Compose the email that reminds a person to answer. Everyone gets it, because nobody may know who has answered."""
    return _request_to_answer("reminder", due, person, now)


def _request_to_answer(template: str, due: DueEmail, person: User, now: dt.datetime) -> Content | Postponed | str:
    """Compose the email to one invited person. If this machine does not have the round's key, postpone the email."""
    survey_round = _round_of(due)
    invitation = Invitation.objects.filter(round=survey_round, person=person).select_related("invited_by").first()
    if invitation is None or not survey_round.takes_answers(now):
        return "The survey is over."
    if people_who_refused([person]):
        return "The recipient has asked us not to email them, or our emails to them bounce."
    if survey_round.is_anonymous:
        try:
            token = sealing.token_of(survey_round.key_name, person.pk)
        except sealing.KeyMissing as error:
            alert_operators(
                "Invitations to a survey are waiting",
                f"{error} We will send the invitations once the key is there.",
                quiet=dt.timedelta(days=1),
            )
            return Postponed(now + TRY_AGAIN)
        href = link("surveys:answer", token=token)
    else:
        href = link("surveys:answer-by-name", token=make_link(invitation))
    return _content(template, survey_round, person, href, inviter=invitation.invited_by, privacy=link("people:privacy"))


def write_results(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that tells leads of the parties that the results are published."""
    survey_round = _round_of(due)
    if not survey_round.is_closed or not rights_in(survey_round, person, now).reads:
        return "The recipient can no longer read the results."
    return _content(
        "results",
        survey_round,
        person,
        link("surveys:detail", pk=survey_round.partnership_id, number=survey_round.number),
    )


def write_comments(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks the moderator to read the comments."""
    survey_round = _round_of(due)
    if not may_moderate(survey_round, person):
        return "The recipient no longer reads the comments from this survey."
    href = link("surveys:moderate", pk=survey_round.pk)
    return _content("comments", survey_round, person, href, read_by=_last_day_to_read_comments(survey_round))


def _last_day_to_read_comments(survey_round: Round) -> dt.date:
    """Return the day before unread comments are deleted."""
    assert survey_round.closed_at is not None  # only the comments of a closed round are read
    return timezone.localdate(survey_round.closed_at + UNREAD_KEPT) - dt.timedelta(days=1)


def write_agreement(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks the moderator to agree to read the comments, and to the list of people."""
    survey_round = _round_of(due)
    if not may_agree(survey_round, person):
        return "The recipient cannot read the comments from this survey."
    return _content("agreement", survey_round, person, link("surveys:agree", pk=survey_round.pk))


def write_declined(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that tells leads who prepare a survey that its moderator has declined."""
    survey_round = _round_of(due)
    if (
        not survey_round.is_draft
        or survey_round.moderator_id
        or not rights_over(survey_round.partnership, person, now).may_run
    ):
        return "Another person has been named to read the comments, or the survey has opened."
    href = link("surveys:name", pk=survey_round.partnership_id, number=survey_round.number)
    return _content("declined", survey_round, person, href)


def write_joining(due: DueEmail, person: User, now: dt.datetime) -> Content | str:
    """Compose the email that asks leads of a partnership to run a survey together with another partnership."""
    joining = Joining.objects.select_related("round__partnership", "partnership").get(pk=due.params["joining"])
    if not joining.round.is_draft or joining.accepted_at or not rights_over(joining.partnership, person, now).may_run:
        return "The request to run the survey together has been answered or withdrawn."
    href = link("surveys:overview", pk=joining.partnership_id)
    return _content("joining", joining.round, person, href, own=joining.partnership)


def _round_of(due: DueEmail) -> Round:
    """Return the round that the email is about."""
    return Round.objects.for_pages().get(pk=due.params["round"])


def _content(template: str, survey_round: Round, person: User, href: str, **extra_context: Any) -> Content:
    """Return an email about a round, with a link to `href`."""
    context = {
        "person": person,
        "round": survey_round,
        "partnership": survey_round.partnership,
        "partnerships": _partnership_titles(survey_round),
        "href": href,
        **extra_context,
    }
    return Content(f"surveys/{template}", context)


def _partnership_titles(survey_round: Round) -> str:
    """Return the partnerships that run a round, such as `partnerships “Estuary” and “Harbour”`."""
    *other_titles, last_title = [f"“{partnership.title}”" for partnership in partnerships_of(survey_round)]
    return f"partnerships {', '.join(other_titles)} and {last_title}" if other_titles else f"partnership {last_title}"
