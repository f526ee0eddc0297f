"""Prepares rounds, invites people, opens rounds, reminds everyone, and ends rounds without results."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import recording as partnership_recording
from partnerships.kit.dates import long_date
from partnerships.kit.disclosure import MIN_FLOOR
from partnerships.kit.rights import require
from partnerships.kit.text import listed
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.people.refusals import people_who_refused
from partnerships.people.retention import delete_in_batches
from partnerships.surveys import sealing
from partnerships.surveys.bodies import Group, join_small_groups
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import AnswerMode, Invitation, QuestionSet, Round, RoundStatus, SealedAnswer, Token
from partnerships.surveys.queries.rounds import partnerships_of
from partnerships.surveys.rights import invitations_to_withdraw, is_outside, rights_over
from partnerships.surveys.services.moderators import person_at_address
from partnerships.surveys.services.recording import (
    UnableToRun,
    journal_abandoned,
    journal_reader,
    lock_draft,
    lock_own_draft,
    lock_round,
    record_event,
    withdraw_agreement,
)

#: An anonymous round asks at least this many people, so that five may answer even if a few do not.
MIN_ASKED = 8
#: One round asks at most this many people.
MAX_ASKED = 500
#: People have at least this many days to answer after the round opens.
MIN_DAYS = 5
#: People have at most this many days to answer after the round opens.
MAX_DAYS = 90
#: The least number of days between an anonymous round and any other. Otherwise, readers could compare two rounds of
#: nearly the same people, and find out the answers of a person who was asked in only one, or by name in one.
MIN_DAYS_BETWEEN = 60
#: The least number of days between two reminders. People who have already answered get them too.
MIN_DAYS_TO_REMIND = 7
#: The list of people to ask in a draft is deleted after this time.
DRAFT_KEPT = dt.timedelta(days=180)
#: A partnership opens at most this many surveys in 30 days, because each emails people who did not ask for emails.
MAX_OPENED_A_MONTH = 3


@transaction.atomic
def prepare_round(
    *,
    partnership: Partnership,
    title: str,
    question_set: QuestionSet,
    way: str,
    closes_on: dt.date,
    moderator: str = "",
    author: User | None,
    now: dt.datetime,
) -> Round:
    """Create a draft of the partnership's next round. Nobody is asked before the round opens. Raises `UnableToRun`.

    `moderator` is the address of the person who will read the comments of an anonymous round. Whether this person may
    do so is checked only when they agree, so that preparing does not show who has an account.
    """
    partnership = partnership_recording.lock_partnership(partnership.pk)
    require(rights_over(partnership, author, now).may_run)
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRun("This partnership has ended, so you cannot prepare a survey for it.")
    if Round.objects.filter(partnership=partnership, status__in=[RoundStatus.DRAFT, RoundStatus.OPEN]).exists():
        raise UnableToRun("This partnership already has a survey. Wait until that survey is over, or end it.")
    last_number = Round.objects.filter(partnership=partnership).aggregate(last=Max("number"))["last"] or 0
    survey_round = Round.objects.create(
        partnership=partnership,
        number=last_number + 1,
        title=title.strip(),
        question_set=question_set,
        way=way,
        closes_on=closes_on,
        moderator=person_at_address(moderator) if way == AnswerMode.ANONYMOUS else None,
        created_at=now,
    )
    record_event(survey_round, EventKind.ROUND_DRAFTED, author=author, now=now)
    return survey_round


@transaction.atomic
def invite_people(
    *, survey_round: Round, addresses: Sequence[str], group: str, author: User | None, now: dt.datetime
) -> int:
    """Add people of one group to the list of a draft, and return the number of new people.

    Raises `UnableToRun`, whose message names addresses that are invalid or whose owners have refused emails.
    """
    survey_round = lock_draft(survey_round, author, now)
    people_by_id = _people_to_invite(survey_round, addresses)
    if refused_people := people_who_refused(list(people_by_id.values())):
        names = listed(sorted(person.email for person in refused_people))
        raise UnableToRun(f"Remove {names}. They have asked not to be contacted, or their emails bounce.")

    existing_invitations = Invitation.objects.filter(round=survey_round, person__in=people_by_id)
    existing_person_ids = set(existing_invitations.values_list("person_id", flat=True))
    new_people = [person for pk, person in people_by_id.items() if pk not in existing_person_ids]
    if survey_round.invitations.count() + len(new_people) > MAX_ASKED:
        raise UnableToRun(f"A survey can ask at most {MAX_ASKED} people. Add fewer addresses.")

    Invitation.objects.bulk_create(
        Invitation(round=survey_round, person=person, group=Group(group), invited_by=author) for person in new_people
    )
    if new_people:
        # The moderator agreed to the list without these people.
        withdraw_agreement(survey_round)
    return len(new_people)


def _people_to_invite(survey_round: Round, addresses: Iterable[str]) -> dict[int, User]:
    """Return the people with these addresses, by id, and create those who are not in the database yet.

    Raises `UnableToRun` if an address is invalid or is the moderator's.
    """
    people_by_id: dict[int, User] = {}
    for address in addresses:
        person = person_at_address(address)
        if person.pk == survey_round.moderator_id:
            raise UnableToRun(
                f"{person.email} reads the comments of this survey, so they cannot answer it. Remove this address."
            )
        people_by_id[person.pk] = person
    return people_by_id


@transaction.atomic
def withdraw_invitation(*, survey_round: Round, invitation: int, author: User | None, now: dt.datetime) -> None:
    """Remove an invitation from a draft. An invitation that the author may not remove remains, without an error."""
    survey_round = lock_draft(survey_round, author, now)
    removable_invitations = invitations_to_withdraw(survey_round, author, now)
    deleted_count, _count_by_model = removable_invitations.filter(pk=invitation).delete()
    if deleted_count:
        withdraw_agreement(survey_round)


@transaction.atomic
def ask_by_name(*, survey_round: Round, author: User | None, now: dt.datetime) -> None:
    """Change an anonymous draft to answers by name, for a partnership that is too small. Raises `UnableToRun`."""
    survey_round = lock_own_draft(survey_round, author, now)
    if survey_round.joinings.exists():
        raise UnableToRun(
            "A survey that several partnerships run must be anonymous. Remove the other partnerships first."
        )

    journal_reader(survey_round, now=now)
    survey_round.way = AnswerMode.NAMED
    survey_round.moderator = None
    survey_round.moderator_asked_at = None
    survey_round.moderator_agreed_at = None
    survey_round.save()


def reason_too_few_asked(asked: int, floor: int = MIN_FLOOR) -> str:
    """Return why this many people cannot be asked anonymously if a figure needs `floor` answers, or "" if they can."""
    min_asked = MIN_ASKED * floor // MIN_FLOOR
    if asked >= min_asked:
        return ""
    return (
        f"An anonymous survey needs at least {min_asked} people, and {asked} are invited. Results from fewer than "
        f"{floor} answers are not shown, because they could be traced to people. Invite more people, or ask by name."
    )


@transaction.atomic
def open_round(*, survey_round: Round, author: User | None, now: dt.datetime) -> Round:
    """Open a draft and email everyone on its list. Raises `UnableToRun`.

    After that, nobody can change the people asked, the questions or the last day. The private key of an anonymous round
    is created on this machine and never stored in the database.
    """
    # Lock in the order of ids, so that two rounds that open at once do not deadlock.
    for partnership_id in sorted(partnership.pk for partnership in partnerships_of(survey_round)):
        partnership_recording.lock_partnership(partnership_id)
    survey_round = lock_own_draft(survey_round, author, now)
    _remove_unwilling(survey_round)
    invitations = list(survey_round.invitations.all())
    _check_days_to_answer(survey_round, now)
    _check_recent_rounds(survey_round, now)
    if not invitations:
        raise UnableToRun("Invite at least one person first.")
    _check_days_between_rounds(survey_round, now)
    if survey_round.is_anonymous:
        _check_anonymity(survey_round, len(invitations), now)

    survey_round.status = RoundStatus.OPEN
    survey_round.opened_at = now
    survey_round.asked = dict(Counter(invitation.group for invitation in invitations))
    survey_round.counted = join_small_groups(survey_round.asked, survey_round.floor)
    if survey_round.is_anonymous:
        _create_key_and_tokens(survey_round, invitations)
    survey_round.save()

    _email_invited("surveys.invitation", survey_round, invitations, now)
    record_event(survey_round, EventKind.ROUND_OPENED, author=author, now=now)
    return survey_round


def _remove_unwilling(survey_round: Round) -> None:
    """Remove the partnerships that have not accepted, and the people who have refused emails since their invitation."""
    survey_round.joinings.filter(accepted_at=None).delete()
    refused_people = people_who_refused(User.objects.filter(pk__in=survey_round.invitations.values("person")))
    survey_round.invitations.filter(person__in=refused_people).delete()


def _create_key_and_tokens(survey_round: Round, invitations: Sequence[Invitation]) -> None:
    """Create the key of an anonymous round, and store the hash of each invited person's token."""
    survey_round.public_key = sealing.make_key(survey_round.key_name)
    token_by_person = sealing.tokens_of(survey_round.key_name, [invitation.person_id for invitation in invitations])
    # Sorted by hash, because the order of the invitations would show whose token each is.
    hashes = sorted(sealing.token_hash(token) for token in token_by_person.values())
    Token.objects.bulk_create(Token(hash=token_hash, round=survey_round) for token_hash in hashes)


def _check_recent_rounds(survey_round: Round, now: dt.datetime) -> None:
    """Raise `UnableToRun` if the partnership has opened too many surveys in the last 30 days."""
    since = now - dt.timedelta(days=30)
    recent_rounds = Round.objects.filter(partnership=survey_round.partnership, opened_at__gt=since)
    if recent_rounds.count() >= MAX_OPENED_A_MONTH:
        raise UnableToRun(
            f"This partnership has opened {MAX_OPENED_A_MONTH} surveys in the last 30 days. Open the next one later."
        )


def _check_days_to_answer(survey_round: Round, now: dt.datetime) -> None:
    """Raise `UnableToRun` if people would have too few or too many days to answer."""
    days = (survey_round.closes_on - timezone.localdate(now)).days
    if not MIN_DAYS <= days <= MAX_DAYS:
        raise UnableToRun(f"People need {MIN_DAYS} to {MAX_DAYS} days to answer. End this survey, and prepare another.")


def _check_anonymity(survey_round: Round, people_asked: int, now: dt.datetime) -> None:
    """Raise `UnableToRun` unless enough people are asked, and a moderator outside all parties has agreed."""
    if reason := reason_too_few_asked(people_asked, survey_round.floor):
        raise UnableToRun(reason)
    partnerships = partnerships_of(survey_round)
    if survey_round.moderator is None or survey_round.moderator_agreed_at is None:
        raise UnableToRun(
            "The person who reads comments has not agreed to this list of people yet. Wait, or name another person."
        )
    if not survey_round.moderator.is_active or not is_outside(survey_round.moderator, partnerships):
        raise UnableToRun("The person who was going to read the comments can no longer do so. Name another person.")
    today = timezone.localdate(now)
    if ended_titles := [partnership.title for partnership in partnerships if partnership.is_over_on(today)]:
        raise UnableToRun(f"The partnership “{ended_titles[0]}” has ended. Remove it from this survey first.")


def _check_days_between_rounds(survey_round: Round, now: dt.datetime) -> None:
    """Raise `UnableToRun` if the round would open too soon after another.

    Rounds by name may follow each other at once.
    """
    partnership_ids = [partnership.pk for partnership in partnerships_of(survey_round)]
    other_rounds = Round.objects.of_partnerships(partnership_ids).exclude(pk=survey_round.pk)
    if not survey_round.is_anonymous:
        other_rounds = other_rounds.filter(way=AnswerMode.ANONYMOUS)
    if other_rounds.filter(status=RoundStatus.OPEN).exists():
        raise UnableToRun("Another survey of these people is open. Wait until that survey is over.")

    last_day = other_rounds.filter(status=RoundStatus.CLOSED).aggregate(last=Max("closes_on"))["last"]
    if last_day and (timezone.localdate(now) - last_day).days < MIN_DAYS_BETWEEN:
        raise UnableToRun(
            f"A survey of these people ended on {last_day:%-d %B %Y}. Leave {MIN_DAYS_BETWEEN} days between an "
            "anonymous survey and any other. Otherwise readers could compare them to find out what a person answered."
        )


def _email_invited(kind: str, survey_round: Round, invitations: Sequence[Invitation], now: dt.datetime) -> None:
    """Email all invited people."""
    person_ids = [invitation.person_id for invitation in invitations]
    record_emails(kind=kind, people=person_ids, params={"round": survey_round.pk}, now=now)


@transaction.atomic
def remind_everyone(*, survey_round: Round, author: User | None, now: dt.datetime) -> int:
    """Remind everyone at most once a week, and return the number of people. Raises `UnableToRun`.

    People who have answered are reminded too, so that the leads do not learn who has answered.
    """
    survey_round = lock_round(survey_round)
    require(rights_over(survey_round.partnership, author, now).may_run)
    if not survey_round.takes_answers(now):
        raise UnableToRun("This survey is not open for answers, so you do not need to remind anyone.")
    today = timezone.localdate(now)
    if survey_round.reminded_on:
        next_day = survey_round.reminded_on + dt.timedelta(days=MIN_DAYS_TO_REMIND)
        if today < next_day:
            raise UnableToRun(
                f"You reminded everyone in the last week. You can remind them again on {long_date(next_day)}."
            )

    survey_round.reminded_on = today
    survey_round.save(update_fields=["reminded_on"])
    invitations = list(survey_round.invitations.all())
    _email_invited("surveys.reminder", survey_round, invitations, now)
    return len(invitations)


@transaction.atomic
def abandon_round(*, survey_round: Round, reason: str, author: User | None, now: dt.datetime) -> None:
    """End a draft or an open round without results, and delete its answers unread. Raises `UnableToRun`."""
    survey_round = lock_round(survey_round)
    require(rights_over(survey_round.partnership, author, now).may_run)
    reason = reason.strip()
    if survey_round.status not in (RoundStatus.DRAFT, RoundStatus.OPEN):
        raise UnableToRun("This survey is already over, so you do not need to end it.")
    if not reason:
        raise UnableToRun("Enter why you are ending the survey.")

    survey_round.status = RoundStatus.ABANDONED
    survey_round.reason = reason
    survey_round.public_key = None
    survey_round.save()
    delete_answers_and_list(survey_round)
    survey_round.named_answers.all().delete()

    journal_abandoned(survey_round, now=now)
    event = EventKind.ROUND_ABANDONED if survey_round.opened_at else EventKind.DRAFT_DROPPED
    record_event(survey_round, event, author=author, now=now, reason=reason)


def delete_old_lists(now: dt.datetime, dry_run: bool) -> int:
    """Delete the lists of people in surveys that were prepared long ago and never opened."""
    old_drafts = Round.objects.filter(status=RoundStatus.DRAFT, created_at__lte=now - DRAFT_KEPT)
    return delete_in_batches(Invitation.objects.filter(round__in=old_drafts), dry_run=dry_run)


def delete_answers_and_list(survey_round: Round) -> None:
    """Delete the sealed answers, the tokens and the list of people of a round, and its key after the commit."""
    SealedAnswer.objects.filter(round=survey_round).delete()
    Token.objects.filter(round=survey_round).delete()
    survey_round.invitations.all().delete()
    transaction.on_commit(lambda: sealing.destroy_key(survey_round.key_name), robust=True)
