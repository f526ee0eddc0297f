"""Calls of services that the partnership's status rules out, with the reason that each person gets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from partnerships.agreements import services
from tests.agreements import rights
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, PARTNER, Row
from tests.support.terms import put_up
from tests.world import World

FORMER = frozenset({"former"})
LEFT = "Harbour Community Trust does not take part in this partnership"


def then_end(prepare: Callable[[World], Any] | None = None) -> Callable[[World], Any]:
    """Return a function that prepares a record with `prepare`, and then ends the partnership."""

    def prepare_and_end(world: World) -> Any:
        record = prepare(world) if prepare else None
        services.change_status(
            partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now()
        )
        return record

    return prepare_and_end


def _send_terms_twice(world: World) -> Any:
    """Return the first version of terms that were returned to draft and sent for signature again."""
    version = rights._send_larkhavens_draft(world)
    proposal = version.proposal
    services.take_back_terms(proposal=proposal, reason="A mistake.", author=world.amina, now=timezone.now())
    proposal.refresh_from_db()
    put_up(proposal, world.amina)
    return version


def _withdraw_draft(world: World) -> Any:
    """Return Larkhaven's amendment, which was withdrawn."""
    proposal = rights._complete_larkhavens_draft(world)
    services.withdraw_proposal(proposal=proposal, reason="No longer.", author=world.amina, now=timezone.now())
    return proposal


def _link_and_unlink_commitment(world: World) -> Any:
    """Return the link from an objective to a commitment, which was removed."""
    link = rights._link_commitment(world)
    services.unlink_record(link=link, author=world.amina, now=timezone.now())
    return link


def _notice_giver_for(organisation: str) -> Any:
    """Return a call that gives notice for this organisation."""
    return lambda world, author, _: services.give_notice(
        party=world.party(getattr(world, organisation)),
        reason="No staff.",
        last_day=None,
        author=author,
        now=timezone.now(),
    )


def _post_creator_for(organisation: str) -> Any:
    """Return a call that creates a post of this organisation in the partnership."""
    return lambda world, author, _: services.create_post(
        organisation=getattr(world, organisation),
        partnership=world.partnership,
        role="nominations",
        author=author,
        now=timezone.now(),
    )


def _role_changer_for(organisation: str) -> Any:
    """Return a call that makes this organisation an observer."""
    return lambda world, author, _: services.change_party_role(
        party=world.party(getattr(world, organisation)),
        role="observer",
        reason="They look on.",
        author=author,
        now=timezone.now(),
    )


def _sign_for_westmarch(world: World, author: Any, version: Any) -> Any:
    return services.sign_terms(
        version=version, organisation=world.westmarch, person=author, name="Me", title="Lead", now=timezone.now()
    )


def _report_progress(world: World, author: Any, objective: Any) -> Any:
    return services.report_progress(
        objective=objective,
        report=services.ProgressReport(on=timezone.localdate(), figure=Decimal(4)),
        author=author,
        now=timezone.now(),
    )


ENDED = (
    Row(
        "agreements.remove_document",
        lambda world, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=then_end(rights._add_document),
        situation="after it ended",
        result="UnableToRemoveDocument: This partnership has ended, so you can read its documents but not remove any.",
    ),
    Row(
        "agreements.start_working_group",
        rights._group_starter_for("larkhaven"),
        LEAD,
        prepare=then_end(),
        situation="after it ended",
        result="UnableToStartGroup: This partnership has ended, so you cannot start a working group in it.",
    ),
    Row(
        "agreements.give_notice",
        _notice_giver_for("westmarch"),
        PARTNER,
        prepare=then_end(),
        situation="after it ended",
        result="UnableToGiveNotice: The partnership is not in force, so you do not need to give notice to leave it.",
    ),
    Row(
        "agreements.report_progress",
        _report_progress,
        rights.KEEPERS,
        prepare=then_end(rights._add_objective),
        situation="after it ended",
        result="UnableToChangeObjective: This partnership has ended, so you can read its objectives but not change "
        "them.",
    ),
    Row(
        "agreements.answer_invitation",
        lambda world, author, party: services.answer_invitation(
            party=party, accept=True, reason="", author=author, now=timezone.now()
        ),
        frozenset({"stranger"}),
        prepare=then_end(rights._invite_tidewater),
        situation="after it ended",
        result=(
            "UnableToAnswer: This invitation has already been answered or withdrawn, so you do not need to answer it."
        ),
    ),
    Row(
        "agreements.create_post",
        _post_creator_for("larkhaven"),
        EDITORS,
        prepare=then_end(),
        situation="after it ended",
        result="UnableToChangePost: This partnership has ended, so its posts can no longer change.",
    ),
    Row(
        "agreements.sign_terms",
        _sign_for_westmarch,
        PARTNER,
        prepare=then_end(rights._send_larkhavens_draft),
        situation="after it ended",
        result="UnableToSignTerms: This partnership has ended, so its terms can no longer be signed.",
    ),
    Row(
        "agreements.change_party_role",
        _role_changer_for("westmarch"),
        LEAD,
        prepare=then_end(),
        situation="after it ended",
        result="UnableToChangeParty: This partnership has ended, so roles in it can no longer change.",
    ),
)
FORMER_PARTY = (
    Row(
        "agreements.give_notice",
        _notice_giver_for("harbour"),
        FORMER,
        prepare=rights._put_under_review,
        situation="of a former party",
        result=f"UnableToGiveNotice: {LEFT}, so it cannot give notice.",
    ),
    Row(
        "agreements.leave_partnership",
        lambda world, author, _: services.leave_partnership(
            party=world.party(world.harbour), reason="Reorganised.", author=author, now=timezone.now()
        ),
        FORMER,
        situation="of a former party",
        result="UnableToLeave: Harbour Community Trust no longer takes part, so it cannot leave or be removed.",
    ),
    Row(
        "agreements.choose_date_reminders",
        lambda world, author, _: services.choose_date_reminders(
            party=world.party(world.harbour), days=[30], dates=["end"], author=author, now=timezone.now()
        ),
        FORMER,
        situation="of a former party",
        result=f"UnableToChooseReminders: {LEFT}, so it gets no reminders.",
    ),
    Row(
        "agreements.create_post",
        _post_creator_for("harbour"),
        FORMER,
        situation="of a former party",
        result=(
            "UnableToChangePost: Harbour Community Trust does not take part in this partnership, so it can have no "
            "posts there."
        ),
    ),
    Row(
        "agreements.change_party_role",
        _role_changer_for("harbour"),
        LEAD,
        situation="of a former party",
        result="UnableToChangeParty: Harbour Community Trust no longer takes part, so its role cannot change.",
    ),
)
DONE_ALREADY = (
    Row(
        "agreements.invite_organisation",
        lambda world, author, _: services.invite_organisation(
            partnership=world.partnership,
            organisation=world.westmarch,
            role="member",
            reason="We need them.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        situation="that takes part",
        result="UnableToInvite: Westmarch Borough Council already takes part or is invited. "
        "Choose another organisation.",
    ),
    Row(
        "agreements.remove_document",
        lambda world, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=rights._add_and_remove_document,
        situation="once more",
        result="UnableToRemoveDocument: This document has already been removed. An administrator can restore it.",
    ),
    Row(
        "agreements.restore_document",
        lambda world, author, document: services.restore_document(document=document, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=rights._add_document,
        situation="that was not removed",
        result="UnableToRestoreDocument: This document has not been removed, so there is nothing to restore.",
    ),
    Row(
        "agreements.sign_terms",
        _sign_for_westmarch,
        PARTNER,
        prepare=_send_terms_twice,
        situation="of an older version",
        result="UnableToSignTerms: A newer version has been sent for signature. Read and sign that version.",
    ),
    Row(
        "agreements.save_terms_piece",
        lambda world, author, proposal: services.save_terms_piece(
            proposal=proposal,
            piece="clauses/exit",
            value={"title": "Exit", "body": "Six months."},
            based_on=None,
            author=author,
            now=timezone.now(),
        ),
        rights.DRAFTERS,
        prepare=_withdraw_draft,
        situation="after it was withdrawn",
        result="UnableToSavePiece: This proposal is withdrawn, so you can no longer change it.",
    ),
    Row(
        "agreements.renew",
        lambda world, author, _: services.renew(
            partnership=world.partnership,
            organisation=world.larkhaven,
            reason="Go on.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        situation="while it is in force",
        result="UnableToRenew: You can renew a partnership only while it is under review, or once it has ended.",
    ),
    Row(
        "agreements.unlink_record",
        lambda world, author, link: services.unlink_record(link=link, author=author, now=timezone.now()),
        rights.KEEPERS,
        prepare=_link_and_unlink_commitment,
        situation="once more",
        result="UnableToChangeObjective: This link has already been removed, so you do not need to remove it.",
    ),
)
ROWS = (*ENDED, *FORMER_PARTY, *DONE_ALREADY)
