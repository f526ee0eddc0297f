"""Owners of a plan approve or refuse answers, trust people, and ask questions."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import retention, services
from partnerships.answers.models import Answer, PlanQuestion, Trust
from partnerships.answers.restoring import redo_trust
from partnerships.answers.services.moderating import TRUST
from partnerships.digests.models import Delivery, Subscription
from partnerships.kit import journal
from partnerships.outbox.models import Email
from partnerships.people.personal_data import erase_person
from partnerships.plans.models import Plan
from partnerships.plans.services import change_status
from partnerships.work.queries import tasks_of_person
from tests.answers.conftest import add_comment_by_link, signed_in
from tests.plans.drafts import begin
from tests.support.outbox import deliver
from tests.support.pages import collapse
from tests.world import World


@pytest.fixture
def comment(world: World, digest: Delivery) -> Answer:
    """Return a comment of Sol's on which Larkhaven must decide."""
    return add_comment_by_link(world)


def plan_page(plan: Plan) -> str:
    """Return the path of the page with the answers about a plan."""
    return reverse("answers:plan", kwargs={"pk": plan.pk})


APPROVE_OR_REFUSE = "Approve or refuse 1 answer from a stakeholder"


def test_waiting_answer_is_work_of_the_owners_lead(world: World, plan: Plan, comment: Answer) -> None:
    tasks = tasks_of_person(world.amina, timezone.now())

    assert APPROVE_OR_REFUSE in [task.action for task in tasks]


@pytest.mark.parametrize("name", ["eddie", "ben", "chidi"])
def test_waiting_answer_is_no_work_of_other_people(world: World, plan: Plan, comment: Answer, name: str) -> None:
    tasks = tasks_of_person(getattr(world, name), timezone.now())

    assert APPROVE_OR_REFUSE not in [task.action for task in tasks]


def test_owners_lead_sees_an_answer_before_it_is_approved(world: World, plan: Plan, comment: Answer) -> None:
    page = signed_in(world.amina).get(plan_page(plan)).content.decode()

    assert "Please keep the trees." in page


@pytest.mark.parametrize("name", ["eddie", "ben"])
def test_other_people_do_not_see_an_answer_before_it_is_approved(
    world: World, plan: Plan, comment: Answer, name: str
) -> None:
    page = signed_in(getattr(world, name)).get(plan_page(plan)).content.decode()

    assert "Please keep the trees." not in page


@pytest.mark.parametrize("name", ["amina", "eddie", "ben"])
def test_everybody_in_the_partnership_sees_an_approved_answer(
    world: World, plan: Plan, comment: Answer, name: str
) -> None:
    signed_in(world.amina).post(reverse("answers:approve", kwargs={"pk": comment.pk}))

    page = signed_in(getattr(world, name)).get(plan_page(plan)).content.decode()

    assert "Please keep the trees." in page


def test_page_of_answers_is_not_found_outside_the_partnership(world: World, plan: Plan, comment: Answer) -> None:
    response = signed_in(world.chidi).get(plan_page(plan))

    assert response.status_code == 404


def refuse_as_amina(answer: Answer, world: World) -> None:
    """Refuse an answer on its page as Amina, who leads the owner of the plan."""
    signed_in(world.amina).post(
        reverse("answers:refuse", kwargs={"pk": answer.pk}), {"reason": "It names a neighbour."}
    )


def test_refused_answer_is_not_shown_to_partners(world: World, plan: Plan, comment: Answer) -> None:
    refuse_as_amina(comment, world)

    page = signed_in(world.ben).get(plan_page(plan)).content.decode()
    comment.refresh_from_db()
    assert comment.is_refused
    assert "Please keep the trees." not in page


def test_person_whose_answer_is_refused_is_emailed_the_reason(world: World, comment: Answer) -> None:
    refuse_as_amina(comment, world)

    [email] = [sent_email for sent_email in deliver() if sent_email.to == [world.sol.email]]
    assert email.subject == "Your comment on Harbour Quarter will not be shown"
    assert "It names a neighbour." in email.body
    # A person without an account cannot choose their emails.
    assert "id_way_" not in email.body


def test_refusing_an_answer_needs_a_reason(world: World, comment: Answer) -> None:
    response = signed_in(world.amina).post(reverse("answers:refuse", kwargs={"pk": comment.pk}), {"reason": " "})

    comment.refresh_from_db()
    assert response.status_code == 422
    assert not comment.is_refused


def test_answer_is_decided_once(world: World, comment: Answer) -> None:
    services.approve_answer(answer=comment, author=world.amina, now=timezone.now())

    with pytest.raises(services.UnableToDecide, match="already"):
        services.refuse_answer(answer=comment, reason="No.", author=world.amina, now=timezone.now())


def test_trusting_a_person_shows_the_answer_that_waits(world: World, comment: Answer) -> None:
    signed_in(world.amina).post(reverse("answers:trust", kwargs={"pk": comment.pk}))

    comment.refresh_from_db()
    assert comment.status == "shown"


def test_answer_of_a_trusted_person_is_shown_at_once(world: World, comment: Answer) -> None:
    signed_in(world.amina).post(reverse("answers:trust", kwargs={"pk": comment.pk}))

    next_comment = add_comment_by_link(world, "And the hedge.")

    assert next_comment.status == "shown"


def test_answer_of_a_person_who_is_no_longer_trusted_waits(world: World, plan: Plan, comment: Answer) -> None:
    amina = signed_in(world.amina)
    amina.post(reverse("answers:trust", kwargs={"pk": comment.pk}))
    trust = Trust.objects.get()
    amina.post(reverse("answers:stop-trusting", kwargs={"pk": plan.pk, "trust": trust.pk}))

    next_comment = add_comment_by_link(world, "And the pond.")

    assert next_comment.status == "waiting"


def test_trust_that_ended_after_a_backup_ends_again(world: World, comment: Answer) -> None:
    trust = services.trust_person(
        person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now()
    )
    services.end_trust(trust=trust, author=world.amina, now=timezone.now())
    Trust.objects.filter(pk=trust.pk).update(ended_at=None, ended_by=None)
    journal.write_waiting(now=timezone.now() + dt.timedelta(hours=1))
    since = timezone.now() - dt.timedelta(hours=1)
    lines = [line for line in journal.lines(since=since) if line["what"] == TRUST]

    result = redo_trust([lines[-1]], timezone.now())

    assert result.count == 1
    assert not Trust.objects.current().exists()


@pytest.fixture
def suggestion(world: World, plan: Plan, digest: Delivery) -> Answer:
    """Return Sol's suggestion of a colleague, Cora, whom the owner may ask."""
    return services.name_colleague(
        person=world.sol,
        plan=plan,
        version_number=2,
        name="Cora Council",
        email="cora@council.example",
        key=uuid.uuid4(),
        now=timezone.now(),
    )


def test_named_colleague_is_asked_for_the_owner(world: World, plan: Plan, suggestion: Answer) -> None:
    signed_in(world.amina).post(reverse("answers:ask-colleague", kwargs={"pk": suggestion.pk}))

    subscription = Subscription.objects.get(person__email="cora@council.example")
    assert subscription.status == "asked"
    assert subscription.added_for == world.larkhaven
    assert subscription.target == plan


def test_partner_does_not_see_the_address_of_a_named_colleague(world: World, plan: Plan, suggestion: Answer) -> None:
    signed_in(world.amina).post(reverse("answers:ask-colleague", kwargs={"pk": suggestion.pk}))

    page = signed_in(world.ben).get(plan_page(plan)).content.decode()

    assert "cora@council.example" not in page


def test_refused_suggestion_of_a_colleague_is_not_called_a_comment(world: World, suggestion: Answer) -> None:
    refuse_url = reverse("answers:refuse", kwargs={"pk": suggestion.pk})

    signed_in(world.amina).post(refuse_url, {"reason": "She has moved on."})

    [email] = [sent_email for sent_email in deliver() if sent_email.to == [world.sol.email]]
    assert email.subject == "Your suggestion for Harbour Quarter will not be used"
    assert "has decided not to contact the colleague that you suggested" in email.body


def ask_as_amina(world: World, plan: Plan, last_day: dt.date) -> None:
    """Ask a question on the page of the plan as Amina, open until its last day."""
    form_data = {"title": "Which homes are missing?", "closes_on": last_day.isoformat()}
    signed_in(world.amina).post(reverse("answers:ask", kwargs={"pk": plan.pk}), form_data)


def test_lead_asks_a_question_for_the_owner(world: World, plan: Plan) -> None:
    last_day = timezone.localdate() + dt.timedelta(days=7)

    ask_as_amina(world, plan, last_day)

    question = PlanQuestion.objects.get()
    assert question.title == "Which homes are missing?"
    assert question.organisation == world.larkhaven
    assert question.closes_on == last_day


def test_question_of_a_lead_is_shown_to_the_partnership(world: World, plan: Plan) -> None:
    ask_as_amina(world, plan, timezone.localdate() + dt.timedelta(days=7))

    page = signed_in(world.ben).get(plan_page(plan)).content.decode()

    assert "Which homes are missing?" in page


def test_editor_cannot_ask_a_question(world: World, plan: Plan) -> None:
    response = signed_in(world.eddie).get(reverse("answers:ask", kwargs={"pk": plan.pk}))

    assert response.status_code == 403


def test_plan_that_is_not_published_takes_no_questions(world: World) -> None:
    draft = begin(world)

    with pytest.raises(services.UnableToAsk, match="Publish the plan first"):
        services.ask_question(
            plan=draft, title="Why?", body="", closes_on=timezone.localdate(), author=world.amina, now=timezone.now()
        )


def test_closed_plan_takes_no_questions(world: World, plan: Plan) -> None:
    change_status(plan=plan, to="closed", reason="Done.", author=world.amina, now=timezone.now())

    with pytest.raises(services.UnableToAsk, match="closed or superseded"):
        services.ask_question(
            plan=plan, title="Why?", body="", closes_on=timezone.localdate(), author=world.amina, now=timezone.now()
        )


def test_page_counts_who_has_read_a_version(world: World, plan: Plan, digest: Delivery) -> None:
    services.acknowledge(person=world.sol, plan=plan, version_number=2, key=uuid.uuid4(), now=timezone.now())

    html = collapse(signed_in(world.ben).get(plan_page(plan)).content.decode())

    assert "1 person has said that they have read version 2" in html


def record_concern_of_sol(world: World, plan: Plan, *, concerned: bool) -> None:
    """Record whether version 2 of the plan concerns Sol."""
    services.record_concern(
        person=world.sol, plan=plan, version_number=2, concerned=concerned, key=uuid.uuid4(), now=timezone.now()
    )


def test_page_counts_the_last_answer_of_each_person(world: World, plan: Plan, digest: Delivery) -> None:
    record_concern_of_sol(world, plan, concerned=True)
    record_concern_of_sol(world, plan, concerned=False)

    html = collapse(signed_in(world.ben).get(plan_page(plan)).content.decode())

    assert "0 said that the plan concerns them, and 1 said that it does not" in html


def test_answer_of_an_erased_stakeholder_is_by_a_former_member(world: World, plan: Plan, comment: Answer) -> None:
    services.trust_person(person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now())

    erase_person(person=world.sol, author=world.dee, reason="Asked for.", now=timezone.now())

    html = signed_in(world.ben).get(plan_page(plan)).content.decode()
    assert "a former member" in html


def test_erasing_a_stakeholder_ends_trust(world: World, comment: Answer) -> None:
    services.trust_person(person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now())

    erase_person(person=world.sol, author=world.dee, reason="Asked for.", now=timezone.now())

    assert not Trust.objects.exists()


@pytest.fixture
def refused_comment(world: World, comment: Answer) -> Answer:
    """Return a comment of Sol's that Amina has refused."""
    services.refuse_answer(answer=comment, reason="No.", author=world.amina, now=timezone.now())
    return comment


def test_text_of_a_refused_answer_is_kept_for_a_time(refused_comment: Answer) -> None:
    deletion_day = timezone.now() + retention.REFUSED_KEPT

    cleared = retention.clear_refused(deletion_day - dt.timedelta(days=1), False)

    refused_comment.refresh_from_db()
    assert cleared == 0
    assert refused_comment.text == "Please keep the trees."


def test_text_of_a_refused_answer_is_deleted_in_time(refused_comment: Answer) -> None:
    deletion_day = timezone.now() + retention.REFUSED_KEPT

    cleared = retention.clear_refused(deletion_day + dt.timedelta(days=1), False)

    refused_comment.refresh_from_db()
    assert cleared == 1
    assert refused_comment.text == ""


def test_address_of_a_colleague_is_kept_for_a_time(suggestion: Answer) -> None:
    deletion_day = timezone.now() + retention.COLLEAGUE_WAITS

    cleared = retention.clear_colleagues(deletion_day - dt.timedelta(days=1), False)

    suggestion.refresh_from_db()
    assert cleared == 0
    assert suggestion.colleague_email == "cora@council.example"


def test_address_of_a_colleague_is_deleted_in_time(suggestion: Answer) -> None:
    deletion_day = timezone.now() + retention.COLLEAGUE_WAITS

    cleared = retention.clear_colleagues(deletion_day + dt.timedelta(days=1), False)

    suggestion.refresh_from_db()
    assert cleared == 1
    assert suggestion.colleague_email == ""
    assert suggestion.status == "refused"


def test_deleting_the_address_of_a_colleague_sends_no_email(suggestion: Answer) -> None:
    email_count = Email.objects.count()
    deletion_day = timezone.now() + retention.COLLEAGUE_WAITS

    retention.clear_colleagues(deletion_day + dt.timedelta(days=1), False)

    assert Email.objects.count() == email_count


def test_answers_are_in_the_export_of_the_person(world: World, comment: Answer, capsys: pytest.CaptureFixture) -> None:
    call_command("export_person", world.sol.email)

    assert "Please keep the trees." in capsys.readouterr().out
