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


def _invited(world: World) -> Any:
    """Invite Tidewater to the Estuary Partnership."""
    return services.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )


def _start_group(organisation: str) -> Any:
    """Return a call that starts a working group of Larkhaven and Westmarch for this organisation."""
    return lambda w, author, _: services.start_working_group(
        parent=w.partnership,
        organisation=getattr(w, organisation),
        group=services.NewGroup(
            title="Depot group",
            purpose="Move the depot.",
            members=[w.larkhaven, w.westmarch],
            ends_on=timezone.localdate() + dt.timedelta(days=90),
        ),
        author=author,
        now=timezone.now(),
    )


def _step(world: World, author: User | None, status: str) -> None:
    services.change_status(
        partnership=world.partnership, status=status, reason="Agreed.", author=author, now=timezone.now()
    )


def _under_review(world: World) -> None:
    """Put the Estuary Partnership under review."""
    _step(world, world.amina, "under_review")


def _document(world: World, of: Any = None, by: Any = None) -> Any:
    return services.add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=of or world.larkhaven,
        author=by or world.amina,
        now=timezone.now(),
    )


def _removed(world: World) -> Any:
    document = _document(world)
    services.remove_document(document=document, author=world.amina, now=timezone.now())
    return document


def _post(world: World, role: str = "nominations") -> Any:
    return services.create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role=role,
        title="Of the rights table",
        author=world.amina,
        now=timezone.now(),
    )


def _fill(post: Any, author: User | None, someone: User) -> Any:
    return services.fill_post(post=post, person=someone, reason="New.", author=author, now=timezone.now())


def _holder(world: World) -> Any:
    """Give a post to Vera, and return her as its holder."""
    return _fill(_post(world), world.amina, world.vera)


def _notice(world: World) -> Any:
    """Give notice for Westmarch."""
    _under_review(world)
    return services.give_notice(
        party=world.party(world.westmarch),
        reason="No staff.",
        last_day=timezone.localdate() + dt.timedelta(days=90),
        author=world.ben,
        now=timezone.now(),
    )


def _objective(world: World, author: User | None = None) -> Any:
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


def _with_commitment(world: World) -> Any:
    return _objective(world), str(agree(world, partnership=world.partnership).pk)


def _link(world: World) -> Any:
    objective, key = _with_commitment(world)
    return services.link_record(
        objective=objective, provider="commitment", key=key, author=world.amina, now=timezone.now()
    )


def _create(world: World, author: User, _: Any) -> Partnership:
    return services.create_partnership(
        organisation=world.larkhaven, author=author, title="Quays", kind="charter", now=timezone.now()
    )


def _drafting(world: World) -> Any:
    """Return the amendment that Larkhaven drafts, complete enough to sign (see access.py)."""
    found = TermsProposal.objects.get(partnership=world.partnership, number=3)
    return draft(found, world.amina, reports_to="The board")


def _two_clauses(world: World) -> Any:
    """Return that amendment with a second clause."""
    found = _drafting(world)
    value = {"title": "Exit", "body": "Six months."}
    services.save_terms_piece(
        proposal=found, piece="clauses/exit", value=value, based_on=None, author=world.amina, now=timezone.now()
    )
    return found


def _out_of_date(world: World) -> Any:
    """Return that amendment, after another one came into force."""
    found = _drafting(world)
    sign_all(world.things["terms_version"])
    return found


def _up(world: World) -> Any:
    """Send that amendment for signature, and return its version."""
    return put_up(_drafting(world), world.amina)


def _amendment(world: World) -> Any:
    """Propose an amendment for Westmarch."""
    made = services.propose_amendment(
        partnership=world.partnership,
        organisation=world.westmarch,
        reason="A new board.",
        author=world.ben,
        now=timezone.now(),
    )
    return draft(made, world.ben, reports_to="The cabinet")


def _scan() -> ContentFile[bytes]:
    return ContentFile(b"%PDF-1.4\n%signed\n", name="signed.pdf")


def _paper(world: World, author: User, version: Any, body: Any) -> object:
    return services.record_paper_signature(
        version=version,
        organisation=body,
        signature=services.PaperSignature(
            name="Ben West", title="Chief executive", signed_on=timezone.localdate(), scan=_scan()
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
        lambda w, author, found: services.save_terms_piece(
            proposal=found,
            piece="clauses/exit",
            value={"title": "Exit", "body": "Six months."},
            based_on=None,
            author=author,
            now=timezone.now(),
        ),
        DRAFTERS,
        prepare=_drafting,
    ),
    Row(
        "agreements.move_terms_piece",
        lambda w, author, found: services.move_terms_piece(
            proposal=found, piece="clauses/exit", up=True, author=author, now=timezone.now()
        ),
        DRAFTERS,
        prepare=_two_clauses,
    ),
    Row(
        "agreements.move_terms_piece",
        lambda w, author, found: services.move_terms_piece(
            proposal=found, piece="clauses/exit", up=False, author=author, now=timezone.now()
        ),
        DRAFTERS,
        prepare=_two_clauses,
        situation="where it is last already",
        result=NO_WRITES,
    ),
    Row(
        "agreements.update_terms_draft",
        lambda w, author, found: services.update_terms_draft(proposal=found, author=author, now=timezone.now()),
        DRAFTERS,
        prepare=_out_of_date,
    ),
    Row(
        "agreements.propose_amendment",
        lambda w, author, _: services.propose_amendment(
            partnership=w.partnership, organisation=w.westmarch, reason="Why.", author=author, now=timezone.now()
        ),
        PARTNER,
        situation="for a member",
    ),
    Row(
        "agreements.propose_amendment",
        lambda w, author, _: services.propose_amendment(
            partnership=w.partnership, organisation=w.riverside, reason="Why.", author=author, now=timezone.now()
        ),
        frozenset(),
        situation="for an observer",
    ),
    Row(
        "agreements.send_for_signature",
        lambda w, author, found: put_up(found, author),
        LEAD,
        prepare=_drafting,
        situation="of the chair's amendment",
    ),
    Row(
        "agreements.send_for_signature",
        lambda w, author, found: put_up(found, author),
        LEAD | PARTNER,
        prepare=_amendment,
        situation="of a member's amendment",
    ),
    Row(
        "agreements.take_back_terms",
        lambda w, author, version: services.take_back_terms(
            proposal=version.proposal, reason="A mistake.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_up,
    ),
    Row(
        "agreements.withdraw_proposal",
        lambda w, author, found: services.withdraw_proposal(
            proposal=found, reason="No longer.", author=author, now=timezone.now()
        ),
        LEAD | PARTNER,
        prepare=_amendment,
    ),
    Row(
        "agreements.sign_terms",
        lambda w, author, version: services.sign_terms(
            version=version, organisation=w.westmarch, person=author, name="Me", title="Lead", now=timezone.now()
        ),
        PARTNER,
        prepare=_up,
    ),
    Row(
        "agreements.decline_to_sign",
        lambda w, author, version: services.decline_to_sign(
            version=version, organisation=w.westmarch, person=author, title="Lead", reason="No.", now=timezone.now()
        ),
        PARTNER,
        prepare=_up,
    ),
    Row(
        "agreements.record_paper_signature",
        lambda w, author, version: _paper(w, author, version, w.westmarch),
        LEAD | PARTNER,
        prepare=_up,
        situation="of a member",
    ),
    Row(
        "agreements.record_paper_signature",
        lambda w, author, version: _paper(w, author, version, w.larkhaven),
        LEAD,
        prepare=_up,
        situation="of the chair",
    ),
    Row(
        "agreements.record_acceptances",
        lambda w, author, version: services.record_acceptances(version=version, author=author, now=timezone.now()),
        frozenset(),
        prepare=_up,
        situation="only for loaders",
    ),
)
#: Editors and leads of present parties that are not observers.
KEEPERS = EDITORS | PARTNER_EDITORS

ROWS = (
    *TERMS_ROWS,
    Row("agreements.start_working_group", _start_group("larkhaven"), LEAD),
    Row("agreements.start_working_group", _start_group("westmarch"), PARTNER, situation="of another party"),
    Row("agreements.start_working_group", _start_group("riverside"), frozenset(), situation="of an observer"),
    Row("agreements.create_partnership", _create, LEAD),
    Row(
        "agreements.edit_settings",
        lambda w, author, _: services.edit_settings(
            partnership=w.partnership, title="Quays", reason="Its name.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.edit_settings",
        lambda w, author, _: services.edit_settings(
            partnership=w.partnership,
            title="Quays",
            reason="Its name.",
            author=author,
            organisation=w.westmarch,
            now=timezone.now(),
        ),
        frozenset(),
        situation="in the name of a member",
    ),
    Row(
        "agreements.invite_organisation",
        lambda w, author, _: services.invite_organisation(
            partnership=w.partnership,
            organisation=w.tidewater,
            role="member",
            reason="We need them.",
            author=author,
            now=timezone.now(),
        ),
        LEAD,
    ),
    Row(
        "agreements.answer_invitation",
        lambda w, author, party: services.answer_invitation(
            party=party, accept=True, reason="", author=author, now=timezone.now()
        ),
        frozenset({"stranger"}),
        prepare=_invited,
        situation="sent to Tidewater",
    ),
    Row(
        "agreements.leave_partnership",
        lambda w, author, _: services.leave_partnership(
            party=w.party(w.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        PARTNER,
    ),
    Row(
        "agreements.remove_party",
        lambda w, author, _: services.remove_party(
            party=w.party(w.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.remove_party",
        lambda w, author, party: services.remove_party(
            party=party, reason="A mistake.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_invited,
        situation="that is only invited",
    ),
    Row(
        "agreements.change_party_role",
        lambda w, author, _: services.change_party_role(
            party=w.party(w.westmarch), role="lead", reason="Agreed at the meeting.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.create_post",
        lambda w, author, _: services.create_post(
            organisation=w.larkhaven, role="finance", author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "agreements.create_post",
        lambda w, author, _: services.create_post(
            organisation=w.larkhaven, role="signatory", author=author, now=timezone.now()
        ),
        LEAD,
        situation="of a signatory",
    ),
    Row(
        "agreements.correct_post",
        lambda w, author, post: services.correct_post(
            post=post, title="Corrected", reason="Misspelt.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_post,
    ),
    Row(
        "agreements.correct_holder",
        lambda w, author, holder: services.correct_holder(
            holder=holder,
            starts_on=holder.starts_on,
            ends_on=holder.starts_on + dt.timedelta(1),
            reason="For a day only.",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_holder,
    ),
    Row("agreements.fill_post", lambda w, author, post: _fill(post, author, w.vera), EDITORS, prepare=_post),
    Row(
        "agreements.fill_post",
        lambda w, author, post: _fill(post, author, w.eddie),
        LEAD,
        prepare=lambda w: _post(w, "lead"),
        situation="of a lead",
    ),
    Row(
        "agreements.vacate_post",
        lambda w, author, holder: services.vacate_post(
            holder=holder, reason="Moved.", author=author, now=timezone.now()
        ),
        OWN,
        prepare=_holder,
        situation="that a viewer holds",
    ),
    Row(
        "agreements.change_contact",
        lambda w, author, holder: services.change_contact(
            holder=holder, contact=services.Contact(phone="01329 555 010"), author=author, now=timezone.now()
        ),
        OWN,
        prepare=_holder,
        situation="of a viewer",
    ),
    Row(
        "agreements.end_post",
        lambda w, author, post: services.end_post(post=post, reason="Done.", author=author, now=timezone.now()),
        EDITORS,
        prepare=_post,
    ),
    Row("agreements.change_status", lambda w, author, _: _step(w, author, "suspended"), LEAD),
    Row(
        "agreements.renew",
        lambda w, author, _: services.renew(
            partnership=w.partnership, organisation=w.larkhaven, reason="Go on.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_under_review,
    ),
    Row(
        "agreements.renew",
        lambda w, author, _: services.renew(
            partnership=w.partnership, organisation=w.westmarch, reason="Go on.", author=author, now=timezone.now()
        ),
        NOBODY,
        prepare=_under_review,
        situation="for a member that does not lead it",
    ),
    Row(
        "agreements.give_notice",
        lambda w, author, _: services.give_notice(
            party=w.party(w.westmarch), reason="No staff.", last_day=None, author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=_under_review,
    ),
    Row(
        "agreements.withdraw_notice",
        lambda w, author, notice: services.withdraw_notice(
            notice=notice, reason="Staff found.", author=author, now=timezone.now()
        ),
        PARTNER,
        prepare=_notice,
    ),
    Row(
        "agreements.choose_date_reminders",
        lambda w, author, _: services.choose_date_reminders(
            party=w.party(w.westmarch), days=[30], dates=["end"], author=author, now=timezone.now()
        ),
        PARTNER,
    ),
    Row("agreements.add_objective", lambda w, author, _: _objective(w, author), KEEPERS),
    Row(
        "agreements.edit_objective",
        lambda w, author, objective: services.edit_objective(
            objective=objective, revision=1, reason="Clearer.", text="Homes", author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_objective,
    ),
    Row(
        "agreements.report_progress",
        lambda w, author, objective: services.report_progress(
            objective=objective,
            report=services.ProgressReport(on=timezone.localdate(), figure=Decimal(4)),
            author=author,
            now=timezone.now(),
        ),
        KEEPERS,
        prepare=_objective,
    ),
    Row(
        "agreements.change_objective_status",
        lambda w, author, objective: services.change_objective_status(
            objective=objective, status="met", reason="All built.", author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_objective,
    ),
    Row(
        "agreements.move_objective",
        lambda w, author, objective: services.move_objective(
            objective=objective, up=True, author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_objective,
    ),
    Row(
        "agreements.link_record",
        lambda w, author, made: services.link_record(
            objective=made[0], provider="commitment", key=made[1], author=author, now=timezone.now()
        ),
        KEEPERS,
        prepare=_with_commitment,
    ),
    Row(
        "agreements.unlink_record",
        lambda w, author, link: services.unlink_record(link=link, author=author, now=timezone.now()),
        KEEPERS,
        prepare=_link,
    ),
    Row("agreements.add_document", lambda w, author, _: _document(w, w.larkhaven, author), EDITORS),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.westmarch, author),
        PARTNER_EDITORS,
        situation="of a member",
    ),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.riverside, author),
        frozenset(),
        situation="of an observer",
    ),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.harbour, author),
        frozenset(),
        situation="of a former party",
    ),
    Row(
        "agreements.remove_document",
        lambda w, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=_document,
    ),
    Row(
        "agreements.restore_document",
        lambda w, author, document: services.restore_document(document=document, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_removed,
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
    "agreements.record_event": "records what another service did",
    "agreements.record_post_event": "records what another service did",
}
