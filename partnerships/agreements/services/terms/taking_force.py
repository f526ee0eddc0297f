"""Put signed terms in force, and copy them to the partnership."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.departures import TermsInForceChange, run_terms_hooks
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
    fit_to_schema,
    in_force_entries,
    is_signed_by_all,
    newest_version,
    parties_to_publish,
    required_party_ids,
    version_in_force,
    versions_awaiting_signature,
    widened_declarations,
)
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.steps import set_status
from partnerships.agreements.services.terms.asking import ask_to_sign, stop_asking, stop_asking_all
from partnerships.agreements.services.terms.joining import ask_joiners
from partnerships.agreements.services.terms.recording import email_leads, stopped_params
from partnerships.agreements.terms.in_force import (
    Addition,
    InForceEntry,
    entries_that_apply,
    entry_in_force_on,
    versions_to_write,
)
from partnerships.agreements.terms.projection import column_values, dates_out_of_order
from partnerships.agreements.terms.projection import precise_day as day_of
from partnerships.agreements.terms.schema import build_schema, labels_of_fields
from partnerships.documents import InvalidContent, Schema, changes
from partnerships.documents.services import Prepared, create_version, next_number
from partnerships.people.models import User


class UnableToTakeForce(Exception):
    """The signed terms contradict other terms that were signed."""


def put_in_force_if_signed(proposal: TermsProposal, *, author: User | None, now: dt.datetime) -> bool:
    """Put a proposal in force if every party has signed it, and return whether this happened.

    The leads of the parties are emailed. Call with the partnership and the proposal locked. Raises `UnableToTakeForce`
    before changing anything.
    """
    partnership = proposal.partnership
    version = newest_version(proposal)
    if version is None or not proposal.is_awaiting_signatures:
        return False
    version.proposal = proposal
    version.partnership = partnership
    if not is_signed_by_all(version):
        return False

    day = _day_in_force(proposal, version, timezone.localdate(now))
    write_entries(version, day=day, now=now)
    proposal.status = ProposalStatus.AGREED
    proposal.decided_at = now
    proposal.save(update_fields=["status", "decided_at"])

    record_event(
        partnership,
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
    email_params = {"version": version.pk, "from_day": day.isoformat()}
    email_leads(partnership, "agreements.terms_agreed", email_params, author=None, now=now)
    apply_terms_in_force(partnership, author=author, now=now, emailed=version)
    return True


def _day_in_force(proposal: TermsProposal, version: TermsVersion, today: dt.date) -> dt.date:
    """Return the day from which terms apply that all parties have now signed.

    This is the planned day or, if it has passed, today. First terms without a planned day apply from their start date.
    """
    planned_day = proposal.from_day
    if planned_day is None and proposal.is_first:
        planned_day = day_of(version.content["about"].get("starts_on"))
    return today if planned_day is None else max(today, planned_day)


def write_entries(version: TermsVersion, *, day: dt.date, now: dt.datetime) -> None:
    """Put a version in force from a day on.

    Other versions may be in force on that day or come into force later. Then this creates consolidated versions, which
    combine each of them with this version. For example, version 3 changes the budget, and version 2 with another end
    date is due on 1 April. From 1 April, version 4 is then in force, with both changes. Raises `UnableToTakeForce`.
    """
    partnership = version.partnership
    entries = in_force_entries(partnership)
    version_by_pk = {row.pk: row for row in partnership.terms_versions.all()}
    affected_entries = [entry for entry in entries_that_apply(entries) if entry.day > day]
    current_entry = entry_in_force_on(entries, day)
    if current_entry is not None:
        affected_entries.insert(0, current_entry)

    # The kind may have become stricter since some of these versions were sent for signature.
    affected_versions = [version_by_pk[entry.version_id] for entry in affected_entries]
    declarations = widened_declarations(version.declarations, *affected_versions)
    additions = _additions(version, day, entries, version_by_pk, build_schema(declarations))

    for addition in additions:
        # The signed version itself is in force where nothing has to be combined with it.
        version_in_force_then = version
        if addition.content != version.content:
            base = version_by_pk[addition.base_id or 0]
            version_in_force_then = _consolidate(version, base, addition, declarations=declarations, now=now)
        TermsInForce.objects.create(
            partnership=partnership, version=version_in_force_then, from_day=addition.day, decided_at=now
        )


def _additions(
    version: TermsVersion,
    day: dt.date,
    entries: Sequence[InForceEntry],
    version_by_pk: Mapping[int, TermsVersion],
    schema: Schema,
) -> list[Addition]:
    """Return the entries to write for a version that comes into force. Raises `UnableToTakeForce`."""
    based_on = version.proposal.based_on if version.proposal else None
    try:
        additions = versions_to_write(
            schema,
            draft=fit_to_schema(schema, version.content),
            drafted_from=fit_to_schema(schema, based_on.content) if based_on else None,
            day=day,
            entries=entries,
            content_of=lambda pk: fit_to_schema(schema, version_by_pk[pk].content),
        )
    except InvalidContent as error:
        fields = labels_of_fields(schema, error.problems)
        raise UnableToTakeForce(f"In {fields}, these terms contradict terms that have already been signed.") from error
    for addition in additions:
        if error_text := dates_out_of_order(addition.content):
            raise UnableToTakeForce(f"These terms contradict terms that have already been signed. {error_text}")
    return additions


def _consolidate(
    amendment: TermsVersion,
    base: TermsVersion,
    addition: Addition,
    *,
    declarations: dict[str, Any],
    now: dt.datetime,
) -> TermsVersion:
    """Create the version that applies a signed amendment to another version."""
    schema = build_schema(declarations)
    partnership = amendment.partnership
    base_content = fit_to_schema(schema, base.content)
    prepared = Prepared(
        schema=schema,
        previous=base_content,
        content=addition.content,
        changes=changes(schema, base_content, addition.content),
        is_replacement=True,
    )
    return create_version(
        TermsVersion,
        prepared,
        number=next_number(partnership.terms_versions.all()),
        note=f"Version {base.number} with the amendment signed as version {amendment.number}.",
        author=None,
        organisation=None,
        now=now,
        rendered=(amendment, base),
        partnership=partnership,
        proposal=None,
        origin=Origin.CONSOLIDATED,
        base=base,
        amendment=amendment,
        title=partnership.title,
        kind_label=amendment.kind_label,
        parties=parties_to_publish(partnership),
        declarations=declarations,
        from_day=addition.day,
    )


def apply_terms_in_force(
    partnership: Partnership, *, author: User | None, now: dt.datetime, emailed: TermsVersion | None = None
) -> bool:
    """Copy the version in force today to the columns of a locked partnership, and return whether the version changed.

    The columns are only a copy for lists and filters. The entries decide which version is in force. `emailed` is a
    version that the leads have just been emailed about.
    """
    today = timezone.localdate(now)
    version = version_in_force(partnership, today)
    if version is None and partnership.terms_version_id is None:
        # First terms that start later are copied at once. Until they start, the partnership is "agreed".
        version = _first_version(partnership)
    if version is None or version.pk == partnership.terms_version_id:
        return False

    _save_columns(partnership, version)
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
        starts_later = partnership.starts_on is not None and partnership.starts_on > today
        set_status(
            partnership,
            Status.AGREED if starts_later else Status.ACTIVE,
            reason=f"Every party has signed version {version.number} of its terms.",
            author=author,
            now=now,
        )
    ask_joiners(partnership, author=None, now=now)
    run_terms_hooks(TermsInForceChange(partnership=partnership, version=version, author=author, now=now))
    return True


def _save_columns(partnership: Partnership, version: TermsVersion) -> None:
    """Save the values of a version in the columns of the partnership."""
    # Read the start before the columns change. Terms without a start date keep the earlier one.
    is_first = partnership.terms_version_id is None
    start = _first_day(partnership) if is_first else partnership.starts_on
    values = column_values(version.content)
    for name, value in values.items():
        setattr(partnership, name, value)
    if partnership.starts_on is None and start is not None:
        # A partnership cannot start after its own review or end, even if its terms were signed later.
        partnership.starts_on = min(start, partnership.review_on or start, partnership.ends_on or start)
    partnership.terms_version = version
    partnership.save(update_fields=[*values, "starts_on", "terms_version"])


def _first_version(partnership: Partnership) -> TermsVersion | None:
    """Return the version that comes into force first, or None."""
    entry = partnership.terms_in_force.order_by("from_day", "-decided_at", "-pk").first()
    return entry.version if entry else None


def _first_day(partnership: Partnership) -> dt.date | None:
    """Return the first day on which terms are in force, or None."""
    entry = partnership.terms_in_force.order_by("from_day").first()
    return entry.from_day if entry else None


def record_terms_in_force(*, now: dt.datetime) -> int:
    """Store that another version has come into force, for each partnership where one has, and return how many.

    Updates columns and status, and sends emails. Safe to run twice or late, because pages read the entries.
    """
    versions_today = TermsInForce.objects.in_force_on(timezone.localdate(now)).values_list("partnership", "version")
    recorded_versions = dict(
        Partnership.objects.filter(terms_in_force__isnull=False).values_list("pk", "terms_version")
    )
    due_ids = sorted(pk for pk, version in versions_today if recorded_versions.get(pk) != version)
    return sum(_record_terms_of(pk, now) for pk in due_ids)


@transaction.atomic
def _record_terms_of(partnership_id: int, now: dt.datetime) -> bool:
    """Update one partnership, and return whether its version changed."""
    partnership = lock_partnership(partnership_id)
    entry = entry_in_force_on(in_force_entries(partnership), timezone.localdate(now))
    # Check the first day of the terms, not today. If they extend the partnership, a late job must still apply them.
    if entry is None or partnership.is_over_on(entry.day):
        return False
    return apply_terms_in_force(partnership, author=None, now=now)


def adjust_signatories(partnership: Partnership, *, author: User | None, now: dt.datetime) -> None:
    """Adjust who must sign terms, after a party has joined, left or changed its role.

    New parties are asked to sign the versions that await signatures, and the version in force. Parties that have left
    are no longer asked. If all other parties have signed, the terms come into force. Call with the partnership locked.
    """
    required_ids = required_party_ids(partnership)
    present_ids = set(partnership.parties.accepted().values_list("organisation", flat=True))
    for version in versions_awaiting_signature(partnership):
        assert version.proposal_id is not None  # it was sent by a proposal
        proposal = TermsProposal.objects.select_for_update().get(pk=version.proposal_id)
        proposal.partnership = partnership
        version.partnership = partnership
        version.proposal = proposal
        _adjust_signatories_of(version, required_ids, present_ids, author=author, now=now)
        try:
            put_in_force_if_signed(proposal, author=author, now=now)
        except UnableToTakeForce as error:
            # The only party that had not signed has left. No signatory is at a page that could show the error.
            _return_unusable_terms(version, proposal, str(error), now=now)
    ask_joiners(partnership, author=author, now=now)


def _adjust_signatories_of(
    version: TermsVersion, required_ids: set[int], present_ids: set[int], *, author: User | None, now: dt.datetime
) -> None:
    """Ask parties that must now sign a waiting version, and stop asking those that no longer have to."""
    signatory_by_organisation = {
        signatory.organisation_id: signatory for signatory in version.signatories.select_related("organisation")
    }
    all_signatories = list(signatory_by_organisation.values())
    ids_to_ask = required_ids & present_ids
    for organisation_id in sorted(ids_to_ask - signatory_by_organisation.keys()):
        _ask_like_others(version, organisation_id, all_signatories, author=author, now=now)

    for organisation_id, signatory in signatory_by_organisation.items():
        if organisation_id not in required_ids and signatory.removed_at is None:
            signatory.version = version
            stop_asking(signatory, now=now)
        elif organisation_id in ids_to_ask and signatory.removed_at is not None:
            # The party takes part again, and answers the questions that it had before.
            _ask_like_others(version, organisation_id, [signatory], author=author, now=now)


def return_to_drafting(version: TermsVersion, proposal: TermsProposal, *, now: dt.datetime, outcome: str) -> None:
    """Return a locked proposal to draft, and stop asking parties to sign it. `outcome` says why."""
    proposal.status = ProposalStatus.DRAFTING
    proposal.outcome = outcome
    proposal.save(update_fields=["status", "outcome"])
    stop_asking_all(version, now=now)


def _return_unusable_terms(version: TermsVersion, proposal: TermsProposal, reason: str, *, now: dt.datetime) -> None:
    """Return terms to draft, because all parties have signed but the terms cannot come into force. Email the leads."""
    return_to_drafting(version, proposal, now=now, outcome=reason)
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
    """Ask a party to sign a waiting version, and to answer the questions of the other signatories, each once."""
    questions = list(dict.fromkeys(question for signatory in other_signatories for question in signatory.questions))
    ask_to_sign(version, organisation_id, author=author, sender=None, now=now, questions=questions)
