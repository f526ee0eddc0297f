"""Check a draft of the terms, publish it as a version, and ask the parties to sign it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
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
    base_content_of,
    content_of_proposal,
    fit_to_schema,
    newest_version,
    parties_to_publish,
    required_party_ids,
    schema_of,
    version_to_amend,
    widened_declarations,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import record_event
from partnerships.agreements.services.steps import set_status
from partnerships.agreements.services.terms.asking import ask_to_sign
from partnerships.agreements.services.terms.drafting import AMENDABLE_STATUSES
from partnerships.agreements.services.terms.recording import lock_proposal
from partnerships.agreements.terms.collisions import Draft, collisions, parts_in_words
from partnerships.agreements.terms.projection import ends_before
from partnerships.agreements.terms.projection import precise_day as day_of
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
    """The terms are incomplete, unchanged, or change the same parts as other terms. `problems` says where."""

    def __init__(self, message: str, problems: tuple[documents.Problem, ...] = ()) -> None:
        self.problems = problems
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRequest:
    """The information and the questions that parties get with terms to sign."""

    #: A summary of the terms, with the reasons for them.
    reason: str
    #: The day from which the terms apply. None means the day of the last signature.
    from_day: dt.date | None = None
    sign_by: dt.date | None = None
    #: Questions that parties answer with their signature.
    questions: Sequence[str] = ()
    #: Ids of the organisations that answer the questions. Empty means all except the sender.
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
    """Publish a draft as a version, ask every required party to sign it, and email the people who can sign.

    `organisation` is the sender. With its first terms, a partnership becomes "awaiting sign-off". With `checked=False`,
    the checks of the kind are skipped, for old terms that are loaded from a file. Raises `UnableToSendForSignature` if
    a check fails or if another proposal changes the same part of the terms.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_send_for_signature(locked_proposal))
    today = timezone.localdate(now)
    _check_state(partnership, locked_proposal)
    _check_request(request, today)
    questions = _read_questions(request)
    required_ids = required_party_ids(partnership)
    if len(required_ids) < 2:
        raise UnableToSendForSignature("Invite at least one other organisation first.")

    locked_proposal.from_day = request.from_day
    locked_proposal.sign_by = request.sign_by
    prepared = _prepare(locked_proposal, len(required_ids) if checked else None, now)
    if checked:
        _check_start(locked_proposal, prepared)
        _check_end(locked_proposal, prepared, today)
    version = _create_version_of(locked_proposal, prepared, request, author=author, organisation=organisation, now=now)
    locked_proposal.status = ProposalStatus.AWAITING
    locked_proposal.save(update_fields=["status", "from_day", "sign_by"])

    record_event(
        partnership,
        EventKind.TERMS_SENT,
        author=author,
        now=now,
        organisation=organisation,
        data={"number": version.number, "proposal": locked_proposal.number, "reason": version.note},
    )
    if locked_proposal.is_first and partnership.status == Status.DRAFTING:
        set_status(
            partnership,
            Status.AWAITING_SIGN_OFF,
            reason=f"Version {version.number} of its terms has been sent for signature.",
            author=author,
            now=now,
            organisation=organisation,
        )
    _ask_parties(version, required_ids, request, questions, author=author, sender=organisation, now=now)

    # The caller's object gets the new values, too.
    for name in ("status", "from_day", "sign_by"):
        setattr(proposal, name, getattr(locked_proposal, name))
    return version


def _create_version_of(
    proposal: TermsProposal,
    prepared: Prepared,
    request: SignatureRequest,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
) -> TermsVersion:
    """Create the next version of the terms, with a copy of today's parties and of the draft's declarations."""
    partnership = proposal.partnership
    return create_version(
        TermsVersion,
        prepared,
        number=next_number(partnership.terms_versions.all()),
        note=request.reason.strip(),
        author=author,
        organisation=organisation,
        now=now,
        rendered=(proposal, proposal.based_on),
        partnership=partnership,
        proposal=proposal,
        origin=Origin.PROPOSED,
        base=proposal.based_on,
        title=partnership.title,
        kind_label=partnership.kind.label,
        parties=parties_to_publish(partnership),
        declarations=proposal.declarations,
        from_day=request.from_day,
    )


def _ask_parties(
    version: TermsVersion,
    required_ids: Collection[int],
    request: SignatureRequest,
    questions: Sequence[str],
    *,
    author: User | None,
    sender: Organisation | None,
    now: dt.datetime,
) -> None:
    """Ask each required party that is present to sign. Invited parties are asked when they join."""
    present_ids = set(version.partnership.parties.accepted().values_list("organisation", flat=True))
    answering_ids = set(request.asked)
    if not answering_ids:
        answering_ids = {pk for pk in required_ids if sender is None or pk != sender.pk}
    for organisation_id in sorted(set(required_ids) & present_ids):
        party_questions = questions if organisation_id in answering_ids else []
        ask_to_sign(version, organisation_id, author=author, sender=sender, now=now, questions=party_questions)


def _check_request(request: SignatureRequest, today: dt.date) -> None:
    """Refuse a request without a reason, or with a day in the past."""
    if not request.reason.strip():
        raise UnableToSendForSignature("Enter what is in the terms, and why. The other parties get this in an email.")
    if request.from_day is not None and request.from_day < today:
        raise UnableToSendForSignature("The terms can apply from today or a later day.")
    if request.sign_by is not None and request.sign_by < today:
        raise UnableToSendForSignature("The deadline must be today or later.")


def _read_questions(request: SignatureRequest) -> list[str]:
    """Return the questions, trimmed and checked."""
    try:
        return read_questions(request.questions)
    except InvalidAnswers as error:
        raise UnableToSendForSignature(str(error)) from error


def _check_state(partnership: Partnership, proposal: TermsProposal) -> None:
    """Refuse terms whose partnership or proposal does not have the right status."""
    if partnership.is_over:
        raise UnableToSendForSignature("This partnership has ended, so its terms can no longer be sent for signature.")
    if not proposal.is_drafting:
        status = proposal.get_status_display().lower()
        raise UnableToSendForSignature(f"This proposal is {status}, so you cannot send it for signature.")
    if partnership.status == Status.EXPLORING:
        raise UnableToSendForSignature("The partnership is still exploring. Change its status to drafting first.")
    allowed_statuses = (Status.DRAFTING, Status.AWAITING_SIGN_OFF) if proposal.is_first else AMENDABLE_STATUSES
    if partnership.status not in allowed_statuses:
        status = partnership.get_status_display().lower()
        raise UnableToSendForSignature(f"The partnership is {status}, so its terms cannot be sent for signature.")


def _prepare(proposal: TermsProposal, party_count: int | None, now: dt.datetime) -> Prepared:
    """Return the content to publish, and its changes.

    An amendment is first based on the version that will be in force on its first day. `party_count` is the number of
    required parties, or None to skip the checks of the kind. Raises `UnableToSendForSignature`.
    """
    draft = Draft(base=base_content_of(proposal), content=content_of_proposal(proposal))
    try:
        if not proposal.is_first:
            draft = _rebased_draft(proposal, draft, now)
        _check_collisions(proposal, draft, party_count, timezone.localdate(now))
    except InvalidContent as error:
        raise UnableToSendForSignature(str(error), error.problems) from error

    if party_count is not None:
        problems = tuple(problems_of(proposal.declarations, draft.content, party_count=party_count))
        if problems:
            raise UnableToSendForSignature(_in_one_line(problems), problems)
    schema = schema_of(proposal)
    changes = documents.changes(schema, draft.base, draft.content)
    if not changes:
        raise UnableToSendForSignature("The draft is still the same as the terms in force. Change it first.")
    return Prepared(schema=schema, previous=draft.base, content=draft.content, changes=changes, is_replacement=False)


def _in_one_line(problems: Iterable[documents.Problem]) -> str:
    """Return the messages of these problems as one text."""
    return " ".join(problem.message for problem in problems)


def _check_start(proposal: TermsProposal, prepared: Prepared) -> None:
    """Refuse first terms that would apply from a day after their own start date."""
    starts_on = day_of(prepared.content["about"].get("starts_on"))
    if proposal.is_first and starts_on and proposal.from_day and proposal.from_day > starts_on:
        raise UnableToSendForSignature(
            f"The terms start on {long_date(starts_on)}, so they cannot apply only from "
            f"{long_date(proposal.from_day)}. Leave “From which day do the terms apply?” empty, or change the start "
            "date in the draft."
        )


def _check_end(proposal: TermsProposal, prepared: Prepared, today: dt.date) -> None:
    """Refuse terms that would end, or whose partnership ends, before they come into force."""
    planned_day = proposal.from_day
    if planned_day is None and proposal.is_first:
        planned_day = day_of(prepared.content["about"].get("starts_on"))
    first_day = today if planned_day is None else max(today, planned_day)

    ends_on = day_of(prepared.previous["about"].get("ends_on"))
    if not proposal.is_first and ends_on is not None and ends_before(prepared.previous, first_day):
        raise UnableToSendForSignature(
            f"The partnership ends on {long_date(ends_on)}. New terms must apply on that day or earlier."
        )
    if ends_before(prepared.content, first_day):
        raise UnableToSendForSignature(
            "The terms end before they come into force. Change the end date or the first day."
        )


def _rebased_draft(proposal: TermsProposal, draft: Draft, now: dt.datetime) -> Draft:
    """Base the draft on the version that will be in force on its first day, save it, and return it.

    Raises `InvalidContent`, and `UnableToSendForSignature` if that version has changed the same parts as the draft.
    """
    newest_in_force = version_to_amend(proposal, now)
    if newest_in_force is None or newest_in_force.pk == proposal.based_on_id:
        return draft
    proposal.declarations = widened_declarations(proposal.declarations, newest_in_force)
    schema = schema_of(proposal)
    old_base = fit_to_schema(schema, draft.base)
    content = fit_to_schema(schema, draft.content)
    proposal.based_on = newest_in_force
    new_base = base_content_of(proposal)
    part_names = collisions(schema, Draft(old_base, content), Draft(old_base, new_base))
    if part_names:
        raise UnableToSendForSignature(
            f"Version {newest_in_force.number} has changed {parts_in_words(part_names)} since this draft was started. "
            "Update the draft with that version, and read both texts."
        )
    merged_content = documents.normalise(schema, documents.rebase(schema, content, old_base, new_base))
    write_content(schema, proposal, merged_content, newest_in_force)
    proposal.save(update_fields=[*SAVED_FIELDS, "based_on", "declarations"])
    return Draft(base=new_base, content=merged_content)


def _check_collisions(proposal: TermsProposal, draft: Draft, party_count: int | None, today: dt.date) -> None:
    """Compare a draft with the other proposals that are not in force yet.

    Refuses a draft that changes the same part as another proposal, or breaks a check together with it. Raises
    `InvalidContent` and `UnableToSendForSignature`.
    """
    pending_proposals = TermsProposal.objects.filter(
        partnership=proposal.partnership_id, status__in=[ProposalStatus.AWAITING, ProposalStatus.AGREED]
    )
    other_proposals = pending_proposals.exclude(pk=proposal.pk).select_related("based_on", "proposed_by")
    for other_proposal in other_proposals.order_by("number"):
        version = newest_version(other_proposal)
        if version is None or (other_proposal.is_agreed and not _starts_later(version, today)):
            continue
        _check_collision(proposal, draft, other_proposal, version, party_count)


def _check_collision(
    proposal: TermsProposal,
    draft: Draft,
    other_proposal: TermsProposal,
    other_version: TermsVersion,
    party_count: int | None,
) -> None:
    """Compare a draft with the version of one other proposal.

    Raises `UnableToSendForSignature` if both change the same part, or break a check together.
    """
    other_base_version = other_proposal.based_on
    # The kind may have had other fields and choices when the two proposals were begun.
    declarations = widened_declarations(proposal.declarations, other_base_version, other_version)
    schema = build_schema(declarations)
    fitted_draft = Draft(
        base=fit_to_schema(schema, draft.base),
        content=fit_to_schema(schema, draft.content),
    )
    other_base = (
        fit_to_schema(schema, other_base_version.content) if other_base_version else documents.normalise(schema, {})
    )
    other_draft = Draft(base=other_base, content=fit_to_schema(schema, other_version.content))

    other_name = f"{other_proposal.name} of {other_proposal.proposed_by.name}"
    state = "is waiting for signatures" if other_proposal.is_awaiting_signatures else "is signed but not in force yet"
    part_names = collisions(schema, fitted_draft, other_draft)
    if part_names:
        parts = parts_in_words(part_names)
        raise UnableToSendForSignature(
            f"{other_name} changes {parts} too, and {state}. Change {parts} in only one of the two proposals."
        )
    problems = () if party_count is None else _joint_problems(declarations, fitted_draft, other_draft, party_count)
    if problems:
        raise UnableToSendForSignature(
            f"{other_name} {state}. The two proposals contradict each other. "
            f"{_in_one_line(problems)} Change one of the two proposals.",
            problems,
        )


def _joint_problems(
    declarations: Any, draft: Draft, other_draft: Draft, party_count: int
) -> tuple[documents.Problem, ...]:
    """Return the problems that two drafts have together, but neither has alone.

    For example, one draft moves the review to June, and the other moves the start to July.
    """
    schema = build_schema(declarations)
    other_content = documents.rebase(schema, other_draft.content, other_draft.base, draft.base)
    joint_content = documents.rebase(schema, draft.content, draft.base, other_content)

    def problems_in(content: Content) -> list[documents.Problem]:
        """Return the problems that the checks of the kind find."""
        return problems_of(declarations, content, party_count=party_count)

    separate_messages = {problem.message for problem in problems_in(draft.content) + problems_in(other_content)}
    return tuple(problem for problem in problems_in(joint_content) if problem.message not in separate_messages)


def _starts_later(version: TermsVersion, today: dt.date) -> bool:
    """Return whether a signed version, or its consolidation, comes into force after today."""
    entries = TermsInForce.objects.filter(Q(version=version) | Q(version__amendment=version))
    first_day = entries.order_by("from_day").values_list("from_day", flat=True).first()
    return first_day is not None and first_day > today
