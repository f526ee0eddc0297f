"""Who may call each service of partnerships."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements import services
from partnerships.agreements.models import Partnership, TermsProposal
from partnerships.people.models import User
from tests.commitments.promises import agree
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, NO_WRITES, NOBODY, OWN, PARTNER, PARTNER_EDITORS, Row
from tests.support.terms import draft, put_up, sign_all
from tests.world import World


def _invite_tidewater(world: World) -> Any:
    """Invite Tidewater to the Estuary Partnership, and return its part."""
    return services.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )


def _group_starter_for(organisation: str) -> Any:
    """Return a call that starts a working group of Larkhaven and Westmarch for this organisation."""
    return lambda world, author, _: services.start_working_group(
        parent=world.partnership,
        organisation=getattr(world, organisation),
        group=services.NewGroup(
            title="Depot group",
            purpose="Move the depot.",
            members=[world.larkhaven, world.westmarch],
            ends_on=timezone.localdate() + dt.timedelta(days=90),
        ),
        author=author,
        now=timezone.now(),
    )


def _set_status(world: World, author: User | None, status: str) -> None:
    """Change the status of the Estuary Partnership."""
    services.change_status(
        partnership=world.partnership, status=status, reason="Agreed.", author=author, now=timezone.now()
    )


def _put_under_review(world: World) -> None:
    """Put the Estuary Partnership under review."""
    _set_status(world, world.amina, "under_review")


def _add_document(world: World, of: Any = None, by: Any = None) -> Any:
    """Add a document of Larkhaven, or of the organisation `of`."""
    return services.add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=of or world.larkhaven,
        author=by or world.amina,
        now=timezone.now(),
    )


def _add_and_remove_document(world: World) -> Any:
    """Add a document and remove it again."""
    document = _add_document(world)
    services.remove_document(document=document, author=world.amina, now=timezone.now())
    return document


def _create_post(world: World, role: str = "nominations") -> Any:
    """Create a vacant post of Larkhaven."""
    return services.create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role=role,
        title="Of the rights table",
        author=world.amina,
        now=timezone.now(),
    )


def _fill_post(post: Any, author: User | None, someone: User) -> Any:
    return services.fill_post(post=post, person=someone, reason="New.", author=author, now=timezone.now())


def _make_vera_holder(world: World) -> Any:
    """Give a post to Vera, and return Vera's time in it."""
    return _fill_post(_create_post(world), world.amina, world.vera)


def _give_westmarchs_notice(world: World) -> Any:
    """Give notice for Westmarch, in a partnership under review."""
    _put_under_review(world)
    return services.give_notice(
        party=world.party(world.westmarch),
        reason="No staff.",
        last_day=timezone.localdate() + dt.timedelta(days=90),
        author=world.ben,
        now=timezone.now(),
    )


def _add_objective(world: World, author: User | None = None) -> Any:
    """Add an objective for which Larkhaven is responsible."""
    return services.add_objective(
        partnership=world.partnership,
        text="More homes",
        measure="Homes started",
        baseline=Decimal(0),
        baseline_on=timezone.localdate() - dt.timedelta(days=9),
        target=Decimal(10),
        target_on=timezone.localdate() + dt.timedelta(days=300),
        organisation=world.larkhaven,
        author=author or world.amina,
        now=timezone.now(),
    )


def _add_objective_and_commitment(world: World) -> Any:
    """Return an objective, and the key of a commitment that can be linked to it."""
    return _add_objective(world), str(agree(world, partnership=world.partnership).pk)


def _link_commitment(world: World) -> Any:
    """Link a commitment to an objective."""
    objective, key = _add_objective_and_commitment(world)
    return services.link_record(
        objective=objective, provider="commitment", key=key, author=world.amina, now=timezone.now()
    )


def _create_partnership(world: World, author: User, _: Any) -> Partnership:
    return services.create_partnership(
        organisation=world.larkhaven, author=author, title="Quays", kind="charter", now=timezone.now()
    )


def _complete_larkhavens_draft(world: World) -> Any:
    """Return the amendment that Larkhaven drafts (see access.py), complete enough to sign."""
    proposal = TermsProposal.objects.get(partnership=world.partnership, number=3)
    return draft(proposal, world.amina, reports_to="The board")


def _draft_two_clauses(world: World) -> Any:
    """Return Larkhaven's draft with a second clause."""
    proposal = _complete_larkhavens_draft(world)
    value = {"title": "Exit", "body": "Six months."}
    services.save_terms_piece(
        proposal=proposal, piece="clauses/exit", value=value, based_on=None, author=world.amina, now=timezone.now()
    )
    return proposal


def _draft_based_on_older_terms(world: World) -> Any:
    """Return Larkhaven's draft, after another amendment has come into force."""
    proposal = _complete_larkhavens_draft(world)
    sign_all(world.things["terms_version"])
    return proposal


def _send_larkhavens_draft(world: World) -> Any:
    """Send Larkhaven's draft for signature, and return its version."""
    return put_up(_complete_larkhavens_draft(world), world.amina)


def _draft_westmarchs_amendment(world: World) -> Any:
    """Propose an amendment for Westmarch, and complete its draft."""
    proposal = services.propose_amendment(
        partnership=world.partnership,
        organisation=world.westmarch,
        reason="A new board.",
        author=world.ben,
        now=timezone.now(),
    )
    return draft(proposal, world.ben, reports_to="The cabinet")


def _scanned_page() -> ContentFile[bytes]:
    return ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf")


def _record_paper_signature(world: World, author: User, version: Any, body: Any) -> object:
    return services.record_paper_signature(
        version=version,
        organisation=body,
        signature=services.PaperSignature(
            name="Ben West", title="Chief executive", signed_on=timezone.localdate(), scan=_scanned_page()
        ),
        author=author,
        acting=world.larkhaven if author == world.amina else None,
        now=timezone.now(),
    )


#: Editors and leads of the parties that sign.
DRAFTERS = EDITORS | PARTNER_EDITORS

TERMS_ROWS = (
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
        DRAFTERS,
        prepare=_complete_larkhavens_draft,
    ),
    Row(
        "agreements.move_terms_piece",
        lambda world, author, proposal: services.move_terms_piece(
            proposal=proposal, piece="clauses/exit", up=True, author=author, now=timezone.now()
        ),
        DRAFTERS,
        prepare=_draft_two_clauses,
    ),
    Row(
        "agreements.move_terms_piece",
        lambda world, author, proposal: services.move_terms_piece(
            proposal=proposal, piece="clauses/exit", up=False, author=author, now=timezone.now()
        ),
        DRAFTERS,
        prepare=_draft_two_clauses,
        situation="where it is last already",
        result=NO_WRITES,
    ),
    Row(
        "agreements.update_terms_draft",
        lambda world, author, proposal: services.update_terms_draft(
            proposal=proposal, author=author, now=timezone.now()
        ),
        DRAFTERS,
        prepare=_draft_based_on_older_terms,
    ),
    Row(
        "agreements.propose_amendment",
        lambda world, author, _: services.propose_amendment(
            partnership=world.partnership,
            organisation=world.westmarch,
            reason="Why.",
            author=author,
            now=timezone.now(),
        ),
        PARTNER,
        situation="for a member",
    ),
    Row(
        "agreements.propose_amendment",
        lambda world, author, _: services.propose_amendment(
            partnership=world.partnership,
            organisation=world.riverside,
            reason="Why.",
            author=author,
            now=timezone.now(),
        ),
        frozenset(),
        situation="for an observer",
    ),
    Row(
        "agreements.send_for_signature",
        lambda world, author, proposal: put_up(proposal, author),
        LEAD,
        prepare=_complete_larkhavens_draft,
        situation="of the chair's amendment",
    ),
    Row(
        "agreements.send_for_signature",
        lambda world, author, proposal: put_up(proposal, author),
        LEAD | PARTNER,
        prepare=_draft_westmarchs_amendment,
        situation="of a member's amendment",
    ),
    Row(
        "agreements.take_back_terms",
        lambda world, author, version: services.take_back_terms(
            proposal=version.proposal, reason="A mistake.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_send_larkhavens_draft,
    ),
    Row(
        "agreements.withdraw_proposal",
        lambda world, author, proposal: services.withdraw_proposal(
            proposal=proposal, reason="No longer.", author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=_draft_westmarchs_amendment,
    ),
    Row(
        "agreements.sign_terms",
        lambda world, author, version: services.sign_terms(
            version=version, organisation=world.westmarch, person=author, name="Me", title="Lead", now=timezone.now()
        ),
        PARTNER,
        prepare=_send_larkhavens_draft,
    ),
    Row(
        "agreements.decline_to_sign",
        lambda world, author, version: services.decline_to_sign(
            version=version, organisation=world.westmarch, person=author, title="Lead", reason="No.", now=timezone.now()
        ),
        PARTNER,
        prepare=_send_larkhavens_draft,
    ),
    Row(
        "agreements.record_paper_signature",
        lambda world, author, version: _record_paper_signature(world, author, version, world.westmarch),
        LEAD | PARTNER,
        prepare=_send_larkhavens_draft,
        situation="of a member",
    ),
    Row(
        "agreements.record_paper_signature",
        lambda world, author, version: _record_paper_signature(world, author, version, world.larkhaven),
        LEAD,
        prepare=_send_larkhavens_draft,
        situation="of the chair",
    ),
    Row(
        "agreements.record_acceptances",
        lambda world, author, version: services.record_acceptances(version=version, author=author, now=timezone.now()),
        frozenset(),
        prepare=_send_larkhavens_draft,
        situation="only for loaders",
    ),
)
#: Editors and leads of present parties that are not observers.
KEEPERS = EDITORS | PARTNER_EDITORS

ROWS = (
    *TERMS_ROWS,
    Row("agreements.start_working_group", _group_starter_for("larkhaven"), LEAD),
    Row("agreements.start_working_group", _group_starter_for("westmarch"), PARTNER, situation="of another party"),
    Row("agreements.start_working_group", _group_starter_for("riverside"), frozenset(), situation="of an observer"),
    Row("agreements.create_partnership", _create_partnership, LEAD),
    Row(
        "agreements.edit_settings",
        lambda world, author, _: services.edit_settings(
            partnership=world.partnership, title="Quays", reason="Its name.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.edit_settings",
        lambda world, author, _: services.edit_settings(
            partnership=world.partnership,
            title="Quays",
            reason="Its name.",
            author=author,
            organisation=world.westmarch,
            now=timezone.now(),
        ),
        frozenset(),
        situation="in the name of a member",
    ),
    Row(
        "agreements.invite_organisation",
        lambda world, author, _: services.invite_organisation(
            partnership=world.partnership,
            organisation=world.tidewater,
            role="member",
            reason="We need them.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "agreements.answer_invitation",
        lambda world, author, party: services.answer_invitation(
            party=party, accept=True, reason="", author=author, now=timezone.now()
        ),
        frozenset({"stranger"}),
        prepare=_invite_tidewater,
        situation="sent to Tidewater",
    ),
    Row(
        "agreements.leave_partnership",
        lambda world, author, _: services.leave_partnership(
            party=world.party(world.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        PARTNER,
    ),
    Row(
        "agreements.remove_party",
        lambda world, author, _: services.remove_party(
            party=world.party(world.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.remove_party",
        lambda world, author, party: services.remove_party(
            party=party, reason="A mistake.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_invite_tidewater,
        situation="that is only invited",
    ),
    Row(
        "agreements.change_party_role",
        lambda world, author, _: services.change_party_role(
            party=world.party(world.westmarch),
            role="lead",
            reason="Agreed at the meeting.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "agreements.create_post",
        lambda world, author, _: services.create_post(
            organisation=world.larkhaven, role="finance", author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "agreements.create_post",
        lambda world, author, _: services.create_post(
            organisation=world.larkhaven, role="signatory", author=author, now=timezone.now()
        ),
        LEAD,
        situation="of a signatory",
    ),
    Row(
        "agreements.correct_post",
        lambda world, author, post: services.correct_post(
            post=post, title="Corrected", reason="Misspelt.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_create_post,
    ),
    Row(
        "agreements.correct_holder",
        lambda world, author, holder: services.correct_holder(
            holder=holder,
            starts_on=holder.starts_on,
            ends_on=holder.starts_on + dt.timedelta(1),
            reason="For a day only.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_make_vera_holder,
    ),
    Row(
        "agreements.fill_post",
        lambda world, author, post: _fill_post(post, author, world.vera),
        EDITORS,
        prepare=_create_post,
    ),
    Row(
        "agreements.fill_post",
        lambda world, author, post: _fill_post(post, author, world.eddie),
        LEAD,
        prepare=lambda world: _create_post(world, "lead"),
        situation="of a lead",
    ),
    Row(
        "agreements.vacate_post",
        lambda world, author, holder: services.vacate_post(
            holder=holder, reason="Moved.", author=author, now=timezone.now()
        ),
        OWN,
        prepare=_make_vera_holder,
        situation="that a viewer holds",
    ),
    Row(
        "agreements.change_contact",
        lambda world, author, holder: services.change_contact(
            holder=holder, contact=services.ContactDetails(phone="01329 555 010"), author=author, now=timezone.now()
        ),
        OWN,
        prepare=_make_vera_holder,
        situation="of a viewer",
    ),
    Row(
        "agreements.end_post",
        lambda world, author, post: services.end_post(post=post, reason="Done.", author=author, now=timezone.now()),
        EDITORS,
        prepare=_create_post,
    ),
    Row("agreements.change_status", lambda world, author, _: _set_status(world, author, "suspended"), LEAD),
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
        prepare=_put_under_review,
    ),
    Row(
        "agreements.renew",
        lambda world, author, _: services.renew(
            partnership=world.partnership,
            organisation=world.westmarch,
            reason="Go on.",
            author=author,
            now=timezone.now(),
        ),
        NOBODY,
        prepare=_put_under_review,
        situation="for a member that does not lead it",
    ),
    Row(
        "agreements.give_notice",
        lambda world, author, _: services.give_notice(
            party=world.party(world.westmarch), reason="No staff.", last_day=None, author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=_put_under_review,
    ),
    Row(
        "agreements.withdraw_notice",
        lambda world, author, notice: services.withdraw_notice(
            notice=notice, reason="Staff found.", author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=_give_westmarchs_notice,
    ),
    Row(
        "agreements.choose_date_reminders",
        lambda world, author, _: services.choose_date_reminders(
            party=world.party(world.westmarch), days=[30], dates=["end"], author=author, now=timezone.now()
        ),
        PARTNER,
    ),
    Row("agreements.add_objective", lambda world, author, _: _add_objective(world, author), KEEPERS),
    Row(
        "agreements.edit_objective",
        lambda world, author, objective: services.edit_objective(
            objective=objective, revision=1, reason="Clearer.", text="Homes", author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_add_objective,
    ),
    Row(
        "agreements.report_progress",
        lambda world, author, objective: services.report_progress(
            objective=objective,
            report=services.ProgressReport(on=timezone.localdate(), figure=Decimal(4)),
            author=author,
            now=timezone.now(),
        ),
        KEEPERS,
        prepare=_add_objective,
    ),
    Row(
        "agreements.change_objective_status",
        lambda world, author, objective: services.change_objective_status(
            objective=objective, status="met", reason="All built.", author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_add_objective,
    ),
    Row(
        "agreements.move_objective",
        lambda world, author, objective: services.move_objective(
            objective=objective, up=True, author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_add_objective,
    ),
    Row(
        "agreements.link_record",
        lambda world, author, made: services.link_record(
            objective=made[0], provider="commitment", key=made[1], author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_add_objective_and_commitment,
    ),
    Row(
        "agreements.unlink_record",
        lambda world, author, link: services.unlink_record(link=link, author=author, now=timezone.now()),
        KEEPERS,
        prepare=_link_commitment,
    ),
    Row("agreements.add_document", lambda world, author, _: _add_document(world, world.larkhaven, author), EDITORS),
    Row(
        "agreements.add_document",
        lambda world, author, _: _add_document(world, world.westmarch, author),
        PARTNER_EDITORS,
        situation="of a member",
    ),
    Row(
        "agreements.add_document",
        lambda world, author, _: _add_document(world, world.riverside, author),
        frozenset(),
        situation="of an observer",
    ),
    Row(
        "agreements.add_document",
        lambda world, author, _: _add_document(world, world.harbour, author),
        frozenset(),
        situation="of a former party",
    ),
    Row(
        "agreements.remove_document",
        lambda world, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=_add_document,
    ),
    Row(
        "agreements.restore_document",
        lambda world, author, document: services.restore_document(document=document, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_add_and_remove_document,
    ),
)

#: Services that only the system calls.
WITHOUT_A_PERSON = {
    "agreements.check_holder": "part of another service, inside its transaction",
    "agreements.record_dates_near": "called by the clock",
    "agreements.record_terms_in_force": "called by the clock",
    "agreements.lapse_proposals": "called by the clock",
    "agreements.remind_terms_signers": "called by the clock",
    "agreements.escalate_late_signatures": "called by the clock",
    "agreements.ask_joined_parties": "called by the clock",
    "agreements.withdraw_left_over_invitations": "called by the clock",
    "agreements.ask_joiners": "called by the clock, and by services that checked",
    "agreements.ask_new_signers": "called by the clock",
    "agreements.copy_posts": "called by the renewal, which checked",
    "agreements.set_status": "called by services that checked",
    "agreements.adjust_signatories": "called by services that checked",
    "agreements.ask_to_sign": "called by services that checked",
    "agreements.email_leads": "called by services that checked",
    "agreements.end_holding_of": "called where a membership ends, which was checked",
    "agreements.open_first_proposal": "called by services that checked",
    "agreements.record_draft_event": "called by services that checked",
    "agreements.put_in_force_if_signed": "called by services that checked",
    "agreements.close_post": "called by services that checked",
    "agreements.apply_terms_in_force": "called by the clock, and by services that checked",
    "agreements.record_due_steps": "called by the clock",
    "agreements.remove_contact": "a contact without an account, by the link in their own email",
    "agreements.email_contact": "called by services that checked, and by an old link; the email goes to the contact",
    "agreements.carry_out_notices": "called by the clock",
    "agreements.remind_of_dates": "called by the clock",
    "agreements.requirements_missing_for": "reads only",
    "agreements.acting_for": "reads only",
    "agreements.email_new_holder": "called by services that checked",
    "agreements.withdraw_invitation": "called by services that checked",
    "agreements.record_event": "records what another service did",
    "agreements.record_post_event": "records what another service did",
}
