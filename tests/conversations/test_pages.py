"""Conversations are recorded, circulated and agreed on their pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import copy_links
from partnerships.conversations import services
from partnerships.conversations.models import Conversation, Status
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from tests.conversations.talks import (
    agree,
    agreed,
    circulated_conversation,
    days_ago,
    draft_conversation,
    planned_conversation,
)
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def date_field(name: str, days: int) -> dict[str, str]:
    """Return form data with the date some days ago."""
    return {name: days_ago(days).isoformat()}


def form_data(world: World, **changes: Any) -> dict[str, Any]:
    """Return form data for a conversation that Eddie records."""
    larkhaven, westmarch = world.larkhaven.pk, world.westmarch.pk
    return {
        "subject": "Quayside",
        "partnership": world.partnership.pk,
        "state": "held",
        "format": "video",
        "theme": "land",
        "attendees": [world.amina.pk, world.ben.pk],
        f"others_{westmarch}": "Una Signed, Surveyor\n\nTom Tide",
        "said": "Ben would sell the depot.",
        "private_note": "He would take less.",
        f"points_{larkhaven}_obstacle": "No land with consent.\nNo water.",
        f"points_{westmarch}_opportunity": "The depot falls empty.",
        "attribution": "named",
        "step_0_text": "Send the layout.",
        "step_0_who": f"{larkhaven}-{world.eddie.pk}",
        "step_1_text": "Ask the valuer.",
        "step_1_who": f"{westmarch}-",
        **date_field("held_on", 2),
        **date_field("step_0_due_on", -7),
        **date_field("step_1_due_on", -9),
        **date_field("next_contact_on", -30),
        **changes,
    }


def form_url(world: World) -> str:
    """Return the URL of the form for a conversation of Larkhaven and Westmarch in their partnership."""
    return f"{reverse('conversations:new')}?partnership={world.partnership.pk}"


def test_one_form_records_the_whole_conversation(world: World) -> None:
    response = signed_in(world.eddie).post(form_url(world), form_data(world), follow=True)

    conversation = Conversation.objects.get()
    html = response.content.decode()
    assert response.status_code == 200
    assert conversation.status == Status.DRAFT
    assert conversation.attendees.count() == 4
    assert conversation.points.count() == 3
    assert conversation.next_steps.count() == 2
    assert conversation.private_notes.get().organisation == world.larkhaven
    for words in ("Una Signed, Surveyor", "Tom Tide", "Ben West", "No water.", "He would take less.", "Send the"):
        assert words in html


def test_missing_values_are_reported_beside_their_fields(world: World) -> None:
    data = form_data(world, step_0_who="", subject="")

    response = signed_in(world.eddie).post(form_url(world), data)

    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"subject", "step_0_who"}
    assert not Conversation.objects.exists()


def test_people_of_other_organisations_cannot_be_named(world: World) -> None:
    response = signed_in(world.eddie).post(form_url(world), form_data(world, attendees=[world.chidi.pk]))

    assert response.status_code == 422


def test_people_of_strangers_are_not_offered(world: World) -> None:
    html = signed_in(world.eddie).get(reverse("conversations:new"), {"with": world.tidewater.pk}).content.decode()

    assert "Tidewater Housing Group" in html
    assert "Chidi Tide" not in html


def test_form_asks_for_an_organisation_if_none_is_given(world: World) -> None:
    eddie = signed_in(world.eddie)

    html = eddie.get(reverse("conversations:new"), {"find": "Tidewater"}).content.decode()

    assert "Who was the conversation with?" in html
    assert f"?with={world.tidewater.pk}" in html


def test_form_to_change_a_record_starts_with_its_content(world: World) -> None:
    conversation = draft_conversation(world, private_note="Ours.")
    eddie = signed_in(world.eddie)
    edit = reverse("conversations:edit", args=[conversation.pk])

    form = eddie.get(edit).context["form"]
    data = {bound.html_name: bound.value() for bound in form if bound.value() not in (None, "")}
    for name in ("held_on", "step_0_due_on", "step_1_due_on"):
        day = data.pop(name)
        data |= {name: day.isoformat()}
    response = eddie.post(edit, data | {"subject": "Quayside and the depot"}, follow=True)

    conversation.refresh_from_db()
    assert response.status_code == 200
    assert conversation.subject == "Quayside and the depot"
    assert conversation.points.count() == 3
    assert conversation.attendees.count() == 3
    assert conversation.next_steps.count() == 2
    assert conversation.private_notes.get().text == "Ours."


def test_circulating_emails_participants_without_the_words(world: World) -> None:
    conversation = draft_conversation(world, said="Canary words.")

    response = signed_in(world.eddie).post(reverse("conversations:circulate", args=[conversation.pk]), follow=True)

    assert {email.to[0] for email in deliver()} == {"amina@larkhaven.example", "ben@westmarch.example"}
    assert not any("Canary" in email.body + email.alternatives[0].content for email in deliver())
    assert "will be sent to Amina Larch and Ben West" in response.content.decode()


def test_record_is_agreed_on_its_page(world: World) -> None:
    conversation = circulated_conversation(world)

    response = signed_in(world.ben).post(
        reverse("conversations:agree", args=[conversation.pk]), {"revision": 1}, follow=True
    )

    assert "the record is now locked" in response.content.decode()


def test_locked_record_offers_no_changes(world: World) -> None:
    conversation = agreed(world)
    eddie = signed_in(world.eddie)

    html = eddie.get(conversation.get_absolute_url()).content.decode()
    response = eddie.get(reverse("conversations:edit", args=[conversation.pk]))

    assert "Agreed and locked" in html
    assert reverse("conversations:edit", args=[conversation.pk]) not in html
    assert response.status_code == 302


@pytest.fixture
def commitment_from_conversation(world: World) -> Commitment:
    """Return a commitment that Eddie proposed on the form to which a conversation links."""
    conversation = circulated_conversation(world)
    eddie = signed_in(world.eddie)
    new_commitment_url = f"{reverse('commitments:new')}?from=conversation-{conversation.pk}"
    form = eddie.get(new_commitment_url).context["form"]
    eddie.post(
        new_commitment_url,
        {
            "giver": world.larkhaven.pk,
            "receiver": world.westmarch.pk,
            "text": "Buy the depot.",
            "key": form["key"].value(),
            **date_field("due_on", -60),
        },
    )
    return Commitment.objects.get(text="Buy the depot.")


def test_commitment_made_from_a_conversation_shows_its_origin_to_both_organisations(
    world: World, commitment_from_conversation: Commitment
) -> None:
    address = commitment_from_conversation.get_absolute_url()

    page_by_name = {
        name: signed_in(person).get(address).content.decode()
        for name, person in (("eddie", world.eddie), ("ben", world.ben))
    }

    assert commitment_from_conversation.from_conversations.get().conversation == Conversation.objects.get()
    for page in page_by_name.values():
        assert "the conversation “Quayside”" in page


def test_commitment_that_replaces_another_keeps_the_link_to_the_conversation_once(
    world: World, commitment_from_conversation: Commitment
) -> None:
    successor = Commitment.objects.create(
        reference="C-0",
        text="Buy the depot and the yard.",
        giver=world.larkhaven,
        receiver=world.westmarch,
        owner_organisation=world.larkhaven,
        due_on=commitment_from_conversation.due_on,
        original_due_on=commitment_from_conversation.due_on,
        status_since=commitment_from_conversation.status_since,
        proposed_at=commitment_from_conversation.proposed_at,
        replaces=commitment_from_conversation,
    )

    copy_links(commitment_from_conversation, successor)
    copy_links(commitment_from_conversation, successor)

    assert successor.from_conversations.get().conversation == Conversation.objects.get()


def test_commitment_cannot_be_made_from_a_conversation_one_cannot_see(world: World) -> None:
    conversation = draft_conversation(world)

    response = signed_in(world.ben).get(f"{reverse('commitments:new')}?from=conversation-{conversation.pk}")

    assert response.status_code == 404


def test_list_shows_only_conversations_one_may_read(world: World) -> None:
    draft_conversation(world, subject="Canary draft")
    planned_conversation(world, subject="Planned talk")

    page_of_amina = signed_in(world.amina).get(reverse("conversations:list")).content.decode()
    page_of_ben = signed_in(world.ben).get(reverse("conversations:list")).content.decode()
    page_of_chidi = signed_in(world.chidi).get(reverse("conversations:list")).content.decode()

    assert "Canary draft" in page_of_amina
    assert "Canary draft" not in page_of_ben
    assert "Planned talk" in page_of_ben
    assert "Planned talk" not in page_of_chidi


def add_observer(world: World) -> None:
    """Let Harbour take part in the Estuary Partnership as an observer."""
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="observer",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=world.now)


def test_observer_is_not_a_side_unless_chosen(world: World) -> None:
    add_observer(world)

    response = signed_in(world.eddie).post(form_url(world), form_data(world))

    conversation = Conversation.objects.get()
    assert response.status_code == 302
    assert {side.organisation for side in conversation.sides.all()} == {world.larkhaven, world.westmarch}


def test_editor_chooses_which_parties_took_part(world: World) -> None:
    add_observer(world)
    eddie = signed_in(world.eddie)

    page = eddie.get(f"{form_url(world)}&choose=1")
    form = eddie.get(f"{form_url(world)}&with={world.westmarch.pk}&with={world.harbour.pk}").context["form"]

    assert page.context["form"].fields["others"].choices == [
        (world.harbour.pk, "Harbour Community Trust (observer)"),
        (world.westmarch.pk, "Westmarch Borough Council"),
    ]
    assert form.other_organisations == [world.harbour, world.westmarch]
    assert form["partnership"].value() == world.partnership.pk


def test_side_added_by_mistake_can_be_removed(world: World) -> None:
    conversation = draft_conversation(world, organisations=[world.westmarch, world.harbour])
    eddie = signed_in(world.eddie)
    edit_url = f"{reverse('conversations:edit', args=[conversation.pk])}?with={world.westmarch.pk}"

    choice_page = eddie.get(f"{reverse('conversations:edit', args=[conversation.pk])}?choose=1")
    response = eddie.post(edit_url, form_data(world, revision=conversation.revision))

    assert choice_page.context["form"]["others"].value() == [world.westmarch.pk, world.harbour.pk]
    assert response.status_code == 302
    assert {side.organisation for side in conversation.sides.all()} == {world.larkhaven, world.westmarch}


def test_page_that_changes_a_record_names_the_other_organisations(world: World) -> None:
    conversation = draft_conversation(world)

    html = signed_in(world.eddie).get(reverse("conversations:edit", args=[conversation.pk])).content.decode()

    assert "With Westmarch" in collapse(html)


def test_rarely_used_fields_are_folded_until_they_have_content_or_errors(world: World) -> None:
    eddie = signed_in(world.eddie)

    new_page = eddie.get(form_url(world)).content.decode()
    page_with_errors = eddie.post(form_url(world), form_data(world, step_1_who="")).content.decode()
    edit_page = eddie.get(reverse("conversations:edit", args=[draft_conversation(world).pk])).content.decode()

    assert new_page.count("cg-form__fold") == 7
    assert new_page.count('cg-form__fold" open') == 0
    assert page_with_errors.count('cg-form__fold" open') == 5
    assert edit_page.count('cg-form__fold" open') == 4


def become_url_of_obstacle(world: World) -> str:
    """Return the URL to turn an obstacle into an ask, from a record of three organisations and an observer."""
    add_observer(world)
    conversation = circulated_conversation(world, organisations=[world.westmarch, world.harbour, world.tidewater])
    return reverse("conversations:become", args=[conversation.points.get(kind="obstacle").pk])


def test_ask_from_an_obstacle_can_be_addressed_to_all_but_observers(world: World) -> None:
    become_url = become_url_of_obstacle(world)

    page = signed_in(world.amina).get(become_url)

    form = page.context["form"]
    assert set(form.fields["addressees"].queryset) == {world.westmarch, world.tidewater}
    assert form["title"].value() is None
    assert 'name="title"' in page.content.decode()
    assert "only observers" not in page.content.decode()


def test_obstacle_becomes_an_ask_of_the_chosen_organisation(world: World) -> None:
    become_url = become_url_of_obstacle(world)
    data = {"title": "A drainage report", "theme": "land", "addressees": [world.westmarch.pk]}

    response = signed_in(world.amina).post(become_url, data)

    entry = Entry.objects.get()
    assert response.status_code == 302
    assert [addressee.organisation for addressee in entry.addressees.all()] == [world.westmarch]
    assert entry.partnership == world.partnership


def test_page_to_choose_organisations_starts_without_an_error(world: World) -> None:
    page = signed_in(world.eddie).get(reverse("conversations:new"))

    assert "Choose at least one" not in page.content.decode()


def test_choosing_nobody_shows_an_error(world: World) -> None:
    nothing_chosen = {"chosen": "True", "partnership": "", "for": ""}

    response = signed_in(world.eddie).get(reverse("conversations:new"), nothing_chosen)

    assert response.status_code == 422
    assert "Choose at least one organisation." in response.content.decode()


def suggested_partnership(world: World, *others: Organisation) -> Any:
    """Return the partnership that the form of a conversation with these organisations suggests to Eddie."""
    response = signed_in(world.eddie).get(
        reverse("conversations:new"), {"with": [organisation.pk for organisation in others]}
    )
    return response.context["form"].initial["partnership"]


def test_form_suggests_the_only_partnership_the_sides_share(world: World) -> None:
    assert suggested_partnership(world, world.westmarch) == world.partnership


def test_form_suggests_no_partnership_if_the_sides_share_none(world: World) -> None:
    assert suggested_partnership(world, world.westmarch, world.tidewater) is None


def test_form_suggests_no_partnership_if_the_sides_share_several(world: World) -> None:
    second_partnership = agreements.create_partnership(
        organisation=world.larkhaven, author=world.amina, title="Quay", kind="charter", now=world.now
    )
    party = agreements.invite_organisation(
        partnership=second_partnership,
        organisation=world.westmarch,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=world.now,
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.ben, now=world.now)

    assert suggested_partnership(world, world.westmarch) is None


def test_record_shows_who_still_has_to_agree(world: World) -> None:
    conversation_url = circulated_conversation(world).get_absolute_url()

    page_of_ben = signed_in(world.ben).get(conversation_url).content.decode()
    page_of_amina = signed_in(world.amina).get(conversation_url).content.decode()

    assert "Your turn" in page_of_ben
    assert "Waiting for Westmarch" in page_of_amina


def test_only_editors_are_asked_to_answer_a_correction(world: World) -> None:
    conversation = circulated_conversation(world)
    services.suggest_correction(
        conversation=conversation, organisation=world.westmarch, text="June.", author=world.ben, now=timezone.now()
    )

    page_of_eddie = signed_in(world.eddie).get(conversation.get_absolute_url()).content.decode()
    page_of_vera = signed_in(world.vera).get(conversation.get_absolute_url()).content.decode()

    assert "to answer a correction" in page_of_eddie
    assert "to answer a correction" not in page_of_vera


def test_step_that_changes_no_status_shows_no_status(world: World) -> None:
    conversation = circulated_conversation(world, organisations=[world.westmarch, world.harbour])
    agree(conversation, world.westmarch, world.ben)

    newest = signed_in(world.ben).get(conversation.get_absolute_url()).context["lines"][0]

    assert newest.title == "Agreed to the record"
    assert newest.changes == ()
