"""What a stakeholder answers through a link in an email."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from partnerships.activity.services import record
from partnerships.answers.event_kinds import EventKind
from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, PlanQuestion, Trust, WorkRole
from partnerships.answers.models.answers import DECIDED_BY_OWNER, WITH_TEXT
from partnerships.answers.rights import may_answer
from partnerships.answers.services.recording import record_answered, record_event
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.services import change_details
from partnerships.plans.content import COLLECTION_BY_CODE, UnknownPiece, get_piece, outside, split_piece
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of
from partnerships.plans.services.recording import lock_plan

#: Characters of an answer or comment.
MAX_TEXT = 5_000
#: Answers with words or a colleague that one person may give about one plan in a day.
MAX_A_DAY = 20

_EVENTS = {
    AnswerKind.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
    AnswerKind.CONCERNED: EventKind.CONCERNED,
    AnswerKind.UNCONCERNED: EventKind.UNCONCERNED,
    AnswerKind.COMMENT: EventKind.COMMENTED,
    AnswerKind.QUESTION: EventKind.ANSWERED,
    AnswerKind.COLLEAGUE: EventKind.COLLEAGUE_NAMED,
}


class UnableToAnswer(Exception):
    """The words are missing or too long, the plan is over, or a limit is reached."""


@transaction.atomic
def acknowledge(*, person: User, plan: Plan, version_number: int, key: uuid.UUID, now: dt.datetime) -> Answer:
    """Record that somebody has read a version; once for each version. Raises `UnableToAnswer`."""
    plan = _open_for(person, plan, version_number, now)
    answer = Answer.objects.filter(
        plan=plan, person=person, kind=AnswerKind.ACKNOWLEDGED, version_number=version_number
    ).first()
    return answer or _give(person, plan, version_number, AnswerKind.ACKNOWLEDGED, key=key, now=now)


@transaction.atomic
def say_whether_concerned(
    *, person: User, plan: Plan, version_number: int, concerned: bool, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Record that a plan concerns somebody, or no longer does.

    Records nothing if they said the same last time. Raises `UnableToAnswer`.
    """
    plan = _open_for(person, plan, version_number, now)
    kind = AnswerKind.CONCERNED if concerned else AnswerKind.UNCONCERNED
    answers = Answer.objects.filter(plan=plan, person=person, kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    last = answers.order_by("-made_at", "-pk").first()
    if last is not None and last.kind == kind:
        return last
    return _give(person, plan, version_number, kind, key=key, now=now)


@transaction.atomic
def comment_by_link(
    *, person: User, plan: Plan, version_number: int, text: str, anchor: str = "", key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Comment on a plan or a piece of it, as the person may read it.

    It waits for an owner's approval unless an owner trusts the person. Raises `UnableToAnswer`.
    """
    plan = _open_for(person, plan, version_number, now)
    label = _label(plan, version_number, anchor)
    text = _words(text, "Enter your comment.")
    return _give(
        person,
        plan,
        version_number,
        AnswerKind.COMMENT,
        text=text,
        anchor=anchor,
        anchor_label=label,
        key=key,
        now=now,
    )


@transaction.atomic
def answer_question(
    *, person: User, question: PlanQuestion, version_number: int, text: str, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Answer a question about a plan; approval as for a comment.

    A second answer by the same person does not replace the first. Raises `UnableToAnswer`.
    """
    plan = _open_for(person, question.plan, version_number, now)
    question = PlanQuestion.objects.select_for_update(no_key=True).get(pk=question.pk)
    if not question.is_open(now):
        raise UnableToAnswer("This question is closed.")
    text = _words(text, "Enter your answer.")
    return _give(person, plan, version_number, AnswerKind.QUESTION, question=question, text=text, key=key, now=now)


@transaction.atomic
def name_colleague(
    *, person: User, plan: Plan, version_number: int, name: str, email: str, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Name a colleague who should get a plan.

    Nobody is emailed until a lead of an owner decides. Raises `UnableToAnswer`.
    """
    plan = _open_for(person, plan, version_number, now)
    email, name = email.strip().lower(), " ".join(name.split())
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnableToAnswer("Enter an email address, such as name@example.org.") from error
    if email == person.email.lower():
        raise UnableToAnswer("That is your own address. Enter your colleague’s.")
    same = Answer.objects.waiting().filter(plan=plan, person=person, colleague_email__iexact=email).first()
    return same or _give(
        person,
        plan,
        version_number,
        AnswerKind.COLLEAGUE,
        colleague_name=name[:150],
        colleague_email=email,
        key=key,
        now=now,
    )


@transaction.atomic
def describe_oneself(*, person: User, name: str, role: str, author: User, now: dt.datetime) -> None:
    """Correct a stakeholder's own name and role. Raises `UnableToAnswer`."""
    require(person.is_stakeholder and person.is_active and author.pk == person.pk)
    name, role = " ".join(name.split()), " ".join(role.split())
    if not name:
        raise UnableToAnswer("Enter your name.")
    if len(name) > 150 or len(role) > 150:
        raise UnableToAnswer("A name or a role can have up to 150 characters.")
    change_details(person=person, name=name, time_zone=person.time_zone, author=author, now=now)
    WorkRole.objects.update_or_create(person=person, defaults={"title": role, "changed_at": now})
    record(
        actor_id=person.pk, kind=EventKind.DESCRIBED, target_kind="person", target_id=person.pk, now=now
    )  # names and roles are not in the log, which outlives them


def _open_for(person: User, plan: Plan, version_number: int, now: dt.datetime) -> Plan:
    """The plan, locked, if the person may answer to this version."""
    locked = lock_plan(plan)
    require(may_answer(person, locked, version_number, now))
    if locked.is_over:
        raise UnableToAnswer(f"This plan is {locked.get_status_display().lower()}. It takes no more answers.")
    return locked


def _give(
    person: User,
    plan: Plan,
    version_number: int,
    kind: AnswerKind,
    *,
    key: uuid.UUID,
    now: dt.datetime,
    question: PlanQuestion | None = None,
    **words: str,
) -> Answer:
    """Record an answer, unless the same form made one before."""
    made = Answer.objects.filter(key=key).first()
    if made is not None:
        require(made.person_id == person.pk and made.plan_id == plan.pk)
        return made
    if kind in DECIDED_BY_OWNER:
        _check_limit(person, plan, now)
    waits = kind == AnswerKind.COLLEAGUE or (kind in WITH_TEXT and not _is_trusted(person, plan))
    answer = Answer.objects.create(
        plan=plan,
        version_number=version_number,
        person=person,
        kind=kind,
        question=question,
        status=AnswerStatus.WAITING if waits else AnswerStatus.SHOWN,
        key=key,
        made_at=now,
        **words,
    )
    record_event(
        plan,
        _EVENTS[kind],
        author=person,
        target_kind="plan_answer",
        target_id=answer.pk,
        now=now,
        version=version_number,
    )
    if answer.is_shown:
        record_answered(answer, now=now)
    return answer


def _check_limit(person: User, plan: Plan, now: dt.datetime) -> None:
    today = Answer.objects.filter(person=person, plan=plan, made_at__gt=now - dt.timedelta(days=1))
    if today.filter(kind__in=DECIDED_BY_OWNER).count() >= MAX_A_DAY:
        raise UnableToAnswer(f"You have sent {MAX_A_DAY} answers about this plan today. Try again tomorrow.")


def _is_trusted(person: User, plan: Plan) -> bool:
    owners = plan.owners.values("organisation")
    return Trust.objects.current().filter(person=person, organisation__in=owners).exists()


def _words(text: str, missing: str) -> str:
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not text:
        raise UnableToAnswer(missing)
    if len(text) > MAX_TEXT:
        raise UnableToAnswer(f"Your text has {len(text):,} characters; the limit is {MAX_TEXT:,}.")
    return text


def _label(plan: Plan, version_number: int, anchor: str) -> str:
    """The title of a piece in the outside content. Raises `UnableToAnswer`."""
    if not anchor:
        return ""
    try:
        code, _key = split_piece(anchor)
        item = get_piece(outside(content_of(plan, version_number)), anchor)
    except UnknownPiece as error:
        raise UnableToAnswer("This part of the plan is not in this version.") from error
    if code not in COLLECTION_BY_CODE or item is None:
        raise UnableToAnswer("This part of the plan is not in this version.")
    return str(item[COLLECTION_BY_CODE[code].title])
