"""Register this room's reports, and its parts in other rooms, at start-up."""

from __future__ import annotations

from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.activity.registry import register_kind
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.digests.queries.stoppable import register_single_stop
from partnerships.organisations.sections import ON_ORGANISATIONS
from partnerships.outbox.groups import NoticeGroup
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.personal import register_personal
from partnerships.reports import obligations, restoring
from partnerships.reports.emails import write_report_not_made, write_scheduled_report
from partnerships.reports.event_kinds import EventKind
from partnerships.reports.kinds.board_pack import BOARD_PACK
from partnerships.reports.kinds.contact import CONTACT
from partnerships.reports.kinds.coverage import COVERAGE
from partnerships.reports.kinds.evidence_file import EVIDENCE_FILE
from partnerships.reports.kinds.homes_pipeline import HOMES_PIPELINE
from partnerships.reports.kinds.need_and_supply import NEED_AND_SUPPLY
from partnerships.reports.kinds.network import NETWORK
from partnerships.reports.kinds.partnership_register import PARTNERSHIP_REGISTER
from partnerships.reports.kinds.promises_kept import PROMISES_KEPT
from partnerships.reports.kinds.reciprocity import RECIPROCITY
from partnerships.reports.kinds.recommendations import RECOMMENDATIONS
from partnerships.reports.kinds.unanswered_asks import UNANSWERED_ASKS
from partnerships.reports.models import FrozenReport, Schedule
from partnerships.reports.personal import RULES
from partnerships.reports.registry import register_report
from partnerships.reports.sections import frozen_reports_of, organisation_section, reports_lookups, reports_section
from partnerships.reports.services import files
from partnerships.reports.services.scheduling import ScheduledReportStop


def register() -> None:
    """Register the reports of this room, its events, emails and sections, and its rules about personal data."""
    for report in (
        HOMES_PIPELINE,
        NEED_AND_SUPPLY,
        BOARD_PACK,
        PARTNERSHIP_REGISTER,
        CONTACT,
        EVIDENCE_FILE,
        COVERAGE,
        PROMISES_KEPT,
        UNANSWERED_ASKS,
        RECIPROCITY,
        RECOMMENDATIONS,
        NETWORK,
    ):
        register_report(report)
    files.register()
    obligations.register()
    restoring.register()
    register_personal(RULES)

    register_events(EventKind)
    register_without_notice(EventKind, because="the recipients of a report get an email")
    register_kind(name="frozen_report", visible_ids=lambda user: FrozenReport.objects.visible_to(user).values("pk"))
    register_kind(name="report_schedule", visible_ids=lambda user: Schedule.objects.visible_to(user).values("pk"))

    ON_ORGANISATIONS.register("reports", organisation_section, order=58)
    ON_PARTNERSHIPS.register_with_rows("reports", reports_section, frozen_reports_of, order=58, lookups=reports_lookups)

    register_single_stop("reports.scheduled", ScheduledReportStop())
    register_emails(
        PersonEmail(
            "reports.scheduled",
            "A scheduled report",
            write_scheduled_report,
            group=NoticeGroup.REPORTS,
        ),
        PersonEmail(
            "reports.not_made",
            "A scheduled report that could not be made",
            write_report_not_made,
            group=NoticeGroup.REPORTS,
        ),
    )
