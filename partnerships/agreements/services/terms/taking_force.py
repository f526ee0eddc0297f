"""Put signed terms in force: entries by day, columns, and status."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import TermsTaken, settle_terms
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    Origin,
    Partnership,
    ProposalStatus,
    Status,
    TermsInForce,
    TermsProposal,
    TermsSignatory,
    TermsVersion,
)
from partnerships.agreements.queries.terms import (
    as_schema,
    entries_of,
    is_signed_by_all,
    newest_version,
    party_lines,
    required_parties,
    version_awaiting,
    version_in_force,
    widened,
)
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import take_status
from partnerships.agreements.services.terms.asking import ask_to_sign, stop_asking
from partnerships.agreements.services.terms.joining import ask_joiners
from partnerships.agreements.services.terms.recording import email_leads, stopped_params
from partnerships.agreements.terms.in_force import Addition, in_force_on, timeline, versions_to_write
from partnerships.agreements.terms.projection import column_values, dates_out_of_order
from partnerships.agreements.terms.projection import day as day_of
from partnerships.agreements.terms.schema import build_schema, left_out
from partnerships.documents import InvalidContent, changes
from partnerships.documents.services import Prepared, create_version, next_number
from partnerships.people.models import User


class UnableToTakeForce(Exception):
    """Signed terms that do not fit with the others that were signed."""


def settle(proposal: TermsProposal, *, author: User | None, now: dt.datetime) -> bool:
    """Put a proposal in force once all have signed; whether they have.

    Raises `UnableToTakeForce`, with nothing changed. Call with partnership and proposal locked.
    """
    version = newest_version(proposal)
    if version is None or not proposal.is_awaiting:
        return False
    version.proposal, version.partnership = proposal, proposal.partnership
    if not is_signed_by_all(version):
        return False
    first_day = proposal.from_day or (day_of(version.content["about"].get("starts_on")) if proposal.is_first else None)
    day = max(timezone.localdate(now), first_day or dt.date.min)
    enter(version, day=day, now=now)
    proposal.status, proposal.decided_at = ProposalStatus.AGREED, now
    proposal.save(update_fields=["status", "decided_at"])
    record_event(
        proposal.partnership,
        EventKind.TERMS_AGREED,
        author=author,
        now=now,
        data={
            "number": version.number,
            "proposal": proposal.number,
            "reason": "Every party has signed.",
            "after": {"in_force_from": day.isoformat()},
        },
    )
    email_leads(
        proposal.partnership,
        "agreements.terms_agreed",
        {"version": version.pk, "from_day": day.isoformat()},
        author=None,
        now=now,
    )
    take_force(proposal.partnership, author=author, now=now, emailed=version)
    return True


def enter(version: TermsVersion, *, day: dt.date, now: dt.datetime) -> None:
    """Write from which day a version is in force, and the consolidated versions that follow.

    Raises `UnableToTakeForce`.
    """
    partnership, entries = version.partnership, entries_of(version.partnership)
    versions = {version.pk: version for version in partnership.terms_versions.all()}
    based_on = version.proposal.based_on if version.proposal else None
    base = in_force_on(entries, day)
    bases = [*([base] if base else []), *(entry for entry in timeline(entries) if entry.day > day)]
    # The kind may have become stricter since some of them were sent for signature.
    declarations = widened(version.declarations, *(versions[entry.version] for entry in bases))
    schema = build_schema(declarations)
    try:
        additions = versions_to_write(
            schema,
            draft=as_schema(schema, version.content),
            was=as_schema(schema, based_on.content) if based_on else None,
            day=day,
            entries=entries,
            content_of=lambda pk: as_schema(schema, versions[pk].content),
        )
    except InvalidContent as error:
        fields = left_out(schema, error.problems)
        raise UnableToTakeForce(f"These terms do not fit with others that were signed, in {fields}.") from error
    for addition in additions:
        if fault := dates_out_of_order(addition.content):
            raise UnableToTakeForce(f"These terms do not fit with others that were signed. {fault}")
    for addition in additions:
        entered = (
            version
            if addition.content == version.content
            else _consolidate(version, addition, versions, declarations, now)
        )
        TermsInForce.objects.create(partnership=partnership, version=entered, from_day=addition.day, decided_at=now)


def _consolidate(
    version: TermsVersion,
    addition: Addition,
    versions: dict[int, TermsVersion],
    declarations: dict[str, Any],
    now: dt.datetime,
) -> TermsVersion:
    """The version that puts a signed amendment on top of another version."""
    base, schema, partnership = versions[addition.base or 0], build_schema(declarations), version.partnership
    note = f"Version {base.number} with the amendment signed as version {version.number}."
    was = as_schema(schema, base.content)
    changed = changes(schema, was, addition.content)
    return create_version(
        TermsVersion,
        Prepared(schema, was, addition.content, changed, is_given=True),
        number=next_number(partnership.terms_versions.all()),
        note=note,
        author=None,
        organisation=None,
        now=now,
        known=(version, base),
        partnership=partnership,
        proposal=None,
        origin=Origin.CONSOLIDATED,
        base=base,
        amendment=version,
        title=partnership.title,
        kind_label=version.kind_label,
        parties=party_lines(partnership),
        declarations=declarations,
        from_day=addition.day,
    )


def take_force(
    partnership: Partnership, *, author: User | None, now: dt.datetime, emailed: TermsVersion | None = None
) -> bool:
    """Write the columns of the version in force today.

    Returns whether the version changed. The columns of the first terms are written when the last party signs, also when
    they start later: the partnership is then agreed, and becomes active on its start date. What is in force is computed
    from the entries, not from the columns. Call with the partnership locked.
    """
    today = timezone.localdate(now)
    is_first = partnership.terms_version_id is None
    version = version_in_force(partnership, today) or (_first_version(partnership) if is_first else None)
    if version is None or version.pk == partnership.terms_version_id:
        return False
    values, started = column_values(version.content), partnership.starts_on
    for name, value in values.items():
        setattr(partnership, name, value)
    begun = _first_day(partnership) if is_first else started
    if partnership.starts_on is None and begun is not None:
        # If signed after its review date, it began on that date: nothing can start after its own review or end.
        partnership.starts_on = min(begun, partnership.review_on or begun, partnership.ends_on or begun)
    partnership.terms_version = version
    partnership.save(update_fields=[*values, "starts_on", "terms_version"])
    record_event(
        partnership,
        EventKind.TERMS_IN_FORCE,
        author=None,
        now=now,
        data={"number": version.number, "reason": version.note},
    )
    if emailed is None:
        email_leads(partnership, "agreements.terms_in_force", {"version": version.pk}, author=None, now=now)
    if partnership.status == Status.AWAITING_SIGN_OFF:
        later = partnership.starts_on is not None and partnership.starts_on > today
        take_status(
            partnership,
            Status.AGREED if later else Status.ACTIVE,
            reason=f"Every party has signed version {version.number} of its terms.",
            author=author,
            now=now,
        )
    ask_joiners(partnership, author=None, now=now)
    settle_terms(TermsTaken(partnership, version, author, now))
    return True


def _first_version(partnership: Partnership) -> TermsVersion | None:
    first = partnership.terms_in_force.order_by("from_day", "-decided_at", "-pk").first()
    return first.version if first else None


def _first_day(partnership: Partnership) -> dt.date | None:
    first = partnership.terms_in_force.order_by("from_day").first()
    return first.from_day if first else None


def record_terms_in_force(*, now: dt.datetime) -> int:
    """Record versions whose day has come; the number of partnerships.

    Writes columns, status and emails. Safe to run twice or late: what is in force never waits for it.
    """
    begun = TermsInForce.objects.on(timezone.localdate(now)).values_list("partnership", "version")
    current = dict(Partnership.objects.filter(terms_in_force__isnull=False).values_list("pk", "terms_version"))
    due = sorted(pk for pk, version in begun if current.get(pk) != version)
    return sum(_record_one(pk, now) for pk in due)


@transaction.atomic
def _record_one(pk: int, now: dt.datetime) -> bool:
    partnership = lock_partnership(pk)
    entry = in_force_on(entries_of(partnership), timezone.localdate(now))
    # Compares the first day, not today: an extension counts however late this job records it.
    return entry is not None and not partnership.is_over_on(entry.day) and take_force(partnership, author=None, now=now)


def adjust_signatories(partnership: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Ask parties that joined, release those that left, and settle.

    Those that joined are asked to sign what is waiting for signatures, and the version in force. Call with the
    partnership locked, after a party has changed.
    """
    required = required_parties(partnership)
    present = set(partnership.parties.present().values_list("organisation", flat=True))
    for version in version_awaiting(partnership):
        assert version.proposal_id is not None  # it was sent by a proposal
        proposal = TermsProposal.objects.select_for_update().get(pk=version.proposal_id)
        proposal.partnership = version.partnership = partnership
        version.proposal = proposal
        signatories = {
            signatory.organisation_id: signatory for signatory in version.signatories.select_related("organisation")
        }
        for organisation_id in sorted((required & present) - set(signatories)):
            _ask_like_others(version, organisation_id, list(signatories.values()), author=author, now=now)
        for organisation_id, signatory in signatories.items():
            if organisation_id not in required and signatory.removed_at is None:
                signatory.version = version
                stop_asking(signatory, now=now)
            elif organisation_id in required & present and signatory.removed_at is not None:
                _ask_like_others(version, organisation_id, [signatory], author=author, now=now)
        try:
            settle(proposal, author=author, now=now)
        except UnableToTakeForce as error:
            # Whose signature was missing has left: nobody else would hear of it.
            _draft_again(version, proposal, str(error), now=now)
    ask_joiners(partnership, author=author, now=now)


def back_to_drafting(version: TermsVersion, proposal: TermsProposal, *, now: dt.datetime, outcome: str) -> None:
    """Let a proposal be edited again.

    Nobody is asked to sign any more. Lock first.
    """
    proposal.status, proposal.outcome = ProposalStatus.DRAFTING, outcome
    proposal.save(update_fields=["status", "outcome"])
    for signatory in version.signatories.filter(removed_at=None).select_related("organisation"):
        signatory.version = version
        stop_asking(signatory, now=now)


def _draft_again(version: TermsVersion, proposal: TermsProposal, reason: str, *, now: dt.datetime) -> None:
    """Take back terms that every remaining party has signed but that cannot come into force, and email the leads."""
    back_to_drafting(version, proposal, now=now, outcome=reason)
    record_event(
        version.partnership,
        EventKind.TERMS_TAKEN_BACK,
        author=None,
        now=now,
        data={"number": version.number, "proposal": proposal.number, "reason": reason},
    )
    email_leads(
        version.partnership,
        "agreements.terms_stopped",
        stopped_params(proposal, "taken_back", version=version, now=now),
        author=None,
        now=now,
    )


def _ask_like_others(
    version: TermsVersion,
    organisation_id: int,
    other_signatories: list[TermsSignatory],
    *,
    author: User | None,
    now: dt.datetime,
) -> None:
    """Ask a party that joined to sign what is waiting for signatures."""
    questions = list(dict.fromkeys(question for other in other_signatories for question in other.questions))
    ask_to_sign(version, organisation_id, author=author, sender=None, now=now, questions=questions)
