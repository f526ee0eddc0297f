"""Calls that the state of a partnership rules out: who is told the reason, and who is refused before that."""

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


def over(prepare: Callable[[World], Any] | None = None) -> Callable[[World], Any]:
    """Return a function that prepares a record, and then ends the partnership."""

    def ended(world: World) -> Any:
        prepared = prepare(world) if prepare else None
        services.change_status(
            partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now()
        )
        return prepared

    return ended


def _older_version(world: World) -> Any:
    """Return a version of terms that were returned to draft and sent for signature again."""
    version = rights._up(world)
    proposal = version.proposal
    services.take_back_terms(proposal=proposal, reason="A mistake.", author=world.amina, now=timezone.now())
    proposal.refresh_from_db()
    put_up(proposal, world.amina)
    return version


def _withdrawn(world: World) -> Any:
    proposal = rights._drafting(world)
    services.withdraw_proposal(proposal=proposal, reason="No longer.", author=world.amina, now=timezone.now())
    return proposal


def _unlinked(world: World) -> Any:
    link = rights._link(world)
    services.unlink_record(link=link, author=world.amina, now=timezone.now())
    return link


def _notice(organisation: str) -> Any:
    return lambda w, author, _: services.give_notice(
        party=w.party(getattr(w, organisation)), reason="No staff.", last_day=None, author=author, now=timezone.now()
    )


def _post(organisation: str) -> Any:
    return lambda w, author, _: services.create_post(
        organisation=getattr(w, organisation),
        partnership=w.partnership,
        role="nominations",
        author=author,
        now=timezone.now(),
    )


def _role(organisation: str) -> Any:
    return lambda w, author, _: services.change_party_role(
        party=w.party(getattr(w, organisation)),
        role="observer",
        reason="They look on.",
        author=author,
        now=timezone.now(),
    )


def _sign(world: World, author: Any, version: Any) -> Any:
    return services.sign_terms(
        version=version, organisation=world.westmarch, person=author, name="Me", title="Lead", now=timezone.now()
    )


def _progress(world: World, author: Any, objective: Any) -> Any:
    return services.report_progress(
        objective=objective,
        report=services.ProgressReport(on=timezone.localdate(), figure=Decimal(4)),
        author=author,
        now=timezone.now(),
    )


ENDED = (
    Row(
        "agreements.remove_document",
        lambda w, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=over(rights._document),
        situation="after it ended",
        result="UnableToRemoveDocument: This partnership has ended, so you can read its documents but not remove any.",
    ),
    Row(
        "agreements.start_working_group",
        rights._start_group("larkhaven"),
        LEAD,
        prepare=over(),
        situation="after it ended",
        result="UnableToStartGroup: This partnership has ended, so you cannot start a working group in it.",
    ),
    Row(
        "agreements.give_notice",
        _notice("westmarch"),
        PARTNER,
        prepare=over(),
        situation="after it ended",
        result="UnableToGiveNotice: The partnership is not in force, so nobody can give notice to leave it.",
    ),
    Row(
        "agreements.report_progress",
        _progress,
        rights.KEEPERS,
        prepare=over(rights._objective),
        situation="after it ended",
        result="UnableToChangeObjective: This partnership has ended, so you can read its objectives but not change "
        "them.",
    ),
    Row(
        "agreements.answer_invitation",
        lambda w, author, party: services.answer_invitation(
            party=party, accept=True, reason="", author=author, now=timezone.now()
        ),
        frozenset({"stranger"}),
        prepare=over(rights._invited),
        situation="after it ended",
        result="UnableToAnswer: This invitation has already been answered or withdrawn, so you need not answer it.",
    ),
    Row(
        "agreements.create_post",
        _post("larkhaven"),
        EDITORS,
        prepare=over(),
        situation="after it ended",
        result="UnableToChangePost: This partnership has ended, so its posts can no longer change.",
    ),
    Row(
        "agreements.sign_terms",
        _sign,
        PARTNER,
        prepare=over(rights._up),
        situation="after it ended",
        result="UnableToSignTerms: This partnership has ended, so its terms can no longer be signed.",
    ),
    Row(
        "agreements.change_party_role",
        _role("westmarch"),
        LEAD,
        prepare=over(),
        situation="after it ended",
        result="UnableToChangeParty: This partnership has ended, so roles in it can no longer change.",
    ),
)
FORMER_PARTY = (
    Row(
        "agreements.give_notice",
        _notice("harbour"),
        FORMER,
        prepare=rights._under_review,
        situation="of a former party",
        result=f"UnableToGiveNotice: {LEFT}, so it cannot give notice.",
    ),
    Row(
        "agreements.leave_partnership",
        lambda w, author, _: services.leave_partnership(
            party=w.party(w.harbour), reason="Reorganised.", author=author, now=timezone.now()
        ),
        FORMER,
        situation="of a former party",
        result="UnableToLeave: Harbour Community Trust no longer takes part in this partnership.",
    ),
    Row(
        "agreements.choose_date_reminders",
        lambda w, author, _: services.choose_date_reminders(
            party=w.party(w.harbour), days=[30], dates=["end"], author=author, now=timezone.now()
        ),
        FORMER,
        situation="of a former party",
        result=f"UnableToChooseReminders: {LEFT}, so it gets no reminders.",
    ),
    Row(
        "agreements.create_post",
        _post("harbour"),
        FORMER,
        situation="of a former party",
        result=(
            "UnableToChangePost: Harbour Community Trust takes no part in this partnership, so it has no posts there."
        ),
    ),
    Row(
        "agreements.change_party_role",
        _role("harbour"),
        LEAD,
        situation="of a former party",
        result="UnableToChangeParty: Harbour Community Trust no longer takes part, so its role cannot change.",
    ),
)
DONE_ALREADY = (
    Row(
        "agreements.invite_organisation",
        lambda w, author, _: services.invite_organisation(
            partnership=w.partnership,
            organisation=w.westmarch,
            role="member",
            reason="We need them.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
        situation="that takes part",
        result="UnableToInvite: Westmarch Borough Council already takes part in this partnership or is invited to it.",
    ),
    Row(
        "agreements.remove_document",
        lambda w, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=rights._removed,
        situation="once more",
        result="UnableToRemoveDocument: This document has already been removed. An administrator can restore it.",
    ),
    Row(
        "agreements.restore_document",
        lambda w, author, document: services.restore_document(document=document, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=rights._document,
        situation="that was not removed",
        result="UnableToRestoreDocument: This document has not been removed, so there is nothing to restore.",
    ),
    Row(
        "agreements.sign_terms",
        _sign,
        PARTNER,
        prepare=_older_version,
        situation="of an older version",
        result="UnableToSignTerms: A newer version has been sent for signature. Read and sign that version.",
    ),
    Row(
        "agreements.save_terms_piece",
        lambda w, author, proposal: services.save_terms_piece(
            proposal=proposal,
            piece="clauses/exit",
            value={"title": "Exit", "body": "Six months."},
            based_on=None,
            author=author,
            now=timezone.now(),
        ),
        rights.DRAFTERS,
        prepare=_withdrawn,
        situation="after it was withdrawn",
        result="UnableToSavePiece: This proposal is withdrawn, so you can no longer change it.",
    ),
    Row(
        "agreements.renew",
        lambda w, author, _: services.renew(
            partnership=w.partnership, organisation=w.larkhaven, reason="Go on.", author=author, now=timezone.now()
        ),
        LEAD,
        situation="while it is in force",
        result="UnableToRenew: Only a partnership that is under review or has ended can be renewed.",
    ),
    Row(
        "agreements.unlink_record",
        lambda w, author, link: services.unlink_record(link=link, author=author, now=timezone.now()),
        rights.KEEPERS,
        prepare=_unlinked,
        situation="once more",
        result="UnableToChangeObjective: This link has already been removed, so you need not remove it.",
    ),
)
ROWS = (*ENDED, *FORMER_PARTY, *DONE_ALREADY)
