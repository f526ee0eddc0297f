"""Access that ended since the backup ends again, if it is the same; what cannot be applied is reported."""

from __future__ import annotations

import datetime as dt
from io import StringIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.utils import timezone

from partnerships.agreements.models import Document, Partnership, Party
from partnerships.agreements.services import (
    add_document,
    change_party_role,
    create_post,
    edit_settings,
    fill_post,
    leave_partnership,
    posts,
    remove_document,
    remove_party,
    vacate_post,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Evidence
from partnerships.kit import journal
from partnerships.lists import services as lists
from partnerships.lists.models import Follow, SavedView
from partnerships.open_data.queries import current_publications_of
from partnerships.open_data.services import begin_publishing, end_publishing
from partnerships.organisations.models import Membership, Merge, Succession
from partnerships.organisations.services import (
    end_membership,
    hand_over_due,
    merge_organisations,
    record_consent,
    undo_merge,
)
from partnerships.people.administrators import grant_administration, withdraw_administration
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person
from partnerships.people.services import close_account
from partnerships.plans import services as plans
from partnerships.plans.models import OwnershipOffer, Plan, Share, Signatory
from partnerships.surveys import services as surveys
from partnerships.surveys.models import AnswerMode
from tests.commitments import promises
from tests.faults.restore import left, lost, redo
from tests.organisations.handing_over import propose_and_accept_everything, record_merger, take_effect
from tests.plans.drafts import ask_signatures, begin, published_plan
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.terms import agree_terms
from tests.surveys import asking
from tests.world import World, person


@pytest.fixture(autouse=True)
def journal_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write lines of the journal at once. Tests roll back, so lines that wait for a commit would never be written."""
    monkeypatch.setattr(journal, "note", journal.write)
    monkeypatch.setattr(journal, "note_all", journal.write_all)


# ---- Holders of posts


def test_an_end_of_a_holding_that_was_moved_forward_is_moved_again(world: World) -> None:
    post = create_post(organisation=world.larkhaven, role="signatory", author=world.amina, now=timezone.now())
    holder = fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())
    today = timezone.localdate()
    end: dict[str, Any] = {"reason": "Moved.", "author": world.amina, "now": timezone.now()}
    vacate_post(holder=holder, ends_on=today + dt.timedelta(days=60), **end)
    with lost():
        vacate_post(holder=holder, ends_on=today, **end)

    redo()
    redo()

    holder.refresh_from_db()
    assert holder.ends_on == today


def test_an_end_of_a_holding_in_an_older_journal_is_applied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The identity in older lines also has the first day of the holding, so it differs from today's identity."""
    post = create_post(organisation=world.larkhaven, role="signatory", author=world.amina, now=timezone.now())
    holder = fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())
    with lost(), monkeypatch.context() as earlier:
        earlier.setattr(
            posts, "holder_identity", lambda one: journal.identity(one.post_id, one.added_at, one.starts_on)
        )
        vacate_post(
            holder=holder, ends_on=timezone.localdate(), reason="Moved.", author=world.amina, now=timezone.now()
        )

    outcome = redo()

    holder.refresh_from_db()
    assert holder.ends_on == timezone.localdate()
    assert left(outcome) == []


# ---- The last one that leads


def test_party_that_led_alone_in_the_backup_leaves_again(world: World) -> None:
    with lost():
        change_party_role(
            party=world.party(world.westmarch),
            role="chair",
            reason="Agreed at the meeting.",
            author=world.amina,
            now=timezone.now(),
        )
        leave_partnership(party=world.party(world.larkhaven), reason="Budget.", author=world.amina, now=timezone.now())

    outcome = redo()

    assert not Party.objects.accepted().filter(organisation=world.larkhaven, partnership=world.partnership).exists()
    assert left(outcome) == [f"partnership {world.partnership.pk}: no organisation leads it now"]


def test_party_that_was_removed_leaves_again_though_its_partnership_is_over_by_now(world: World) -> None:
    with lost():
        remove_party(
            party=world.party(world.westmarch), reason="Not a partner.", author=world.amina, now=timezone.now()
        )
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="active", ends_on=yesterday)

    outcome = redo()

    assert not Party.objects.accepted().filter(organisation=world.westmarch, partnership=world.partnership).exists()
    assert left(outcome) == []


def test_party_that_led_alone_and_left_by_notice_leaves_again(world: World) -> None:
    agree_terms(world.partnership, world.amina, starts_on=timezone.localdate().isoformat(), notice_days=30)
    with lost():
        change_party_role(
            party=world.party(world.westmarch),
            role="chair",
            reason="Agreed at the meeting.",
            author=world.amina,
            now=timezone.now(),
        )
        leave_partnership(
            party=world.party(world.larkhaven),
            reason="Notice.",
            author=world.amina,
            now=timezone.now(),
            after_notice=True,
        )

    outcome = redo()

    assert not Party.objects.accepted().filter(organisation=world.larkhaven, partnership=world.partnership).exists()
    assert left(outcome) == [f"partnership {world.partnership.pk}: no organisation leads it now"]


def test_administrator_alone_in_the_backup_no_longer_administers(world: World) -> None:
    with lost():
        gil = person("Gil Keeper", "gil@network.example")
        grant_administration(person=gil, author=world.dee, reason="Help.", now=timezone.now())
        withdraw_administration(person=world.dee, author=gil, reason="Over.", now=timezone.now())

    outcome = redo()

    assert not User.objects.get(pk=world.dee.pk).is_staff
    assert any("the network has no administrator now" in words for words in left(outcome))


def test_administrator_whose_account_was_closed_and_reopened_no_longer_administers(world: World) -> None:
    gil = person("Gil Keeper", "gil@network.example")
    grant_administration(person=gil, author=world.dee, reason="Help.", now=timezone.now())
    with lost():
        close_account(person=gil, author=world.dee, reason="Left.", now=timezone.now())
        User.objects.filter(pk=gil.pk).update(is_active=True)

    redo()

    assert not User.objects.get(pk=gil.pk).is_staff


# ---- Records of one organisation


def test_merge_that_was_undone_since_the_backup_is_undone_again(world: World) -> None:
    merge = _merge(world)
    with lost():
        undo_merge(merge=merge, reason="They are two.", author=world.dee, now=timezone.now())
    assert Membership.objects.current().filter(person=world.nadia, organisation=world.harbour).exists()

    outcome = redo()

    assert Membership.objects.current().filter(person=world.nadia, organisation=world.riverside).exists()
    assert not Membership.objects.current().filter(person=world.nadia, organisation=world.harbour).exists()
    assert left(outcome) == []


def test_merge_since_the_backup_is_named(world: World) -> None:
    with lost():
        _merge(world)

    outcome = redo()

    pair = f"organisation {world.riverside.pk}, merged into {world.harbour.pk}"
    assert left(outcome) == [f"{pair} after the backup: merge them again"]


def _merge(world: World) -> Merge:
    return merge_organisations(
        kept=world.harbour, merged=world.riverside, reason="Recorded twice.", author=world.dee, now=timezone.now()
    )


# ---- Successions


def _accepted(world: World) -> Succession:
    """Westmarch joins Harbour today, with everything that it holds."""
    succession = record_merger(world)
    propose_and_accept_everything(succession, world.westmarch, world.harbour)
    return succession


def test_what_passed_on_since_the_backup_passes_on_again(world: World) -> None:
    succession = _accepted(world)
    with lost():
        take_effect(succession)

    outcome = redo()

    assert not Membership.objects.current().filter(organisation=world.westmarch).exists()
    assert Membership.objects.current().filter(organisation=world.harbour, person=world.ben).exists()
    assert left(outcome) == []


def test_consent_since_the_backup_is_recorded_again_and_its_lines_pass_on(world: World) -> None:
    succession = _accepted(world)
    succession.handovers.update(consent="The lender")
    take_effect(succession)
    with lost():
        record_consent(
            lines=list(succession.handovers.all()),
            given_by="Estuary Bank",
            given_on=timezone.localdate(),
            evidence="Minutes",
            author=world.ben,
            now=timezone.now(),
        )
        hand_over_due(now=timezone.now())

    outcome = redo()

    assert left(outcome) == []
    assert not succession.handovers.lacking_consent().exists()
    assert {(line.consent_from, line.consent_recorded_by, line.state) for line in succession.handovers.all()} == {
        ("The lender", world.ben, "applied")
    }


def test_access_to_a_body_that_ended_since_the_backup_ends_again_without_lines(world: World) -> None:
    succession = record_merger(world)
    with lost():
        propose_and_accept_everything(succession, world.westmarch, world.harbour)
        take_effect(succession)

    outcome = redo()

    assert not Membership.objects.current().filter(organisation=world.westmarch).exists()
    assert f"succession {succession.pk}: 0 of 2 lines passed on, so propose the others again" in left(outcome)


# ---- Other rows with the same numbers


def show(world: World) -> Share:
    return plans.share_draft(
        plan=begin(world),
        email=world.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def test_party_of_another_partnership_with_the_same_number_stays(world: World) -> None:
    with lost():
        leave_partnership_as_westmarch(world)
    Partnership.objects.filter(pk=world.partnership.pk).update(created_at=timezone.now())

    outcome = redo()

    party = world.party(world.westmarch)
    assert party.is_present
    assert left(outcome) == [f"party {party.pk}: the journal means another record, whose id has been used again"]


def test_party_that_came_back_after_the_restore_stays(world: World) -> None:
    party = world.party(world.westmarch)
    with lost():
        leave_partnership(party=party, reason="Budget.", author=world.ben, now=timezone.now())
    Party.objects.filter(pk=party.pk).update(answered_at=timezone.now())

    outcome = redo()

    assert world.party(world.westmarch).is_present
    assert [words.startswith(f"party {party.pk}: began again after the line") for words in left(outcome)] == [True]


def test_membership_of_somebody_else_with_the_same_number_stays(world: World) -> None:
    membership = Membership.objects.get(person=world.eddie)
    with lost():
        end_membership(membership=membership, author=world.amina, reason="Left.", now=timezone.now())
    Membership.objects.filter(pk=membership.pk).update(person=world.sol)

    outcome = redo()

    assert Membership.objects.get(pk=membership.pk).ends_on is None
    assert left(outcome) == [
        f"membership {membership.pk}: the journal means another record, whose id has been used again"
    ]


def test_share_of_another_draft_with_the_same_number_stays(world: World) -> None:
    share = show(world)
    with lost():
        plans.revoke_share(share=Share.objects.get(pk=share.pk), author=world.amina, now=timezone.now())
    Plan.objects.filter(pk=share.plan_id).update(created_at=timezone.now())

    outcome = redo()

    assert Share.objects.get(pk=share.pk).revoked_at is None
    assert left(outcome) == [f"share {share.pk}: the journal means another record, whose id has been used again"]


# ---- Plans, partnerships and their files


def joint(world: World) -> Plan:
    """Return a published plan that Larkhaven and Westmarch own."""
    return published_plan(world, owners=[world.larkhaven, world.westmarch])


def fresh(plan: Plan) -> Plan:
    return Plan.objects.get(pk=plan.pk)


def owners(plan: Plan) -> set[str]:
    return {owner.organisation.name for owner in plan.owners.select_related("organisation")}


def test_ownership_given_up_since_the_backup_ends_again(world: World) -> None:
    plan = joint(world)
    with lost():
        plans.give_up_ownership(
            plan=plan, organisation=world.westmarch, reason="Not ours.", author=world.ben, now=timezone.now()
        )

    redo()

    assert owners(plan) == {world.larkhaven.name}


def test_plan_handed_over_since_the_backup_passes_to_its_new_owner_again(world: World) -> None:
    plan = published_plan(world)
    with lost():
        offer = plans.offer_ownership(
            plan=plan,
            organisation=world.westmarch,
            offered_for=world.larkhaven,
            hands_over=True,
            author=world.amina,
            now=timezone.now(),
        )
        plans.answer_offer(offer=offer, accept=True, author=world.ben, now=timezone.now())

    redo()

    assert owners(plan) == {world.westmarch.name}


def test_only_owner_stays_if_the_one_it_handed_the_plan_to_is_no_partner(world: World) -> None:
    plan = published_plan(world)
    with lost():
        offer = plans.offer_ownership(
            plan=plan,
            organisation=world.westmarch,
            offered_for=world.larkhaven,
            hands_over=True,
            author=world.amina,
            now=timezone.now(),
        )
        plans.answer_offer(offer=offer, accept=True, author=world.ben, now=timezone.now())
    leave_partnership_as_westmarch(world)

    outcome = redo()

    assert owners(plan) == {world.larkhaven.name}
    assert any(f"nobody else owns plan {plan.pk}" in words for words in left(outcome))


def test_plan_leaves_with_the_owner_that_was_its_last(world: World) -> None:
    """Larkhaven gives it up, then Westmarch leaves with it: in this order."""
    plan = joint(world)
    with lost():
        plans.give_up_ownership(
            plan=plan, organisation=world.larkhaven, reason="Not ours.", author=world.amina, now=timezone.now()
        )
        leave_partnership_as_westmarch(world)

    redo()

    assert owners(plan) == {world.westmarch.name}
    assert fresh(plan).partnership is None


def test_signatory_removed_since_the_backup_is_no_longer_asked(world: World) -> None:
    plan = ask_signatures(published_plan(world), world)
    signatory = plan.signatories.get(organisation=world.westmarch)
    with lost():
        plans.remove_signatory(
            signatory=Signatory.objects.get(pk=signatory.pk),
            author=world.amina,
            reason="Not needed.",
            now=timezone.now(),
        )

    redo()

    assert Signatory.objects.get(pk=signatory.pk).removed_at is not None


@pytest.fixture
def offer_to_westmarch(world: World) -> OwnershipOffer:
    """Return an offer to Westmarch to own a plan together with Larkhaven."""
    return plans.offer_ownership(
        plan=published_plan(world),
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        author=world.amina,
        now=timezone.now(),
    )


def test_offer_withdrawn_since_the_backup_cannot_be_accepted(world: World, offer_to_westmarch: OwnershipOffer) -> None:
    with lost():
        offer = OwnershipOffer.objects.get(pk=offer_to_westmarch.pk)
        plans.withdraw_offer(offer=offer, author=world.amina, now=timezone.now())

    redo()

    assert not OwnershipOffer.objects.acceptable().filter(pk=offer_to_westmarch.pk).exists()


def test_offer_declined_since_the_backup_cannot_be_accepted(world: World, offer_to_westmarch: OwnershipOffer) -> None:
    with lost():
        plans.answer_offer(offer=offer_to_westmarch, accept=False, reason="No.", author=world.ben, now=timezone.now())

    redo()

    assert not OwnershipOffer.objects.acceptable().filter(pk=offer_to_westmarch.pk).exists()


def test_audience_narrowed_since_the_backup_is_narrow_again(world: World) -> None:
    plan = published_plan(world, audience="public")
    with lost():
        for audience in ("owners", "partnership"):
            plans.change_audience(plan=plan, audience=audience, reason="Early.", author=world.amina, now=timezone.now())

    redo()

    assert fresh(plan).audience == "partnership"


def test_share_of_a_plan_closed_since_the_backup_gives_no_access(world: World) -> None:
    share = show(world)
    with lost():
        plans.change_status(plan=fresh(share.plan), to="closed", reason="Over.", author=world.amina, now=timezone.now())

    redo()

    assert not Share.objects.active(timezone.now()).filter(pk=share.pk).exists()


def test_partnership_hidden_since_the_backup_is_hidden_again(world: World) -> None:
    edit_settings(
        partnership=world.partnership, audience="network", reason="Open.", author=world.amina, now=timezone.now()
    )
    with lost():
        edit_settings(
            partnership=world.partnership, audience="parties", reason="Why.", author=world.amina, now=timezone.now()
        )

    redo()

    assert Partnership.objects.get(pk=world.partnership.pk).audience == "parties"


def test_document_removed_since_the_backup_is_removed_again(world: World) -> None:
    document = add_document(
        partnership=world.partnership,
        title="Minutes",
        file=ContentFile(b"Minutes.\n", name="minutes.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )
    with lost():
        remove_document(document=Document.objects.get(pk=document.pk), author=world.amina, now=timezone.now())

    redo()

    assert Document.objects.get(pk=document.pk).removed_at is not None


def test_evidence_removed_since_the_backup_is_removed_again(world: World) -> None:
    commitment = promises.agree(world)
    file = commitments.attach_evidence(
        commitment=commitment, file=ContentFile(b"Done.\n", name="done.txt"), author=world.eddie, now=timezone.now()
    )
    with lost():
        commitments.remove_evidence(evidence=Evidence.objects.get(pk=file.pk), author=world.eddie, now=timezone.now())

    redo()

    assert Evidence.objects.get(pk=file.pk).removed_at is not None


def test_files_no_longer_published_since_the_backup_are_gone_again(world: World) -> None:
    publication: dict[str, Any] = {"organisation": world.westmarch, "standard": "plan"}
    begin_publishing(**publication, reason="The law asks for it.", author=world.ben, now=timezone.now())
    with lost():
        end_publishing(**publication, reason="Wrong plan.", author=world.ben, now=timezone.now())

    outcome = redo()

    assert not current_publications_of(world.westmarch)
    assert left(outcome) == []


# ---- Saved views


def test_view_removed_or_shared_with_nobody_since_the_backup_is_so_again(world: World) -> None:
    removed, hidden, kept = (
        lists.share_view(
            view=lists.save_view(person=world.amina, kind="asks", name=name, state={}, now=timezone.now()),
            person=world.amina,
            shared_with=world.partnership,
            now=timezone.now(),
        )
        for name in ("Removed", "Hidden", "Kept")
    )
    lists.follow_view(view=hidden, person=world.ben, now=timezone.now())
    with lost():
        lists.remove_view(view=removed, person=world.amina, now=timezone.now())
        for view, shared_with in ((hidden, None), (kept, None), (kept, world.partnership)):
            lists.share_view(view=view, person=world.amina, shared_with=shared_with, now=timezone.now())

    outcome = redo()
    redo()

    assert list(SavedView.objects.visible_to(world.ben)) == [kept]
    assert list(SavedView.objects.visible_to(world.amina).order_by("pk")) == [hidden, kept]
    assert not Follow.objects.exists()
    assert left(outcome) == []


# ---- Surveys


def test_survey_ended_since_the_backup_is_ended_again_with_its_named_answers(world: World) -> None:
    survey = asking.opened_round(world, way=AnswerMode.NAMED, asked={"council": 3})
    invitation = survey.invitations.all()[0]
    surveys.answer_by_name(invitation=invitation, answer=asking.answer_of("council", 1), now=timezone.now())
    with lost():
        surveys.abandon_round(survey_round=survey, reason="Wrong questions.", author=world.amina, now=timezone.now())

    outcome = redo()
    redo()

    assert not survey.named_answers.exists()
    assert not survey.invitations.exists()
    assert left(outcome) == []


def test_reader_of_comments_and_partnership_taken_out_of_a_draft_are_taken_out_again(world: World) -> None:
    draft = asking.prepared_round(world)
    other = asking.known_to_all(world)
    joining = surveys.ask_to_join(survey_round=draft, partnership=other, author=world.amina, now=timezone.now())
    surveys.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())
    asking.agreed_round(draft)
    with lost():
        surveys.name_moderator(
            survey_round=draft, address="other@outside.example", author=world.amina, now=timezone.now()
        )
        surveys.remove_joining(joining=joining, author=world.amina, now=timezone.now())

    outcome = redo()
    redo()

    draft.refresh_from_db()
    assert draft.moderator is None
    assert draft.moderator_agreed_at is None
    assert draft.floor == 5
    assert not draft.joinings.exists()
    assert left(outcome) == []


def test_partnership_taken_out_and_asked_again_since_the_backup_stays_in_the_draft(world: World) -> None:
    draft = asking.prepared_round(world)
    other = asking.known_to_all(world)
    joining = surveys.ask_to_join(survey_round=draft, partnership=other, author=world.amina, now=timezone.now())
    with lost():
        surveys.remove_joining(joining=joining, author=world.amina, now=timezone.now())
        surveys.ask_to_join(survey_round=draft, partnership=other, author=world.amina, now=timezone.now())

    redo()

    assert draft.joinings.exists()


# ---- The report


def test_after_restore_prints_what_it_did_not_apply(world: World, settings: Any) -> None:
    settings.EMAILS_HELD = True
    membership = Membership.objects.get(person=world.eddie)
    with lost():
        end_membership(membership=membership, author=world.amina, reason="Left.", now=timezone.now())
        journal.write("party left", now=timezone.now(), party=7)
    Membership.objects.filter(pk=membership.pk).update(person=world.sol)
    output = StringIO()

    call_command("after_restore", "--since", (timezone.now() - dt.timedelta(hours=1)).isoformat(), stdout=output)

    assert "Not applied, or to be looked at (2):" in output.getvalue()
    assert f"membership {membership.pk}: the journal means another record" in output.getvalue()
    assert "lines that this release cannot read: party left" in output.getvalue()


# ---- A run of retention that began before the backup


def test_erasure_by_a_run_that_began_before_the_backup_is_applied_again(world: World) -> None:
    began = timezone.now() - dt.timedelta(minutes=50)
    backup = timezone.now()
    with lost():
        erase_person(person=world.chidi, author=None, reason="Retention.", now=began)

    journal.replay(since=backup, now=timezone.now())

    world.chidi.refresh_from_db()
    assert world.chidi.erased_at is not None
