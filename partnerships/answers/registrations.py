"""Register with other rooms, at start-up, what they need of answers."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.answers import follower_notices, obligations, restoring, retention
from partnerships.answers.email_kinds import EMAILS
from partnerships.answers.event_kinds import EventKind
from partnerships.answers.management.week import PartnershipWeek
from partnerships.answers.models import Answer, PlanQuestion
from partnerships.answers.personal import RULES, end_trust_of_leaver
from partnerships.answers.queries import TASK_SOURCES
from partnerships.answers.sections import answering_section, forwarding_section, incoming_emails_of, plans_section
from partnerships.answers.services.outbox_hooks import AnswersHooks
from partnerships.digests.management.weeks.stage import register_week
from partnerships.digests.sections import ON_READ_BY_LINK, ON_VIEW_BY_LINK
from partnerships.outbox.hooks import register_hooks
from partnerships.people.composing import register_emails
from partnerships.people.leaving import register_leaving
from partnerships.people.personal import register_personal
from partnerships.work.queries import register_sources


def register() -> None:
    """Register events, emails, pages, personal data and retention."""
    _register_events()
    register_emails(*EMAILS)
    register_hooks(AnswersHooks())
    # `work` itself lists only the sources of the rooms below it. Answers are above `work`, so they register theirs.
    register_sources(TASK_SOURCES)
    _register_sections()
    _register_personal_data()
    register_week("A councillor and a manager hear about a partnership", PartnershipWeek)


def _register_events() -> None:
    """Register the events, the records that they are about, who may see them, and how digests report them."""
    register_events(EventKind)
    register_kind(name="plan_answer", visible_ids=lambda user: Answer.objects.visible_to(user).values("pk"))
    register_kind(name="plan_question", visible_ids=lambda user: PlanQuestion.objects.visible_to(user).values("pk"))
    register_kind(
        name="answers_to_question",
        visible_ids=lambda user: PlanQuestion.objects.with_answers_for(user).values("pk"),
    )
    follower_notices.register()


def _register_sections() -> None:
    """Register sections on the pages of other rooms.

    `order` places a section among those of all rooms, lowest first. The address for forwarded emails comes near the
    end of a partnership's page, because few people need it.
    """
    ON_PARTNERSHIPS.register_with_rows("forwarding", forwarding_section, incoming_emails_of, order=85)
    ON_READ_BY_LINK.register("answering", answering_section, order=10)
    ON_VIEW_BY_LINK.register("answering", plans_section, order=10)


def _register_personal_data() -> None:
    """Register what happens to answers when people leave, organisations merge, time passes or a backup is restored."""
    register_personal(RULES)
    register_leaving(
        "answers no longer trusted",
        end_trust_of_leaver,
        consequence="stop showing their later answers to plans until an owner approves them",
    )
    obligations.register()
    retention.register()
    restoring.register()
