"""Index rows of conversations, meetings, progress reports and nominations returns.

Private notes of conversations, drafts of reports and figures of returns are never indexed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.conversations.models import Conversation, Meeting, Report
from partnerships.conversations.models.conversations import ROUTES
from partnerships.conversations.models.meetings import MEETING_ROUTES
from partnerships.conversations.models.reports import READERS
from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.models.returns import READERS as RETURN_READERS
from partnerships.organisations.holdings import id_is_among
from partnerships.people.models import User
from partnerships.search.entries import EntryRow, joined_lines
from partnerships.search.sources.source import KindNames, Source, check_by_record, readers_by_routes
from partnerships.search.sources.texts import all_names_of, texts_in_content


def _conversation_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each conversation."""
    readers = readers_by_routes(Conversation, ROUTES, ids)
    conversations = Conversation.objects.filter(pk__in=ids)
    for conversation in conversations.prefetch_related("points", "sides__organisation__names"):
        names = all_names_of(*(side.organisation for side in conversation.sides.all()))
        yield EntryRow(
            object_id=conversation.pk,
            kind="conversation",
            title=conversation.subject,
            text=joined_lines(conversation.said, *(point.text for point in conversation.points.all()), names),
            partnership_id=conversation.partnership_id,
            organisation_id=conversation.organisation_id,
            day=conversation.held_on,
            path=reverse("conversations:detail", args=[conversation.pk]),
            readers=readers[conversation.pk],
        )


def _readable_conversations(user: User, ids: list[int]) -> QuerySet[Conversation, int]:
    """Return the ids of the conversations that the person may read."""
    return Conversation.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _meeting_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each meeting."""
    readers = readers_by_routes(Meeting, MEETING_ROUTES, ids)
    meetings = Meeting.objects.filter(pk__in=ids).select_related("organisation")
    for meeting in meetings.prefetch_related("organisation__names"):
        yield EntryRow(
            object_id=meeting.pk,
            kind="meeting",
            title=meeting.title,
            text=joined_lines(meeting.note, meeting.place, all_names_of(meeting.organisation)),
            partnership_id=meeting.partnership_id,
            organisation_id=meeting.organisation_id,
            day=timezone.localdate(meeting.starts_at),
            path=meeting.get_absolute_url(),
            readers=readers[meeting.pk],
        )


def _readable_meetings(user: User, ids: list[int]) -> QuerySet[Meeting, int]:
    """Return the ids of the meetings that the person may read."""
    return Meeting.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _report_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for the newest submission of each progress report. A draft has none."""
    readers = readers_by_routes(Report, READERS, ids)
    for report in Report.objects.filter(pk__in=ids).for_listing().prefetch_related("submissions"):
        newest_submission = max(report.submissions.all(), key=lambda submission: submission.number, default=None)
        if newest_submission is None:
            continue
        yield EntryRow(
            object_id=report.pk,
            kind="report",
            title=f"Progress report of {report.party.organisation.name}, {report.period_words}",
            text="\n".join(texts_in_content(newest_submission.answers)),
            partnership_id=report.round.partnership_id,
            organisation_id=report.party.organisation_id,
            day=report.starts_on,
            path=report.get_absolute_url(),
            readers=readers[report.pk],
        )


def _readable_reports(user: User, ids: list[int]) -> QuerySet[Report, int]:
    """Return the ids of the progress reports that the person may read."""
    return Report.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


def _return_rows(ids: Collection[int]) -> Iterable[EntryRow]:
    """Yield a row for each nominations return that was sent."""
    readers = readers_by_routes(NominationsReturn, RETURN_READERS, ids)
    for nominations_return in NominationsReturn.objects.filter(pk__in=ids, sent_at__isnull=False).for_pages():
        agreement = nominations_return.agreement
        yield EntryRow(
            object_id=nominations_return.pk,
            kind="return",
            title=f"Nominations return of {agreement.provider.organisation.name}, {nominations_return.quarter}",
            text=joined_lines(agreement.partnership.title, agreement.council.organisation.name),
            partnership_id=agreement.partnership_id,
            organisation_id=agreement.provider.organisation_id,
            day=nominations_return.starts_on,
            path=nominations_return.get_absolute_url(),
            readers=readers[nominations_return.pk],
        )


def _readable_returns(user: User, ids: list[int]) -> QuerySet[NominationsReturn, int]:
    """Return the ids of the nominations returns that the person may read."""
    return NominationsReturn.objects.visible_to(user).filter(id_is_among("pk", ids)).values_list("pk", flat=True)


#: Changes of an organisation's names change the rows of its records.
_BY_NAME = ("organisations_organisation.id", "organisations_organisationname.organisation_id")
CONVERSATIONS = Source(
    code="conversation",
    model=Conversation,
    kinds={"conversation": KindNames("Conversation", "Conversations")},
    read=_conversation_rows,
    check=check_by_record(_readable_conversations),
    follows={
        "conversations_conversation.id": ("pk",),
        "conversations_side.conversation_id": ("pk",),
        "conversations_point.conversation_id": ("pk",),
    }
    | dict.fromkeys(_BY_NAME, ("sides__organisation",)),
)
MEETINGS = Source(
    code="meeting",
    model=Meeting,
    kinds={"meeting": KindNames("Meeting", "Meetings")},
    read=_meeting_rows,
    check=check_by_record(_readable_meetings),
    follows={"conversations_meeting.id": ("pk",), "agreements_party.partnership_id": ("partnership",)}
    | dict.fromkeys(_BY_NAME, ("organisation",)),
)
REPORTS = Source(
    code="report",
    model=Report,
    kinds={"report": KindNames("Progress report", "Progress reports")},
    read=_report_rows,
    check=check_by_record(_readable_reports),
    follows={
        "conversations_report.id": ("pk",),
        "conversations_reportsubmission.report_id": ("pk",),
        "agreements_party.partnership_id": ("round__partnership",),
        "organisations_organisation.id": ("party__organisation",),
    },
)
RETURNS = Source(
    code="return",
    model=NominationsReturn,
    kinds={"return": KindNames("Nominations return", "Nominations returns")},
    read=_return_rows,
    check=check_by_record(_readable_returns),
    follows={
        "nominations_nominationsreturn.id": ("pk",),
        "agreements_party.partnership_id": ("agreement__partnership",),
        "agreements_partnership.id": ("agreement__partnership",),
        "organisations_organisation.id": ("agreement__council__organisation", "agreement__provider__organisation"),
    },
)
