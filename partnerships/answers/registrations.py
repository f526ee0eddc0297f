"""What answers register with lower rooms at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.registry import register_kind
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.answers import emails, obligations, restoring, retention, telling
from partnerships.answers.event_kinds import EventKind
from partnerships.answers.management.week import PartnershipWeek
from partnerships.answers.models import Answer, Incoming, PlanQuestion
from partnerships.answers.personal import RULES, end_trust_of_leaver
from partnerships.answers.queries import WAITING
from partnerships.answers.sections import answering_section, forwarding_section, incoming_of, plans_section
from partnerships.answers.services.outbox_hooks import AnswersHooks
from partnerships.digests.management.weeks.stage import register_week
from partnerships.digests.sections import ON_READ_BY_LINK, ON_VIEW_BY_LINK
from partnerships.outbox.groups import FOR_CONSENT, About, NoticeGroup
from partnerships.outbox.hooks import register_hooks
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.leaving import register_leaving
from partnerships.people.personal import register_personal
from partnerships.work.queries import register_sources


def register() -> None:
    """Register events, emails, personal data, retention and what waits."""
    obligations.register()
    register_events(EventKind)
    register_kind(name="plan_answer", visible_ids=lambda user: Answer.objects.visible_to(user).values("pk"))
    register_kind(name="plan_question", visible_ids=lambda user: PlanQuestion.objects.visible_to(user).values("pk"))
    register_kind(
        name="answers_to_question",
        visible_ids=lambda user: PlanQuestion.objects.with_answers_for(user).values("pk"),
    )
    telling.register()
    register_emails(
        PersonEmail(
            "answers.refused",
            "Answer that is not shown",
            emails.write_refused,
            group=NoticeGroup.PLANS,
            about=About("plan", "answer", Answer, "plan", "plan__partnership"),
        ),
        PersonEmail(
            "answers.confirm_reply",
            "Confirm your reply",
            emails.write_confirm_reply,
            is_secret=True,
            about=About("plan", "incoming", Incoming, "plan", "plan__partnership"),
            group=NoticeGroup.PLANS,
            always=FOR_CONSENT,
        ),
        PersonEmail(
            "answers.confirm_forwarded",
            "Email that you forwarded, or your reply",
            emails.write_confirm_forwarded,
            about=About("partnership", "incoming", Incoming, "partnership", "partnership"),
            group=NoticeGroup.PLANS,
            always=FOR_CONSENT,
        ),
        PersonEmail(
            "answers.unfit",
            "Email that could not be used",
            emails.write_unfit,
            group=NoticeGroup.PLANS,
            always=FOR_CONSENT,
        ),
    )
    register_hooks(AnswersHooks())
    register_personal(RULES)
    register_leaving("answers no longer trusted", end_trust_of_leaver)
    register_sources(WAITING)
    ON_PARTNERSHIPS.register_with_rows("forwarding", forwarding_section, incoming_of, order=85)
    ON_READ_BY_LINK.register("answering", answering_section, order=10)
    ON_VIEW_BY_LINK.register("answering", plans_section, order=10)
    register_week("A councillor and a manager hear about a partnership", PartnershipWeek)
    retention.register()
    restoring.register()
