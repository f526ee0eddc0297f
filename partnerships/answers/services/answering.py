"""Record the answers that stakeholders give through a link in an email."""

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
from partnerships.plans.content import COLLECTION_BY_CODE, UnknownPiece, content_for_outside, get_piece, split_piece
from partnerships.plans.models import Plan
from partnerships.plans.queries import content_of
from partnerships.plans.services.recording import lock_plan

#: The most characters in an answer or a comment.
MAX_TEXT = 5_000
#: The most characters in a name or a role.
MAX_NAME = 150
#: The most comments, answers to questions and colleagues that one person may send about one plan in a day.
MAX_A_DAY = 20
_NO_SUCH_PIECE = "This part is not in this version of the plan. Choose another part, or comment on the whole plan."

_EVENT_BY_ANSWER_KIND = {
    AnswerKind.ACKNOWLEDGED: EventKind.ACKNOWLEDGED,
    AnswerKind.CONCERNED: EventKind.CONCERNED,
    AnswerKind.UNCONCERNED: EventKind.UNCONCERNED,
    AnswerKind.COMMENT: EventKind.COMMENTED,
    AnswerKind.QUESTION: EventKind.ANSWERED,
    AnswerKind.COLLEAGUE: EventKind.COLLEAGUE_NAMED,
}


class UnableToAnswer(Exception):
    """The text is missing or too long, the plan or question is closed, or a limit is reached."""


@transaction.atomic
def acknowledge(*, person: User, plan: Plan, version_number: int, key: uuid.UUID, now: dt.datetime) -> Answer:
    """Record that a person has read a version, once for each version. Raises `UnableToAnswer`."""
    plan = _lock_answerable(person, plan, version_number, now)
    answer = Answer.objects.filter(
        plan=plan, person=person, kind=AnswerKind.ACKNOWLEDGED, version_number=version_number
    ).first()
    if answer is not None:
        return answer
    return _save_answer(person, plan, version_number, AnswerKind.ACKNOWLEDGED, key=key, now=now)


@transaction.atomic
def record_concern(
    *, person: User, plan: Plan, version_number: int, concerned: bool, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Record that a plan concerns a person, or does not.

    This records nothing if the person's last answer was the same. Raises `UnableToAnswer`.
    """
    plan = _lock_answerable(person, plan, version_number, now)
    kind = AnswerKind.CONCERNED if concerned else AnswerKind.UNCONCERNED
    answers = Answer.objects.filter(plan=plan, person=person, kind__in=(AnswerKind.CONCERNED, AnswerKind.UNCONCERNED))
    last_answer = answers.order_by("-made_at", "-pk").first()
    if last_answer is not None and last_answer.kind == kind:
        return last_answer
    return _save_answer(person, plan, version_number, kind, key=key, now=now)


@transaction.atomic
def comment_by_link(
    *, person: User, plan: Plan, version_number: int, text: str, anchor: str = "", key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Comment on a plan or, with an `anchor`, on one piece of the plan.

    The comment waits for approval unless an owner of the plan trusts the person. Raises `UnableToAnswer`.
    """
    plan = _lock_answerable(person, plan, version_number, now)
    return _save_answer(
        person,
        plan,
        version_number,
        AnswerKind.COMMENT,
        text=_cleaned_text(text, error_if_empty="Enter your comment."),
        anchor=anchor,
        anchor_label=_piece_title(plan, version_number, anchor),
        key=key,
        now=now,
    )


@transaction.atomic
def answer_question(
    *, person: User, question: PlanQuestion, version_number: int, text: str, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Answer a question about a plan.

    Like a comment, the answer may wait for approval. A person may answer a question several times: a later answer does
    not replace an earlier one. Raises `UnableToAnswer`.
    """
    plan = _lock_answerable(person, question.plan, version_number, now)
    question = PlanQuestion.objects.select_for_update(no_key=True).get(pk=question.pk)
    if not question.is_open(now):
        raise UnableToAnswer("This question is closed. You can comment on the plan instead.")
    return _save_answer(
        person,
        plan,
        version_number,
        AnswerKind.QUESTION,
        question=question,
        text=_cleaned_text(text, error_if_empty="Enter your answer."),
        key=key,
        now=now,
    )


@transaction.atomic
def name_colleague(
    *, person: User, plan: Plan, version_number: int, name: str, email: str, key: uuid.UUID, now: dt.datetime
) -> Answer:
    """Name a colleague who should get a plan.

    The colleague gets no email until a lead of an owner decides to ask the colleague. Raises `UnableToAnswer`.
    """
    plan = _lock_answerable(person, plan, version_number, now)
    colleague_email = email.strip().lower()
    try:
        validate_email(colleague_email)
    except ValidationError as error:
        raise UnableToAnswer("Enter an email address, for example name@example.org.") from error
    if colleague_email == person.email.lower():
        raise UnableToAnswer("That is your own address. Enter your colleague’s.")

    waiting_answers = Answer.objects.waiting().filter(plan=plan, person=person)
    duplicate = waiting_answers.filter(colleague_email__iexact=colleague_email).first()
    if duplicate is not None:
        return duplicate
    return _save_answer(
        person,
        plan,
        version_number,
        AnswerKind.COLLEAGUE,
        colleague_name=" ".join(name.split())[:MAX_NAME],
        colleague_email=colleague_email,
        key=key,
        now=now,
    )


@transaction.atomic
def change_own_name(*, person: User, name: str, role: str, author: User, now: dt.datetime) -> None:
    """Correct a stakeholder's own name and role. Raises `UnableToAnswer`."""
    require(person.is_stakeholder and person.is_active and author.pk == person.pk)
    new_name, new_role = " ".join(name.split()), " ".join(role.split())
    if not new_name:
        raise UnableToAnswer("Enter your name.")
    if len(new_name) > MAX_NAME or len(new_role) > MAX_NAME:
        raise UnableToAnswer(f"Enter a name and a role of at most {MAX_NAME} characters each.")
    change_details(person=person, name=new_name, time_zone=person.time_zone, author=author, now=now)
    WorkRole.objects.update_or_create(person=person, defaults={"title": new_role, "changed_at": now})
    # Events remain when names and roles are deleted, so the event does not contain the name or the role.
    record(actor_id=person.pk, kind=EventKind.DESCRIBED, target_kind="person", target_id=person.pk, now=now)


def _lock_answerable(person: User, plan: Plan, version_number: int, now: dt.datetime) -> Plan:
    """Lock the plan, after checking that the person may answer about this version. Raises `UnableToAnswer`."""
    plan = lock_plan(plan)
    require(may_answer(person, plan, version_number, now))
    if plan.is_over:
        status = plan.get_status_display().lower()
        raise UnableToAnswer(f"This plan is {status}, so you can no longer send answers about it.")
    return plan


def _save_answer(
    person: User,
    plan: Plan,
    version_number: int,
    kind: AnswerKind,
    *,
    key: uuid.UUID,
    now: dt.datetime,
    question: PlanQuestion | None = None,
    **text_fields: str,
) -> Answer:
    """Save an answer and its events, and return the answer.

    Returns the earlier answer if the same form was sent before. Raises `UnableToAnswer`.
    """
    earlier_answer = Answer.objects.filter(key=key).first()
    if earlier_answer is not None:
        require(earlier_answer.person_id == person.pk and earlier_answer.plan_id == plan.pk)
        return earlier_answer
    if kind in DECIDED_BY_OWNER:
        _check_daily_limit(person, plan, now)

    needs_decision = kind == AnswerKind.COLLEAGUE or (kind in WITH_TEXT and not _is_trusted(person, plan))
    answer = Answer.objects.create(
        plan=plan,
        version_number=version_number,
        person=person,
        kind=kind,
        question=question,
        status=AnswerStatus.WAITING if needs_decision else AnswerStatus.SHOWN,
        key=key,
        made_at=now,
        **text_fields,
    )

    record_event(
        plan,
        _EVENT_BY_ANSWER_KIND[kind],
        author=person,
        target_kind="plan_answer",
        target_id=answer.pk,
        now=now,
        version=version_number,
    )
    if answer.is_shown:
        record_answered(answer, now=now)
    return answer


def _check_daily_limit(person: User, plan: Plan, now: dt.datetime) -> None:
    """Check that the person has not sent too many answers in the last 24 hours. Raises `UnableToAnswer`."""
    recent_answers = Answer.objects.filter(person=person, plan=plan, made_at__gt=now - dt.timedelta(days=1))
    if recent_answers.filter(kind__in=DECIDED_BY_OWNER).count() >= MAX_A_DAY:
        raise UnableToAnswer(f"You have sent {MAX_A_DAY} answers about this plan today. You can send more tomorrow.")


def _is_trusted(person: User, plan: Plan) -> bool:
    """Return whether an owner of the plan trusts the person."""
    owners = plan.owners.values("organisation")
    return Trust.objects.current().filter(person=person, organisation__in=owners).exists()


def _cleaned_text(text: str, *, error_if_empty: str) -> str:
    """Return the text with plain line ends and without null characters. Raises `UnableToAnswer`."""
    cleaned = text.replace("\r\n", "\n").replace("\x00", "").strip()
    if not cleaned:
        raise UnableToAnswer(error_if_empty)
    if len(cleaned) > MAX_TEXT:
        raise UnableToAnswer(f"Your text has {len(cleaned):,} characters. Shorten it to {MAX_TEXT:,}.")
    return cleaned


def _piece_title(plan: Plan, version_number: int, anchor: str) -> str:
    """Return the title of a piece of the plan as stakeholders see it; "" without an anchor.

    Raises `UnableToAnswer` if stakeholders cannot see the piece in this version.
    """
    if not anchor:
        return ""
    try:
        collection_code, _key = split_piece(anchor)
        item = get_piece(content_for_outside(content_of(plan, version_number)), anchor)
    except UnknownPiece as error:
        raise UnableToAnswer(_NO_SUCH_PIECE) from error
    if collection_code not in COLLECTION_BY_CODE or item is None:
        raise UnableToAnswer(_NO_SUCH_PIECE)
    return str(item[COLLECTION_BY_CODE[collection_code].title_field])
