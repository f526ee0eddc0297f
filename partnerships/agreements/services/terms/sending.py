"""Send terms for signature, and ask the parties to sign."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    Origin,
    Partnership,
    ProposalStatus,
    Status,
    TermsInForce,
    TermsProposal,
    TermsVersion,
)
from partnerships.agreements.queries.terms import (
    as_schema,
    base_for,
    content_of_proposal,
    newest_version,
    party_lines,
    required_parties,
    schema_of,
    was_of,
    widened,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import record_event
from partnerships.agreements.services.steps import take_status
from partnerships.agreements.services.terms.asking import ask_to_sign
from partnerships.agreements.services.terms.drafting import AMENDED_IN
from partnerships.agreements.services.terms.recording import lock_proposal
from partnerships.agreements.terms.collisions import collisions, in_words
from partnerships.agreements.terms.projection import day as day_of
from partnerships.agreements.terms.projection import ends_before
from partnerships.agreements.terms.schema import build_schema, problems_of
from partnerships.documents import Content, InvalidContent
from partnerships.documents.services import (
    SAVED_FIELDS,
    InvalidAnswers,
    Prepared,
    create_version,
    next_number,
    read_questions,
    write_content,
)
from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


class UnableToSendForSignature(Exception):
    """The terms are incomplete, unchanged or collide; `problems` says where."""

    def __init__(self, message: str, problems: tuple[documents.Problem, ...] = ()) -> None:
        self.problems = problems
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRequest:
    """What the parties are asked to sign from when, until when, and what they are asked beside it."""

    #: What is in the terms, and why: for the people who sign.
    reason: str
    #: The day from which the terms apply; else the day of the last signature.
    from_day: dt.date | None = None
    sign_by: dt.date | None = None
    #: Answered with the signature.
    questions: Sequence[str] = ()
    #: The parties (ids) that answer the questions; else all but the one that asks.
    asked: Collection[int] = ()


@transaction.atomic
def send_for_signature(
    *,
    proposal: TermsProposal,
    request: SignatureRequest,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
    checked: bool = True,
) -> TermsVersion:
    """Publish a draft as a version, and ask every required party to sign it.

    Takes a partnership that is being drafted to awaiting sign-off. `organisation` is the one that asks. Loaders of
    networks from before a kind had its checks give `checked=False`. Raises `UnableToSendForSignature`: for the kind's
    checks, or a clause that another proposal changes too.
    """
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked))
    today = timezone.localdate(now)
    _check_state(partnership, locked)
    _check_request(request, today)
    questions = _read_questions(request)
    required = required_parties(partnership)
    if len(required) < 2:
        raise UnableToSendForSignature("Invite at least one other organisation first.")
    locked.from_day, locked.sign_by = request.from_day, request.sign_by
    prepared = _prepare(locked, len(required) if checked else None, now)
    if checked:
        _check_start(locked, prepared)
        _check_end(locked, prepared, today)
    version = _version_of(locked, prepared, request, author=author, organisation=organisation, now=now)
    locked.status = ProposalStatus.AWAITING
    locked.save(update_fields=["status", "from_day", "sign_by"])
    record_event(
        partnership,
        EventKind.TERMS_SENT,
        author=author,
        now=now,
        organisation=organisation,
        data={"number": version.number, "proposal": locked.number, "reason": version.note},
    )
    if locked.is_first and partnership.status == Status.DRAFTING:
        take_status(
            partnership,
            Status.AWAITING_SIGN_OFF,
            reason=f"Version {version.number} of its terms has been sent for signature.",
            author=author,
            now=now,
            organisation=organisation,
        )
    _ask_parties(version, required, request, questions, author=author, sender=organisation, now=now)
    for name in ("status", "from_day", "sign_by"):
        setattr(proposal, name, getattr(locked, name))
    return version


def _version_of(
    proposal: TermsProposal,
    prepared: Prepared,
    request: SignatureRequest,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
) -> TermsVersion:
    """The next version of the terms, with the parties and the declarations of this moment."""
    partnership = proposal.partnership
    return create_version(
        TermsVersion,
        prepared,
        number=next_number(partnership.terms_versions.all()),
        note=request.reason.strip(),
        author=author,
        organisation=organisation,
        now=now,
        known=(proposal, proposal.based_on),
        partnership=partnership,
        proposal=proposal,
        origin=Origin.PROPOSED,
        base=proposal.based_on,
        title=partnership.title,
        kind_label=partnership.kind.label,
        parties=party_lines(partnership),
        declarations=proposal.declarations,
        from_day=request.from_day,
    )


def _ask_parties(
    version: TermsVersion,
    required: Collection[int],
    request: SignatureRequest,
    questions: Sequence[str],
    *,
    author: User | None,
    sender: Organisation | None,
    now: dt.datetime,
) -> None:
    """Ask each required party to sign; those invited are asked once they have joined."""
    present = set(version.partnership.parties.present().values_list("organisation", flat=True))
    answering = set(request.asked) or set(required) - ({sender.pk} if sender else set())
    for party in sorted(set(required) & present):
        party_questions = questions if party in answering else []
        ask_to_sign(version, party, author=author, sender=sender, now=now, questions=party_questions)


def _check_request(request: SignatureRequest, today: dt.date) -> None:
    """Refuse a request without a reason, or with a day in the past."""
    if not request.reason.strip():
        raise UnableToSendForSignature("Enter why, in a sentence: it goes into the email to the other parties.")
    if request.from_day is not None and request.from_day < today:
        raise UnableToSendForSignature("The terms can apply from today or a later day.")
    if request.sign_by is not None and request.sign_by < today:
        raise UnableToSendForSignature("The deadline must be today or later.")


def _read_questions(request: SignatureRequest) -> list[str]:
    try:
        return read_questions(request.questions)
    except InvalidAnswers as error:
        raise UnableToSendForSignature(str(error)) from error


def _check_state(partnership: Partnership, proposal: TermsProposal) -> None:
    if partnership.is_over:
        raise UnableToSendForSignature("This partnership has ended.")
    if not proposal.is_drafting:
        raise UnableToSendForSignature(f"This proposal is not being drafted: {proposal.get_status_display().lower()}.")
    allowed = (Status.DRAFTING, Status.AWAITING_SIGN_OFF) if proposal.is_first else AMENDED_IN
    if partnership.status == Status.EXPLORING:
        raise UnableToSendForSignature("The partnership is still exploring. Change its status to drafting first.")
    if partnership.status not in allowed:
        status = partnership.get_status_display().lower()
        raise UnableToSendForSignature(f"The partnership is {status}, so its terms cannot be sent for signature.")


def _prepare(proposal: TermsProposal, parties: int | None, now: dt.datetime) -> Prepared:
    """The content to publish, on top of the version in force on its day.

    Without a number of parties, the checks of the kind are skipped.
    """
    draft, was = content_of_proposal(proposal), was_of(proposal)
    try:
        if not proposal.is_first:
            draft, was = _on_newest(proposal, draft, was, now)
        _check_collisions(proposal, (was, draft), parties, timezone.localdate(now))
    except InvalidContent as error:
        raise UnableToSendForSignature(str(error), error.problems) from error
    schema = schema_of(proposal)
    problems = () if parties is None else tuple(problems_of(proposal.declarations, draft, parties=parties))
    if problems:
        raise UnableToSendForSignature(" ".join(problem.message for problem in problems), problems)
    changes = documents.changes(schema, was, draft)
    if not changes:
        raise UnableToSendForSignature("The draft is still the same as the terms in force.")
    return Prepared(schema=schema, previous=was, content=draft, changes=changes, is_given=False)


def _check_start(proposal: TermsProposal, prepared: Prepared) -> None:
    """Refuse first terms that would apply only after their own start date."""
    starts_on = day_of(prepared.content["about"].get("starts_on"))
    if proposal.is_first and starts_on and proposal.from_day and proposal.from_day > starts_on:
        raise UnableToSendForSignature(
            f"The terms start on {long_date(starts_on)}, before the day from which they would apply. "
            "Leave that day empty, or change the start date in the draft."
        )


def _check_end(proposal: TermsProposal, prepared: Prepared, today: dt.date) -> None:
    """Refuse terms that would end, or whose partnership ends, before they come into force."""
    about = prepared.content["about"]
    first_day = proposal.from_day or (day_of(about.get("starts_on")) if proposal.is_first else None)
    start = max(today, first_day or today)
    ends_on = day_of(prepared.previous["about"].get("ends_on"))
    if not proposal.is_first and ends_on is not None and ends_before(prepared.previous, start):
        raise UnableToSendForSignature(
            f"The partnership ends on {long_date(ends_on)}. New terms must apply on that day or earlier."
        )
    if ends_before(prepared.content, start):
        raise UnableToSendForSignature(
            "The terms end before they come into force. Change the end date or the first day."
        )


def _on_newest(proposal: TermsProposal, draft: Content, was: Content, now: dt.datetime) -> tuple[Content, Content]:
    """The draft and what it amends, on top of the version in force on its day. Raises `InvalidContent`."""
    newest = base_for(proposal, now)
    if newest is None or newest.pk == proposal.based_on_id:
        return draft, was
    proposal.declarations = widened(proposal.declarations, newest)
    schema = schema_of(proposal)
    draft, was = as_schema(schema, draft), as_schema(schema, was)
    proposal.based_on = newest
    is_now = was_of(proposal)
    clashes = collisions(schema, (was, draft), (was, is_now))
    if clashes:
        raise UnableToSendForSignature(
            f"Version {newest.number} has changed {in_words(clashes)} since this draft was started. "
            "Bring the draft up to date, and read both texts."
        )
    merged = documents.normalise(schema, documents.rebase(schema, draft, was, is_now))
    write_content(schema, proposal, merged, newest)
    proposal.save(update_fields=[*SAVED_FIELDS, "based_on", "declarations"])
    return merged, is_now


def _check_collisions(
    proposal: TermsProposal, own_change: tuple[Content, Content], parties: int | None, today: dt.date
) -> None:
    """Refuse what another proposal, not yet in force, changes too, and what breaks a check together with it.

    Raises `InvalidContent`.
    """
    other_proposals = (
        TermsProposal.objects.filter(partnership=proposal.partnership_id)
        .exclude(pk=proposal.pk)
        .filter(status__in=[ProposalStatus.AWAITING, ProposalStatus.AGREED])
    )
    for other in other_proposals.select_related("based_on", "proposed_by").order_by("number"):
        version = newest_version(other)
        if version is None or (other.is_agreed and not _starts_later(version, today)):
            continue
        # Their kind may have had other fields and choices when the two were begun.
        declarations = widened(proposal.declarations, other.based_on, version)
        schema = build_schema(declarations)
        was, draft = (as_schema(schema, content) for content in own_change)
        before = as_schema(schema, other.based_on.content) if other.based_on else documents.normalise(schema, {})
        other_change = (before, as_schema(schema, version.content))
        name = f"{other.name} of {other.proposed_by.name}"
        state = "is waiting for signatures" if other.is_awaiting else "is signed but not in force yet"
        clashes = collisions(schema, (was, draft), other_change)
        if clashes:
            raise UnableToSendForSignature(
                f"{name} changes {in_words(clashes)} too, and {state}. Leave that to one of the two proposals."
            )
        problems = () if parties is None else _problems_together(declarations, (was, draft), other_change, parties)
        if problems:
            raise UnableToSendForSignature(
                f"{name} {state}. The two do not fit together: "
                f"{' '.join(problem.message for problem in problems)} Change one of the two proposals.",
                problems,
            )


def _problems_together(
    declarations: Any,
    own_change: tuple[Content, Content],
    other_change: tuple[Content, Content],
    parties: int,
) -> tuple[documents.Problem, ...]:
    """The checks that two proposals break together, and neither alone."""
    schema, (was, draft) = build_schema(declarations), own_change
    other = documents.rebase(schema, other_change[1], other_change[0], was)
    both = documents.rebase(schema, draft, was, other)

    def problems(content: Content) -> list[documents.Problem]:
        return problems_of(declarations, content, parties=parties)

    alone = {problem.message for content in (draft, other) for problem in problems(content)}
    return tuple(problem for problem in problems(both) if problem.message not in alone)


def _starts_later(version: TermsVersion, today: dt.date) -> bool:
    """Whether a signed version, or its consolidation, comes into force after today."""
    entries = TermsInForce.objects.filter(Q(version=version) | Q(version__amendment=version))
    first = entries.order_by("from_day").values_list("from_day", flat=True).first()
    return first is not None and first > today
