"""The people who may call each service of commitments."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.services import RegisterPromise
from partnerships.commitments.services.registers import add_reports_from_register
from partnerships.people.models import User
from tests.commitments.promises import agree, done_action, done_commitment, in_days, propose
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, PARTNER, PARTNER_EDITORS, PERSONAS, Row
from tests.world import World

#: Editors and leads of Larkhaven, which gives, and of Westmarch, which receives.
EDITORS_OF_BOTH = EDITORS | PARTNER_EDITORS


def _confirm(organisation: str) -> Any:
    """Return a call that confirms a commitment for the organisation with this name in the world."""
    return lambda world, author, promise: services.confirm_commitment(
        commitment=promise,
        organisation=getattr(world, organisation),
        author=author,
        revision=promise.revision,
        now=timezone.now(),
    )


def _attach(world: World, author: User, promise: Any) -> Any:
    """Attach a file of evidence to a commitment as this author."""
    return services.attach_evidence(
        commitment=promise,
        file=SimpleUploadedFile("handover.txt", b"Block A handed over."),
        author=author,
        now=timezone.now(),
    )


def _attached_evidence(world: World) -> Any:
    return _attach(world, world.eddie, agree(world))


def _removed_evidence(world: World) -> Any:
    evidence = _attached_evidence(world)
    services.remove_evidence(evidence=evidence, author=world.eddie, now=timezone.now())
    return evidence


def _edit(world: World, author: User, promise: Any) -> Any:
    """Change the terms of a proposal as this author."""
    return services.edit_proposal(
        commitment=promise,
        text="Seventy modular homes.",
        quantity=Decimal(70),
        unit="homes",
        owner=world.eddie,
        due_on=in_days(100),
        revision=promise.revision,
        author=author,
        now=timezone.now(),
    )


def _promise_in_register(world: World, *, withdrawn: str = "") -> RegisterPromise:
    """Return a promise to Westmarch in a public register."""
    return RegisterPromise(
        reference="S106/1",
        giver_name="Quay Builders",
        receiver=world.westmarch,
        text="Twelve affordable homes.",
        agreed_at=world.now,
        withdrawn=withdrawn,
    )


def _import_promise(world: World, author: Any, _: Any) -> Any:
    """Import a promise for the first time."""
    promises = [_promise_in_register(world)]
    return services.create_from_register(promises=promises, source="Register", author=author, now=timezone.now())


def _import_withdrawal(world: World, author: Any, _: Any) -> Any:
    """Import the same promise after the register has withdrawn it."""
    promises = [_promise_in_register(world, withdrawn="Repealed.")]
    return add_reports_from_register(promises=promises, source="Register", author=author, now=timezone.now())


ROWS = (
    Row("commitments.propose_commitment", lambda world, author, _: propose(world, author=author), EDITORS_OF_BOTH),
    Row(
        "commitments.propose_action",
        lambda world, author, _: services.propose_action(
            organisation=world.larkhaven,
            text="Send the layout.",
            owner=world.eddie,
            due_on=in_days(7),
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row("commitments.edit_proposal", _edit, EDITORS_OF_BOTH, prepare=propose),
    Row("commitments.confirm_commitment", _confirm("larkhaven"), LEAD, prepare=propose, situation="giving"),
    Row("commitments.confirm_commitment", _confirm("westmarch"), PARTNER, prepare=propose, situation="receiving"),
    Row(
        "commitments.change_due_date",
        lambda world, author, promise: services.change_due_date(
            commitment=promise, due_on=in_days(120), reason="The crane is late.", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=agree,
    ),
    Row(
        "commitments.end_commitment",
        lambda world, author, promise: services.end_commitment(
            commitment=promise, reason="The site is sold.", author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=agree,
    ),
    Row(
        "commitments.record_progress",
        lambda world, author, promise: services.record_progress(
            commitment=promise, status="in_progress", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=agree,
    ),
    Row(
        "commitments.escalate",
        lambda world, author, promise: services.escalate(
            commitment=promise, helper=world.ben, reason="No reply.", author=author, now=timezone.now()
        ),
        EDITORS_OF_BOTH,
        prepare=agree,
    ),
    Row(
        "commitments.verify_delivery",
        lambda world, author, promise: services.verify_delivery(commitment=promise, author=author, now=timezone.now()),
        PARTNER,
        prepare=done_commitment,
    ),
    Row(
        "commitments.verify_delivery",
        lambda world, author, action: services.verify_delivery(commitment=action, author=author, now=timezone.now()),
        LEAD | PARTNER_EDITORS,
        prepare=lambda world: done_action(world, world.westmarch),
        situation="of an action that Eddie did",
    ),
    Row(
        "commitments.send_back",
        lambda world, author, promise: services.send_back(
            commitment=promise, reason="Two are unfinished.", author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=done_commitment,
    ),
    Row(
        "commitments.change_owner",
        lambda world, author, promise: services.change_owner(
            commitment=promise, owner=world.amina, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=agree,
    ),
    Row(
        "commitments.remind_owner",
        lambda world, author, promise: services.remind_owner(commitment=promise, author=author, now=timezone.now()),
        EDITORS_OF_BOTH,
        prepare=lambda world: agree(world, owner=world.vera),
    ),
    Row(
        "commitments.mark_for_stakeholders",
        lambda world, author, promise: services.mark_for_stakeholders(
            commitment=promise, tell=True, author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=agree,
    ),
    Row(
        "commitments.change_owner",
        lambda world, author, promise: services.change_owner(
            commitment=promise, owner=world.ben, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=agree,
        situation="to a person of the receiver",
        result="UnableToChangeOwner: Ben West does not act for Larkhaven Homes. Choose someone who does.",
    ),
    Row(
        "commitments.confirm_commitment",
        lambda world, author, promise: services.confirm_commitment(
            commitment=promise,
            organisation=world.larkhaven,
            owner=world.ben,
            author=author,
            revision=promise.revision,
            now=timezone.now(),
        ),
        LEAD,
        prepare=propose,
        situation="with an owner of the receiver",
        result="UnableToConfirm: Ben West does not act for Larkhaven Homes. Choose someone who does.",
    ),
    Row(
        "commitments.confirm_commitment",
        _confirm("riverside"),
        frozenset(PERSONAS),
        prepare=propose,
        situation="for an organisation that neither gives nor receives",
        result="UnableToConfirm: Riverside Design does not give or receive this, so it cannot confirm the commitment.",
    ),
    Row(
        "commitments.propose_action",
        lambda world, author, _: services.propose_action(
            organisation=world.larkhaven,
            text="Send the layout.",
            owner=world.ben,
            due_on=in_days(7),
            author=author,
            now=timezone.now(),
        ),
        EDITORS,
        situation="with an owner of another organisation",
        result="UnableToPropose: Ben West does not act for Larkhaven Homes. Choose someone who does.",
    ),
    Row(
        "commitments.propose_commitment",
        lambda world, author, old: propose(
            world, receiver=world.riverside, partnership=None, replaces=old, author=author
        ),
        EDITORS | {"observer"},  # the observer leads Riverside Design
        prepare=agree,
        situation="in place of one with another organisation",
        result="UnableToPropose: New terms must be between the same two organisations.",
    ),
    Row("commitments.attach_evidence", _attach, EDITORS, prepare=agree),
    Row(
        "commitments.remove_evidence",
        lambda world, author, evidence: services.remove_evidence(evidence=evidence, author=author, now=timezone.now()),
        EDITORS,
        prepare=_removed_evidence,
        situation="once more",
        result="UnableToAttach: The file has already been removed, so you do not need to remove it.",
    ),
    Row(
        "commitments.remove_evidence",
        lambda world, author, evidence: services.remove_evidence(evidence=evidence, author=author, now=timezone.now()),
        EDITORS,
        prepare=_attached_evidence,
    ),
    Row("commitments.create_from_register", _import_promise, PARTNER | ADMINISTRATOR),
    Row(
        "commitments.add_reports_from_register",
        _import_withdrawal,
        PARTNER | ADMINISTRATOR,
        prepare=lambda world: _import_promise(world, None, None),
    ),
)

_INSIDE = "part of another service, inside its transaction"
_READS = "reads only"
_CLOCK = "called by the clock"
WITHOUT_A_PERSON = {
    "commitments.acts_for": _READS,
    "commitments.record_event": _INSIDE,
    "commitments.exceeds_promise": _READS,
    "commitments.hand_over_commitments": "part of ending a membership, inside its transaction",
    "commitments.email_leads_about_proposals": "part of an import, inside its transaction; it records emails",
    "commitments.email_owners": "part of a change of several, inside its transaction; it records emails",
    "commitments.remind_owners": _CLOCK,
    "commitments.email_deciding_leads": "part of another service, inside its transaction",
    "commitments.email_people_concerned": "part of another service, inside its transaction",
    "commitments.email_person": "part of another service, inside its transaction",
    "commitments.replace_commitment": _INSIDE,
}
