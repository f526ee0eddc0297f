"""Names the person who reads comments, asks this moderator to agree, and records the answer.

Naming has the same result for every address, so that nobody can find out who has an account, or in which organisation.
A person without an account, or inside one of the parties, never gets an email and cannot agree.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.kit.rights import require
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.people.services import UnableToAddPerson, person_for_address
from partnerships.surveys.models import AnswerMode, Round
from partnerships.surveys.queries.rounds import ids_of_leads_who_run, invitation_list_hash
from partnerships.surveys.rights import may_agree
from partnerships.surveys.services.recording import UnableToRun, journal_reader, lock_own_draft, lock_round


def person_at_address(address: str) -> User:
    """Return the person with this address. Raises `UnableToRun` if the address is invalid."""
    try:
        return person_for_address(email=address)
    except UnableToAddPerson as error:
        raise UnableToRun(str(error)) from error


@transaction.atomic
def name_moderator(*, survey_round: Round, address: str, author: User | None, now: dt.datetime) -> None:
    """Name the person who will read the comments of an anonymous draft. Raises `UnableToRun`."""
    survey_round = lock_own_draft(survey_round, author, now)
    if survey_round.way != AnswerMode.ANONYMOUS:
        raise UnableToRun(
            "In a survey by name, nobody reads the comments before the members do, so you do not need to name anyone."
        )
    person = person_at_address(address)
    if survey_round.invitations.filter(person=person).exists():
        raise UnableToRun(
            f"{person.email} is asked to answer the survey, so they cannot read its comments. Name another person."
        )
    if person.pk == survey_round.moderator_id:
        return  # saving again would clear `moderator_asked_at`, so that they could be emailed twice in a day
    _change_moderator(survey_round, person, now=now)


def _change_moderator(survey_round: Round, person: User | None, *, now: dt.datetime) -> None:
    """Set another moderator, or none.

    The journal notes the earlier moderator, so that a restored backup does not show that person the comments.
    """
    journal_reader(survey_round, now=now)
    survey_round.moderator = person
    survey_round.moderator_asked_at = None
    survey_round.moderator_agreed_at = None
    survey_round.save(update_fields=["moderator", "moderator_asked_at", "moderator_agreed_at"])


@transaction.atomic
def ask_moderator(*, survey_round: Round, author: User | None, now: dt.datetime) -> None:
    """Ask the moderator by email, at most once a day, to agree to read comments and to the list of people.

    Raises `UnableToRun`.
    """
    survey_round = lock_own_draft(survey_round, author, now)
    if survey_round.moderator_id is None or not survey_round.invitations.exists():
        raise UnableToRun("Add the people to ask first.")
    if survey_round.moderator_agreed_at is not None:
        raise UnableToRun("This person has already agreed, so you do not need to ask again.")
    asked_at = survey_round.moderator_asked_at
    if asked_at is not None and timezone.localdate(asked_at) == timezone.localdate(now):
        raise UnableToRun(
            "We have already asked this person today. The link in that email always shows the latest numbers of "
            "people, by group and email domain."
        )
    survey_round.moderator_asked_at = now
    survey_round.save(update_fields=["moderator_asked_at"])
    record_emails(
        kind="surveys.agreement", people=[survey_round.moderator_id], params={"round": survey_round.pk}, now=now
    )


@transaction.atomic
def agree_to_moderate(*, survey_round: Round, list_hash: str, author: User, now: dt.datetime) -> None:
    """Agree to read comments, and to the list of people. Raises `UnableToRun`.

    `list_hash` is the hash of the list that the page showed. If the list has changed, the moderator must read it again.
    """
    survey_round = lock_round(survey_round)
    require(may_agree(survey_round, author))
    if list_hash != invitation_list_hash(survey_round):
        raise UnableToRun(
            "The people or partnerships have changed since you opened this page. Check them again before you agree."
        )
    survey_round.moderator_agreed_at = now
    survey_round.save(update_fields=["moderator_agreed_at"])


@transaction.atomic
def decline_to_moderate(*, survey_round: Round, author: User, now: dt.datetime) -> None:
    """Decline to read comments, and email the leads of the survey so that they name another person."""
    survey_round = lock_round(survey_round)
    require(may_agree(survey_round, author))
    _change_moderator(survey_round, None, now=now)
    leads = ids_of_leads_who_run(survey_round.partnership)
    record_emails(kind="surveys.declined", people=leads, params={"round": survey_round.pk}, now=now)
