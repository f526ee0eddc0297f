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
    return reverse("answers:plan", kwargs={"pk": plan.pk})


def test_waiting_answer_is_work_of_the_owners_leads_only(world: World, plan: Plan, comment: Answer) -> None:
    tasks_by_person = {
        name: [
            task.action
            for task in tasks_of_person(getattr(world, name), timezone.now())
            if "stakeholder" in task.action
        ]
        for name in ("amina", "eddie", "ben", "chidi")
    }

    assert tasks_by_person == {
        "amina": ["Approve or refuse 1 answer from a stakeholder"],
        "eddie": [],
        "ben": [],
        "chidi": [],
    }


def test_only_leads_of_an_owner_see_an_answer_before_it_is_approved(world: World, plan: Plan, comment: Answer) -> None:
    responses_before = {
        name: signed_in(getattr(world, name)).get(plan_page(plan)) for name in ("amina", "eddie", "ben")
    }
    signed_in(world.amina).post(reverse("answers:approve", kwargs={"pk": comment.pk}))
    responses_after = {name: signed_in(getattr(world, name)).get(plan_page(plan)) for name in ("amina", "eddie", "ben")}

    is_visible_by_person = {
        name: "Please keep the trees." in response.content.decode() for name, response in responses_before.items()
    }
    assert is_visible_by_person == {"amina": True, "eddie": False, "ben": False}
    assert all("Please keep the trees." in response.content.decode() for response in responses_after.values())
    assert signed_in(world.chidi).get(plan_page(plan)).status_code == 404


def test_refused_answer_is_shown_to_nobody_and_the_person_gets_the_reason(
    world: World, plan: Plan, comment: Answer
) -> None:
    signed_in(world.amina).post(
        reverse("answers:refuse", kwargs={"pk": comment.pk}), {"reason": "It names a neighbour."}
    )

    [email] = [sent for sent in deliver() if sent.to == [world.sol.email]]
    comment.refresh_from_db()
    assert comment.is_refused
    assert "It names a neighbour." in email.body
    assert email.subject == "Your comment on Harbour Quarter will not be shown"
    assert "id_way_" not in email.body  # people without an account have no such choices
    assert "Please keep the trees." not in signed_in(world.ben).get(plan_page(plan)).content.decode()


def test_refusing_an_answer_needs_a_reason(world: World, comment: Answer) -> None:
    response = signed_in(world.amina).post(reverse("answers:refuse", kwargs={"pk": comment.pk}), {"reason": " "})

    comment.refresh_from_db()
    assert response.status_code == 422
    assert not comment.is_refused


def test_answer_is_decided_once(world: World, comment: Answer) -> None:
    services.approve_answer(answer=comment, author=world.amina, now=timezone.now())

    with pytest.raises(services.UnableToDecide, match="already"):
        services.refuse_answer(answer=comment, reason="No.", author=world.amina, now=timezone.now())


def test_trusted_persons_answers_are_shown_at_once_until_trust_ends(world: World, plan: Plan, comment: Answer) -> None:
    amina = signed_in(world.amina)

    amina.post(reverse("answers:trust", kwargs={"pk": comment.pk}))
    comment_while_trusted = add_comment_by_link(world, "And the hedge.")
    trust = Trust.objects.get()
    amina.post(reverse("answers:stop-trusting", kwargs={"pk": plan.pk, "trust": trust.pk}))
    comment_after_trust = add_comment_by_link(world, "And the pond.")

    comment.refresh_from_db()
    assert [comment.status, comment_while_trusted.status, comment_after_trust.status] == ["shown", "shown", "waiting"]


def test_trust_that_ended_after_a_backup_ends_again(world: World, comment: Answer) -> None:
    trust = services.trust_person(
        person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now()
    )
    services.end_trust(trust=trust, author=world.amina, now=timezone.now())
    Trust.objects.filter(pk=trust.pk).update(ended_at=None, ended_by=None)
    journal.write_waiting(now=timezone.now() + dt.timedelta(hours=1))
    since = timezone.now() - dt.timedelta(hours=1)
    lines = [line for line in journal.lines(since=since) if line["what"] == TRUST]

    result = redo_trust(lines[-1:], timezone.now())

    assert result.count == 1
    assert not Trust.objects.current().exists()


def test_named_colleague_is_asked_for_the_owner(world: World, plan: Plan, digest: Delivery) -> None:
    answer = services.name_colleague(
        person=world.sol,
        plan=plan,
        version_number=2,
        name="Cora Council",
        email="cora@council.example",
        key=uuid.uuid4(),
        now=timezone.now(),
    )
    signed_in(world.amina).post(reverse("answers:ask-colleague", kwargs={"pk": answer.pk}))

    subscription = Subscription.objects.get(person__email="cora@council.example")
    assert subscription.status == "asked"
    assert subscription.added_for == world.larkhaven
    assert subscription.target == plan
    assert "cora@council.example" not in signed_in(world.ben).get(plan_page(plan)).content.decode()


def test_refused_suggestion_of_a_colleague_is_not_called_a_comment(world: World, plan: Plan, digest: Delivery) -> None:
    answer = services.name_colleague(
        person=world.sol,
        plan=plan,
        version_number=2,
        name="Cora Council",
        email="cora@council.example",
        key=uuid.uuid4(),
        now=timezone.now(),
    )
    signed_in(world.amina).post(reverse("answers:refuse", kwargs={"pk": answer.pk}), {"reason": "She has moved on."})
    [email] = [sent for sent in deliver() if sent.to == [world.sol.email]]

    assert email.subject == "Your suggestion for Harbour Quarter will not be used"
    assert "has decided not to contact the colleague that you suggested" in email.body


def test_leads_ask_a_question_and_the_partnership_reads_it(world: World, plan: Plan) -> None:
    address = reverse("answers:ask", kwargs={"pk": plan.pk})
    last_day = timezone.localdate() + dt.timedelta(days=7)
    data = {
        "title": "Which homes are missing?",
        "closes_on": last_day.isoformat(),
    }
    response = signed_in(world.amina).post(address, data)

    question = PlanQuestion.objects.get()
    assert response.status_code == 302
    assert question.organisation == world.larkhaven
    assert question.closes_on == last_day
    assert "Which homes are missing?" in signed_in(world.ben).get(plan_page(plan)).content.decode()
    assert signed_in(world.eddie).get(address).status_code == 403


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


def test_page_counts_the_last_answer_of_each_person(world: World, plan: Plan, digest: Delivery) -> None:
    for concerned in (True, False):
        services.record_concern(
            person=world.sol,
            plan=plan,
            version_number=2,
            concerned=concerned,
            key=uuid.uuid4(),
            now=timezone.now(),
        )
    services.acknowledge(person=world.sol, plan=plan, version_number=2, key=uuid.uuid4(), now=timezone.now())
    html = collapse(signed_in(world.ben).get(plan_page(plan)).content.decode())

    assert "1 person has said that they have read version 2" in html
    assert "0 said that the plan concerns them, and 1 said that it does not" in html


def test_erasing_a_stakeholder_ends_trust_and_leaves_a_former_member(world: World, plan: Plan, comment: Answer) -> None:
    services.trust_person(person=world.sol, organisation=world.larkhaven, author=world.amina, now=timezone.now())
    erase_person(person=world.sol, author=world.dee, reason="Asked for.", now=timezone.now())
    html = signed_in(world.ben).get(plan_page(plan)).content.decode()

    assert not Trust.objects.exists()
    assert "a former member" in html


def test_text_of_a_refused_answer_is_deleted_in_time(world: World, comment: Answer) -> None:
    services.refuse_answer(answer=comment, reason="No.", author=world.amina, now=timezone.now())
    deletion_day = timezone.now() + retention.REFUSED_KEPT

    cleared_a_day_before = retention.clear_refused(deletion_day - dt.timedelta(days=1), False)
    cleared_a_day_after = retention.clear_refused(deletion_day + dt.timedelta(days=1), False)

    comment.refresh_from_db()
    assert (cleared_a_day_before, cleared_a_day_after) == (0, 1)
    assert comment.text == ""


def test_address_of_a_colleague_is_deleted_in_time_without_an_email(world: World, plan: Plan, digest: Delivery) -> None:
    naming_answer = services.name_colleague(
        person=world.sol,
        plan=plan,
        version_number=2,
        name="Cora",
        email="cora@council.example",
        key=uuid.uuid4(),
        now=timezone.now(),
    )
    deletion_day = timezone.now() + retention.COLLEAGUE_WAITS
    email_count = Email.objects.count()

    cleared_a_day_before = retention.clear_colleagues(deletion_day - dt.timedelta(days=1), False)
    cleared_a_day_after = retention.clear_colleagues(deletion_day + dt.timedelta(days=1), False)

    naming_answer.refresh_from_db()
    assert (cleared_a_day_before, cleared_a_day_after) == (0, 1)
    assert naming_answer.colleague_email == ""
    assert naming_answer.status == "refused"
    assert Email.objects.count() == email_count


def test_answers_are_in_the_export_of_the_person(world: World, comment: Answer, capsys: pytest.CaptureFixture) -> None:
    call_command("export_person", world.sol.email)

    assert "Please keep the trees." in capsys.readouterr().out
