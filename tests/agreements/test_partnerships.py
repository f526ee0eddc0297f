"""A partnership goes from start to renewal by its rules, and people read it only while they may."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.queries import timeline
from partnerships.agreements.agenda import LookBack, suggest_decisions
from partnerships.agreements.models import (
    TRANSITIONS,
    Document,
    Partnership,
    Party,
    PartyStatus,
    Status,
    TermsProposal,
    TermsVersion,
)
from partnerships.agreements.queries import TASK_SOURCES
from partnerships.agreements.queries.terms import content_of_proposal
from partnerships.agreements.services import (
    UnableToAddDocument,
    UnableToAnswer,
    UnableToChangeParty,
    UnableToChangeStatus,
    UnableToCreatePartnership,
    UnableToEditSettings,
    UnableToInvite,
    UnableToLeave,
    UnableToSendForSignature,
    add_document,
    answer_invitation,
    change_party_role,
    change_status,
    create_partnership,
    edit_settings,
    invite_organisation,
    leave_partnership,
    record_due_steps,
    remove_document,
    renew,
    restore_document,
)
from partnerships.documents.services import UnableToSavePiece
from partnerships.organisations.waiting import tasks_from
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


def go_through(world: World, *statuses: str, now: dt.datetime | None = None) -> None:
    """Change the status of the Estuary Partnership to each of these in turn."""
    for status in statuses:
        change_status(
            partnership=world.partnership,
            status=status,
            reason="Agreed at the meeting.",
            author=world.amina,
            now=now or timezone.now(),
        )


def write_terms(world: World) -> TermsProposal:
    """Draft the first terms, complete enough to sign, and return the proposal."""
    review_on = timezone.localdate() + dt.timedelta(days=365)
    proposal = first_proposal(world.partnership)
    return draft(proposal, world.amina, text="We meet and decide together.", review_on=review_on.isoformat())


def make_active(world: World, review_on: dt.date | None = None) -> None:
    """Sign the first terms with this review date (by default in a year)."""
    review_on = review_on or timezone.localdate() + dt.timedelta(days=365)
    agree_terms(world.partnership, world.amina, review_on=review_on.isoformat())


def test_terms_are_sent_for_signature_only_with_a_review_date_and_a_clause(world: World) -> None:
    go_through(world, "drafting")

    with pytest.raises(UnableToSendForSignature, match=r"Review on.*clause"):
        put_up(first_proposal(world.partnership), world.amina)


def test_a_partnership_awaits_sign_off_only_by_sending_its_terms_for_signature(world: World) -> None:
    go_through(world, "drafting")

    with pytest.raises(UnableToChangeStatus, match="Send its terms for signature"):
        go_through(world, "awaiting_sign_off")


def test_a_partnership_awaits_sign_off_once_its_first_terms_are_sent(world: World) -> None:
    go_through(world, "drafting")

    put_up(write_terms(world), world.amina)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.AWAITING_SIGN_OFF


@pytest.fixture
def invited_harbour(world: World) -> Party:
    """Return Harbour's invitation to the Estuary Partnership, whose leads have not answered."""
    return invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )


@pytest.fixture
def version_to_sign(world: World) -> TermsVersion:
    """Return the first terms of the Estuary Partnership, which await signatures."""
    go_through(world, "drafting")
    return put_up(write_terms(world), world.amina)


def test_a_partnership_is_not_active_before_every_invited_party_has_accepted(
    world: World, version_to_sign: TermsVersion, invited_harbour: Party
) -> None:
    sign_all(version_to_sign)
    world.partnership.refresh_from_db()

    with pytest.raises(UnableToChangeStatus, match="Harbour Community Trust has not accepted"):
        go_through(world, "active")


def test_a_partnership_becomes_active_when_all_parties_have_signed(
    world: World, version_to_sign: TermsVersion, invited_harbour: Party
) -> None:
    sign_all(version_to_sign)
    answer_invitation(party=invited_harbour, accept=True, reason="", author=world.hana, now=timezone.now())
    world.partnership.refresh_from_db()
    status_before_last_signature = world.partnership.status

    sign_all(version_to_sign)

    world.partnership.refresh_from_db()
    assert status_before_last_signature == Status.AWAITING_SIGN_OFF
    assert world.partnership.status == Status.ACTIVE
    assert world.partnership.starts_on == timezone.localdate()


def test_a_partnership_can_become_active_before_an_observer_accepts(world: World) -> None:
    invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )

    make_active(world)

    assert world.partnership.status == Status.ACTIVE


def test_the_status_transitions_are_those_of_the_rights_document() -> None:
    """The transitions are exactly those of docs/rights.md."""
    assert {status: set(steps) for status, steps in TRANSITIONS.items()} == {
        "exploring": {"drafting", "ended"},
        "drafting": {"awaiting_sign_off", "ended"},
        "awaiting_sign_off": {"agreed", "active", "ended"},
        "agreed": {"active", "ended"},
        "active": {"under_review", "suspended", "ended"},
        "under_review": {"active", "renewed", "ended"},
        "suspended": {"active", "ended"},
        "renewed": set(),
        "ended": set(),
    }


@pytest.mark.parametrize("status", list(Status))
def test_transitions_outside_the_table_are_refused(world: World, status: str) -> None:
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    Partnership.objects.filter(pk=world.partnership.pk).update(status=status, starts_on=tomorrow)

    for wanted in set(Status.values) - set(TRANSITIONS[status]):
        with pytest.raises(UnableToChangeStatus, match="cannot become"):
            go_through(world, wanted)


def test_every_status_change_needs_a_reason(world: World) -> None:
    with pytest.raises(UnableToChangeStatus, match="reason"):
        change_status(
            partnership=world.partnership, status="drafting", reason=" ", author=world.amina, now=timezone.now()
        )


def make_active_until_review(world: World) -> dt.datetime:
    """Make the Estuary Partnership active with a review in ten days, and return noon of that day."""
    review_on = timezone.localdate() + dt.timedelta(days=10)
    make_active(world, review_on)
    return timezone.make_aware(dt.datetime.combine(review_on, dt.time(12)))


def test_a_due_review_starts_by_itself_once(world: World) -> None:
    noon = make_active_until_review(world)

    changes_the_day_before = record_due_steps(now=noon - dt.timedelta(days=1))
    changes_on_the_day = record_due_steps(now=noon)
    changes_of_a_second_run = record_due_steps(now=noon)

    assert changes_the_day_before == 0
    assert changes_on_the_day == 1
    assert changes_of_a_second_run == 0


def test_a_partnership_under_review_is_active_again_only_with_its_next_review_date(world: World) -> None:
    noon = make_active_until_review(world)
    record_due_steps(now=noon)

    with pytest.raises(UnableToChangeStatus, match="next review date"):
        go_through(world, "active", now=noon)


@pytest.fixture
def partnership_under_review(world: World) -> Partnership:
    """Return the Estuary Partnership, under review."""
    make_active(world)
    go_through(world, "under_review")
    return world.partnership


@pytest.fixture
def successor(world: World, partnership_under_review: Partnership) -> Partnership:
    """Return the successor that renews the Estuary Partnership. It is still being drafted."""
    partnership = renew(
        partnership=partnership_under_review,
        organisation=world.larkhaven,
        reason="Three more years.",
        author=world.amina,
        now=timezone.now(),
        title="Estuary Partnership, second term",
    )
    world.partnership.refresh_from_db()
    return partnership


def test_a_renewal_drafts_a_successor_while_the_old_one_goes_on(world: World, successor: Partnership) -> None:
    assert successor.redefines == world.partnership
    assert successor.status == Status.DRAFTING
    assert world.partnership.status == Status.UNDER_REVIEW


def test_a_renewal_begins_with_the_terms_of_the_old_partnership(successor: Partnership) -> None:
    first_clause = content_of_proposal(first_proposal(successor))["clauses"][0]

    assert first_clause["body"] == "We meet and decide together."


def test_a_renewal_replaces_the_old_partnership_when_active(world: World, successor: Partnership) -> None:
    party = successor.parties.get(organisation=world.westmarch)
    answer_invitation(party=party, accept=True, reason="", author=world.ben, now=timezone.now())

    agree_terms(successor, world.amina)

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.RENEWED


def renew_for_second_term(world: World, client: Client) -> None:
    """Renew the Estuary Partnership after its review, as Amina on its page."""
    make_active(world)
    go_through(world, "under_review")
    client.force_login(world.amina)
    data = {"status": "renew", "reason": "Three more years.", "title": "Estuary Partnership, second term"}
    client.post(reverse("agreements:status", args=[world.partnership.pk]), data)


def test_a_renewal_has_its_own_title(world: World, client: Client) -> None:
    renew_for_second_term(world, client)

    successor = Partnership.objects.get(redefines=world.partnership)
    assert successor.title == "Estuary Partnership, second term"


def test_page_of_a_renewed_partnership_asks_for_the_terms_of_its_successor(world: World, client: Client) -> None:
    renew_for_second_term(world, client)

    html = client.get(world.partnership.get_absolute_url()).content.decode()

    assert "Finish the terms of the successor and have them signed." in html
    assert "Hold the review" not in html


@pytest.mark.parametrize(
    ("page", "numbers", "tab"),
    [
        ("agreements:dates", [], "Overview"),
        ("agreements:terms-version", [1], "Terms"),
        ("agreements:proposal", [1], "Terms"),
        ("agreements:terms", [], "Terms"),
    ],
)
def test_each_page_of_a_partnership_marks_its_tab(
    page: str, numbers: list[int], tab: str, world: World, client: Client
) -> None:
    make_active(world)
    client.force_login(world.amina)

    page_text = client.get(reverse(page, args=[world.partnership.pk, *numbers])).content.decode()

    tabs = re.findall(r'class="moj-sub-navigation__link"[^>]*aria-current="(?:page|true)"[^>]*>([^<]+)<', page_text)
    assert tabs == [tab]


def status_address(world: World) -> str:
    """Return the address of the status page of the Estuary Partnership."""
    return reverse("agreements:status", args=[world.partnership.pk])


def aminas_tasks(world: World) -> dict[str, str]:
    """Return the paths of Amina's tasks by what she must do."""
    return {item.action: item.path for item in tasks_from(TASK_SOURCES, world.amina, timezone.now())}


def agenda_titles(world: World) -> list[str]:
    """Return the decisions on the agenda of the Estuary Partnership's next meeting."""
    since = LookBack({world.partnership.pk: timezone.now() - dt.timedelta(days=30)}, timezone.now())
    return [decision.title for decision in suggest_decisions(world.amina, [world.partnership], since)]


@pytest.mark.usefixtures("partnership_under_review")
def test_status_page_offers_to_renew_a_partnership_under_review(world: World) -> None:
    html = signed_in(world.amina).get(status_address(world)).content.decode()

    assert "Renew it, by drafting a successor" in html
    assert "Before the status can be <strong>Renewed" not in html


def test_status_page_links_to_the_successor_instead_of_offering_to_renew_again(
    world: World, successor: Partnership
) -> None:
    html = signed_in(world.amina).get(status_address(world)).content.decode()

    link_to_successor = f'href="{successor.get_absolute_url()}">Estuary Partnership, second term</a>'
    assert "Renew it, by drafting a successor" not in html
    assert f"{link_to_successor} renews this partnership" in html


@pytest.mark.usefixtures("partnership_under_review")
def test_a_partnership_under_review_gives_its_leads_the_task_to_hold_the_review(world: World) -> None:
    assert aminas_tasks(world)["Hold the review"] == status_address(world)
    assert agenda_titles(world) == ["Hold the review, and decide whether to carry on, renew or end"]


def test_once_a_successor_is_drafted_the_task_is_to_finish_its_terms(world: World, successor: Partnership) -> None:
    tasks = aminas_tasks(world)

    assert tasks["Finish the terms of the successor"] == successor.get_absolute_url()
    assert "Hold the review" not in tasks
    assert agenda_titles(world) == ["Agree the terms of the successor"]


def test_the_overview_shows_the_terms_without_the_signs_of_markdown(world: World, client: Client) -> None:
    agree_terms(world.partnership, world.amina, text="We meet **every month**.")
    client.force_login(world.vera)

    html = client.get(world.partnership.get_absolute_url()).content.decode()

    assert "We meet <strong>every month</strong>." in html


def test_a_draft_says_that_the_partnership_is_still_exploring(world: World, client: Client) -> None:
    client.force_login(world.amina)
    address = reverse("agreements:proposal", args=[world.partnership.pk, 1])

    page_while_exploring = client.get(address).content.decode()
    go_through(world, "drafting")
    page_while_drafting = client.get(address).content.decode()

    assert "Change its status to drafting" in page_while_exploring
    assert "Send for signature" not in page_while_exploring
    assert "Send for signature" in page_while_drafting


@pytest.fixture
def ended_partnership(world: World) -> Partnership:
    """Return the Estuary Partnership after its end."""
    go_through(world, "ended")
    return world.partnership


def test_an_ended_partnership_can_be_read(world: World, ended_partnership: Partnership) -> None:
    response = signed_in(world.ben).get(ended_partnership.get_absolute_url())

    assert response.status_code == 200


def test_settings_of_an_ended_partnership_cannot_be_changed(world: World, ended_partnership: Partnership) -> None:
    with pytest.raises(UnableToEditSettings, match="has ended"):
        edit_settings(
            partnership=ended_partnership, title="Other", reason="Why.", author=world.amina, now=timezone.now()
        )


def test_terms_of_an_ended_partnership_cannot_be_drafted(world: World, ended_partnership: Partnership) -> None:
    with pytest.raises(UnableToSavePiece, match="has ended"):
        write_terms(world)


def test_nobody_is_invited_to_an_ended_partnership(world: World, ended_partnership: Partnership) -> None:
    with pytest.raises(UnableToInvite):
        invite_organisation(
            partnership=ended_partnership,
            organisation=world.harbour,
            role="member",
            reason="We need them.",
            author=world.amina,
            now=timezone.now(),
        )


def test_no_party_leaves_an_ended_partnership(world: World, ended_partnership: Partnership) -> None:
    with pytest.raises(UnableToLeave):
        leave_partnership_as_westmarch(world)


def test_no_document_is_added_to_an_ended_partnership(world: World, ended_partnership: Partnership) -> None:
    with pytest.raises(UnableToAddDocument):
        add_document(
            partnership=ended_partnership,
            title="Late",
            file=ContentFile(b"text", name="late.txt"),
            organisation=world.larkhaven,
            author=world.amina,
            now=timezone.now(),
        )


def test_the_last_leading_party_cannot_leave(world: World) -> None:
    chair = world.party(world.larkhaven)

    with pytest.raises(UnableToLeave, match="No other party leads"):
        leave_partnership(party=chair, reason="Tired.", author=world.amina, now=timezone.now())


def test_the_last_leading_party_cannot_become_a_member(world: World) -> None:
    chair = world.party(world.larkhaven)

    with pytest.raises(UnableToChangeParty, match="No other party leads"):
        change_party_role(
            party=chair, role="member", reason="Agreed at the meeting.", author=world.amina, now=timezone.now()
        )


def test_the_chair_can_leave_once_another_party_leads(world: World) -> None:
    chair = world.party(world.larkhaven)
    change_party_role(
        party=world.party(world.westmarch),
        role="lead",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )

    leave_partnership(party=chair, reason="Tired.", author=world.amina, now=timezone.now())

    assert chair.status == PartyStatus.LEFT


def test_an_invitation_is_declined_only_with_a_reason(world: World, invited_harbour: Party) -> None:
    with pytest.raises(UnableToAnswer, match="why"):
        answer_invitation(party=invited_harbour, accept=False, reason="", author=world.hana, now=timezone.now())


def test_declining_an_invitation_ends_access_to_the_partnership(world: World, invited_harbour: Party) -> None:
    hana = signed_in(world.hana)
    address = reverse("agreements:detail", kwargs={"pk": world.partnership.pk})
    status_while_invited = hana.get(address).status_code

    answer_invitation(party=invited_harbour, accept=False, reason="No time.", author=world.hana, now=timezone.now())

    assert status_while_invited == 200
    assert hana.get(address).status_code == 404


def test_the_network_sees_the_outline_but_not_the_terms(world: World) -> None:
    edit_settings(
        partnership=world.partnership, audience="network", reason="Open.", author=world.amina, now=timezone.now()
    )
    agree_terms(world.partnership, world.amina, text="Canary of the terms.")
    chidi = signed_in(world.chidi)

    outline = chidi.get(reverse("agreements:detail", kwargs={"pk": world.partnership.pk})).content.decode()

    assert "Estuary Partnership" in outline
    assert "Westmarch Borough Council" in outline
    assert "Canary" not in outline
    for name in ("members", "documents", "history"):
        assert chidi.get(reverse(f"agreements:{name}", kwargs={"pk": world.partnership.pk})).status_code == 403


def test_a_change_of_settings_needs_a_reason(world: World) -> None:
    with pytest.raises(UnableToEditSettings, match="reason"):
        edit_settings(partnership=world.partnership, title="Quay", reason=" ", author=world.amina, now=timezone.now())


def test_a_change_of_settings_is_in_the_timeline(world: World) -> None:
    edit_settings(
        partnership=world.partnership,
        title="Quay Partnership",
        reason="Its new name.",
        author=world.amina,
        now=timezone.now(),
    )

    newest_event = timeline(user=world.ben, kind="partnership", record_id=world.partnership.pk)[0]

    assert newest_event.data["before"] == {"title": "Estuary Partnership"}
    assert newest_event.data["after"] == {"title": "Quay Partnership"}


def test_a_change_of_settings_is_hidden_from_strangers(world: World) -> None:
    edit_settings(
        partnership=world.partnership,
        title="Quay Partnership",
        reason="Its new name.",
        author=world.amina,
        now=timezone.now(),
    )

    events = timeline(user=world.chidi, kind="partnership", record_id=world.partnership.pk)

    assert not events


def test_the_form_of_settings_says_the_usual_days_between_contacts(world: World) -> None:
    page = signed_in(world.amina).get(reverse("agreements:edit", kwargs={"pk": world.partnership.pk}))

    assert "to use the default of 60 days" in page.content.decode()


@pytest.mark.parametrize("days", [6, 731])
def test_contact_days_of_a_partnership_have_limits(world: World, days: int) -> None:
    with pytest.raises(UnableToEditSettings, match="7 to 730"):
        edit_settings(
            partnership=world.partnership, contact_days=days, reason="Why.", author=world.amina, now=timezone.now()
        )


@pytest.mark.parametrize("days", [6, 731])
def test_contact_days_of_a_new_partnership_have_limits(world: World, days: int) -> None:
    with pytest.raises(UnableToCreatePartnership, match="7 to 730"):
        create_partnership(
            organisation=world.larkhaven,
            author=world.amina,
            title="Quay",
            kind="charter",
            contact_days=days,
            now=timezone.now(),
        )


def choose_contact_days(world: World) -> None:
    """Choose that the parties are in contact at least every 30 days."""
    edit_settings(
        partnership=world.partnership, contact_days=30, reason="Closer.", author=world.amina, now=timezone.now()
    )


def test_a_change_of_contact_days_is_in_the_timeline(world: World) -> None:
    choose_contact_days(world)

    newest_event = timeline(user=world.ben, kind="partnership", record_id=world.partnership.pk)[0]

    assert newest_event.data["before"] == {"contact_days": None}
    assert newest_event.data["after"] == {"contact_days": 30}


def test_contact_days_are_on_the_page_of_a_partnership(world: World) -> None:
    choose_contact_days(world)

    html = signed_in(world.ben).get(world.partnership.get_absolute_url()).content.decode()

    assert "At least every 30 days" in html


def test_a_renewal_keeps_the_contact_days(world: World) -> None:
    make_active(world)
    choose_contact_days(world)
    go_through(world, "under_review")

    successor = renew(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="A new term.",
        author=world.amina,
        now=timezone.now(),
    )

    assert successor.contact_days == 30


def test_an_invitation_is_a_task_of_the_leads_who_answer_it(world: World, invited_harbour: Party) -> None:
    tasks = tasks_from(TASK_SOURCES, world.hana, timezone.now())

    assert [task.title for task in tasks] == ["Estuary Partnership"]


def test_a_lead_accepts_an_invitation_on_its_page(world: World, invited_harbour: Party) -> None:
    answer_url = reverse("agreements:answer", kwargs={"pk": world.partnership.pk, "party": invited_harbour.pk})

    response = signed_in(world.hana).post(answer_url, {"answer": "accept"})

    invited_harbour.refresh_from_db()
    assert response.status_code == 302
    assert invited_harbour.is_present
    assert tasks_from(TASK_SOURCES, world.hana, timezone.now()) == []


def upload(world: World, content: bytes, name: str) -> Document:
    """Add a document of Larkhaven with this content and file name."""
    return add_document(
        partnership=world.partnership,
        title="",
        file=ContentFile(content, name=name),
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )


def test_a_document_is_served_as_an_attachment_with_a_safe_name(world: World) -> None:
    document = upload(world, b"What we agreed.\n", "../../etc/mem<o>.txt")
    address = reverse("agreements:document-download", kwargs={"pk": world.partnership.pk, "document": document.pk})

    response = signed_in(world.ben).get(address)

    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert document.file_name == "memo.txt"
    assert ".." not in document.file.name


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "empty.txt"),
        (b"<script>alert(1)</script>", "page.txt"),
        (b"MZ\x00\x01", "tool.pdf"),
        (b"PK\x03\x04x", "a.docx"),
    ],
)
def test_files_of_other_types_are_refused(world: World, content: bytes, name: str) -> None:
    with pytest.raises(UnableToAddDocument):
        upload(world, content, name)

    assert not Document.objects.exists()


def test_a_removed_document_is_hidden_until_it_is_restored(world: World) -> None:
    document = upload(world, b"What we agreed.\n", "memo.txt")
    address = reverse("agreements:document-download", kwargs={"pk": world.partnership.pk, "document": document.pk})

    remove_document(document=document, author=world.amina, now=timezone.now())
    status_code_while_removed = signed_in(world.ben).get(address).status_code
    restore_document(document=document, author=world.dee, now=timezone.now())

    assert status_code_while_removed == 404
    assert signed_in(world.ben).get(address).status_code == 200
