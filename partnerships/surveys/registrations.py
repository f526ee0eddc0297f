"""What the surveys room registers at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import register_origin
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.commitments.origins import register_origin as register_commitment_origin
from partnerships.outbox.groups import About, NoticeGroup
from partnerships.people.composing import register_email
from partnerships.people.personal import register_personal
from partnerships.people.retention import register_retention
from partnerships.surveys import emails, restoring, telling
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Joining, Round
from partnerships.surveys.origins import RESULT, RESULTS
from partnerships.surveys.personal import RULES
from partnerships.surveys.sections import rounds_of, surveys_lookups, surveys_section
from partnerships.surveys.services.moderating import UNREAD_KEPT, drop_unread_comments
from partnerships.surveys.services.rounds import DRAFT_KEPT, drop_old_lists


def register() -> None:
    """Register events, emails, origins, personal data, how long it is kept, and a section of partnerships."""
    register_events(EventKind)
    telling.register()
    ON_PARTNERSHIPS.register_with_rows("04 surveys", surveys_section, rounds_of, lookups=surveys_lookups)
    register_personal(RULES)
    restoring.register()
    register_commitment_origin(RESULT)
    for origin in RESULTS:
        register_origin(origin)
    _register_retention()
    _register_emails()


def _register_retention() -> None:
    """What the nightly job deletes, with why it was kept and for how long."""
    register_retention(
        "unread comments of surveys",
        what="Comments of surveys as people wrote them",
        purpose="reading them before the parties do, to remove anything that would give people away",
        basis="public task: working together on housing",
        kept_for=f"until they are read; {UNREAD_KEPT.days} days after the survey at most",
        apply=drop_unread_comments,
    )
    register_retention(
        "lists of surveys that never opened",
        what="Who is to be asked in a survey that was prepared and never opened",
        purpose="asking them once it opens",
        basis="public task: working together on housing",
        kept_for=f"{DRAFT_KEPT.days} days after the survey was prepared",
        apply=drop_old_lists,
    )


def _register_emails() -> None:
    """The kinds of email of this room, each with the record whose reader may get it."""
    asked = "somebody asks you to answer, and only this email has your link"
    for code, label, write in (
        ("invitation", "Invitation to a survey", emails.write_invitation),
        ("reminder", "Reminder of a survey", emails.write_reminder),
    ):
        register_email(f"surveys.{code}", label, write, group=NoticeGroup.REPORTS, always=asked, is_secret=True)
    register_email(
        "surveys.joining",
        "A survey to run together",
        emails.write_joining,
        group=NoticeGroup.REPORTS,
        about=About("partnership", "joining", Joining, "partnership", "partnership"),
    )
    register_email(
        "surveys.agreement",
        "Request to read the comments of a survey",
        emails.write_agreement,
        group=NoticeGroup.REPORTS,
        always="you were named to read the comments of this survey",
    )
    register_email(
        "surveys.declined",
        "Nobody named to read the comments of a survey",
        emails.write_declined,
        group=NoticeGroup.REPORTS,
        about=About("partnership", "round", Round, "partnership", "partnership"),
    )
    register_email(
        "surveys.results",
        "Results of a survey",
        emails.write_results,
        group=NoticeGroup.REPORTS,
        about=About("partnership", "partnership", Partnership, partnership="pk"),
    )
    register_email(
        "surveys.comments",
        "Comments of a survey to read",
        emails.write_comments,
        group=NoticeGroup.REPORTS,
        always="you were named to read the comments of this survey",
    )
