"""Evidence of co-operation with local partners, for the regulator's Neighbourhood and Community Standard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.db.models import F, Q
from django.http import QueryDict
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Kind as CommitmentKind
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.conversations.models import Attendance, Conversation, Meeting, MeetingStatus
from partnerships.conversations.models import Status as ConversationStatus
from partnerships.conversations.queries import name_as_at as conversations_as_at
from partnerships.kit.choice_fields import model_choice_field
from partnerships.kit.forms import AutocompleteSelect, DayField, Form
from partnerships.kit.moments import beginning_of, end_of
from partnerships.kit.text import counted
from partnerships.nominations.models import NominationsReturn
from partnerships.nominations.queries import side_names, with_side_names
from partnerships.organisations.audience import Reader
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_names_of_day
from partnerships.plans.models import Plan, SignOff, Version
from partnerships.reports.kinds.counting import count_records
from partnerships.reports.kinds.reciprocity import first_own_organisation, offer_own_organisations
from partnerships.reports.registry import Report, ReportContext
from partnerships.reports.snapshot import Chart, Column, Kind, Row, Snapshot, Source, Table

#: Without dates, the file covers this many days up to today.
_DEFAULT_DAYS = 365
#: A table has at most this many rows, those of the newest records.
MAX_ROWS = 500
_HELD = (ConversationStatus.CIRCULATED, ConversationStatus.CORRECTED, ConversationStatus.AGREED)


class _Filters(Form):
    """The filters of the report: an organisation and a period."""

    organisation = forms.ModelChoiceField(
        label="Organisation",
        required=False,
        queryset=Organisation.objects.none(),
        widget=AutocompleteSelect,
        empty_label="Your first organisation",
    )
    first = DayField(label="From", required=False, help_text="Leave this empty to see the last year.")
    last = DayField(label="Up to", required=False)

    def __init__(self, parameters: QueryDict, reader: Reader) -> None:
        super().__init__(parameters)
        offer_own_organisations(model_choice_field(self, "organisation"), reader)


@dataclass(frozen=True, slots=True)
class _Days:
    """A period from the first to the last day, both included."""

    first: dt.date
    last: dt.date

    @property
    def moments(self) -> tuple[dt.datetime, dt.datetime]:
        """Return the first moment of the period, and the first moment after it."""
        return beginning_of(self.first), end_of(self.last)

    def covers(self, field: str) -> Q:
        """Return the condition that the moment in this field is within the period."""
        start, end = self.moments
        return Q(**{f"{field}__gte": start, f"{field}__lt": end})


def _compute(context: ReportContext) -> Snapshot:
    """Build a table for each kind of evidence, after a summary with the number of records of each kind."""
    organisation = context.filters.get("organisation")
    if not organisation:
        organisation = first_own_organisation(context.reader)
    last_day = context.filters.get("last") or context.today
    first_day = context.filters.get("first") or last_day - dt.timedelta(days=_DEFAULT_DAYS)

    title = EVIDENCE_FILE.title
    tables: list[Table] = []
    if organisation is not None:
        title = f"Evidence of local co-operation: {organisation.name}"
        table_builders = (_meetings, _conversations, _delivered, _nominations, _contributions)
        for step, build_table in enumerate(table_builders, 1):
            tables.append(build_table(context.reader, organisation, _Days(first_day, last_day)))
            context.progress(step, len(table_builders) + 1)  # the last step is to write the file

    summary_rows = tuple(Row((table.title, table.row_count), key=table.code) for table in tables)
    summary_columns = (Column("Evidence"), Column("Number", Kind.NUMBER))
    return Snapshot(
        report=EVIDENCE_FILE.slug,
        title=title,
        made_at=context.now,
        made_for=context.made_for,
        filters=context.filter_labels,
        tables=(Table(code="summary", title="Summary", columns=summary_columns, rows=summary_rows), *tables),
        charts=(Chart("Evidence, by kind", "summary", (1,)),),
        sources=(
            Source("Meetings, conversations, commitments, nominations and plans in Common Ground", context.today),
        ),
        notes=(
            "How an organisation works with partners where it has homes, for the Neighbourhood and Community Standard.",
            "We count meetings at which someone from the organisation was present, and commitments once delivered.",
            f"Each table has at most {MAX_ROWS} rows, the newest first.",
        ),
    )


def _meetings(reader: Reader, ours: Organisation, days: _Days) -> Table:
    """Return the table of meetings at which a person from the organisation was present, newest first."""
    held_meetings = Meeting.objects.visible_to(reader).filter(days.covers("starts_at"), status=MeetingStatus.HELD)
    attended_meetings = held_meetings.filter(seats__organisation=ours, seats__attendance=Attendance.PRESENT).distinct()
    rows = []
    for meeting in attended_meetings.select_related("partnership").order_by("-starts_at", "-pk")[:MAX_ROWS]:
        cells = (meeting.title, timezone.localdate(meeting.starts_at), meeting.partnership.title)
        rows.append(Row(cells, href=meeting.get_absolute_url(), key=str(meeting.pk), record=f"meeting:{meeting.pk}"))
    labels = ("Meeting", "Held on", "Partnership")
    return _table("meetings", "Meetings attended", labels, rows, count_records(attended_meetings, rows, limit=MAX_ROWS))


def _conversations(reader: Reader, ours: Organisation, days: _Days) -> Table:
    """Return the table of agreed or circulated conversations of the organisation, newest first."""
    conversations = Conversation.objects.visible_to(reader).filter(
        sides__organisation=ours, status__in=_HELD, held_on__range=(days.first, days.last)
    )
    rows = []
    newest_conversations = list(conversations.for_listing().order_by("-held_on", "-pk")[:MAX_ROWS])
    conversations_as_at(newest_conversations)
    for conversation in newest_conversations:
        partner_names = sorted(
            side.organisation.name for side in conversation.sides.all() if side.organisation_id != ours.pk
        )
        cells = (conversation.subject, conversation.held_on, "; ".join(partner_names))
        record = f"conversation:{conversation.pk}"
        rows.append(Row(cells, href=conversation.get_absolute_url(), key=str(conversation.pk), record=record))
    labels = ("Conversation", "Held on", "With")
    return _table(
        "conversations",
        "Conversations with partners",
        labels,
        rows,
        count_records(conversations, rows, limit=MAX_ROWS),
    )


def _delivered(reader: Reader, ours: Organisation, days: _Days) -> Table:
    """Return the table of commitments that the organisation delivered to others, newest first."""
    commitments = Commitment.objects.visible_to(reader).filter(
        days.covers("done_at"),
        kind=CommitmentKind.COMMITMENT,
        giver=ours,
        status__in=(CommitmentStatus.DONE, CommitmentStatus.VERIFIED),
    )
    rows = []
    newest_commitments = list(commitments.for_listing().order_by("-done_at", "-pk")[:MAX_ROWS])
    show_names_of_day((timezone.localdate(row.done_at), row.receiver) for row in newest_commitments if row.done_at)
    for commitment in newest_commitments:
        assert commitment.done_at is not None  # a done or verified commitment has this time
        done_on = timezone.localdate(commitment.done_at)
        cells = (commitment.text, done_on, str(commitment.receiver), commitment.get_status_display())
        record = f"commitment:{commitment.pk}"
        rows.append(Row(cells, href=commitment.get_absolute_url(), key=commitment.reference, record=record))
    labels = ("Commitment", "Delivered on", "To", "Status")
    return _table("delivered", "Commitments delivered", labels, rows, count_records(commitments, rows, limit=MAX_ROWS))


def _nominations(reader: Reader, ours: Organisation, days: _Days) -> Table:
    """Return the table of nominations returns that the organisation sent as a provider, newest first."""
    sent_returns = NominationsReturn.objects.visible_to(reader).filter(
        agreement__provider__organisation=ours, sendings__gt=0, starts_on__range=(days.first, days.last)
    )
    rows = []
    for nominations_return in with_side_names(sent_returns.for_pages()).order_by("-starts_on", "-pk")[:MAX_ROWS]:
        cells = (
            str(nominations_return.quarter),
            nominations_return.starts_on,
            side_names(nominations_return)[0],
            nominations_return.get_status_display(),
        )
        key, record = str(nominations_return.pk), f"nominations_return:{nominations_return.pk}"
        rows.append(Row(cells, href=nominations_return.get_absolute_url(), key=key, record=record))

    labels = ("Quarter", "First day", "Reported to", "Status")
    record_count = count_records(sent_returns, rows, limit=MAX_ROWS)
    return _table("nominations", "Nominations returns sent", labels, rows, record_count)


def _contributions(reader: Reader, ours: Organisation, days: _Days) -> Table:
    """Return the table of plan versions that the organisation published, signed or declined, newest first."""
    plans = Plan.objects.published_today_for(reader)
    published_versions = Version.objects.filter(
        days.covers("published_at"), plan__in=plans, number__lte=F("plan__open_number"), organisation=ours
    )
    decisions = SignOff.objects.filter(
        days.covers("signed_at"), plan__in=plans, version__number__lte=F("plan__open_number"), organisation=ours
    )

    version_rows, decision_rows = [], []
    for version in published_versions.without_content().order_by("-published_at", "-pk")[:MAX_ROWS]:
        cells = (str(version), timezone.localdate(version.published_at), "Published")
        key, record = f"version-{version.pk}", f"plan_version:{version.pk}"
        version_rows.append(Row(cells, href=version.get_absolute_url(), key=key, record=record))
    for sign_off in decisions.select_related("version").order_by("-signed_at", "-pk")[:MAX_ROWS]:
        cells = (str(sign_off.version), timezone.localdate(sign_off.signed_at), sign_off.get_decision_display())
        key, record = f"signature-{sign_off.pk}", f"plan_version:{sign_off.version_id}"
        decision_rows.append(Row(cells, href=sign_off.version.get_absolute_url(), key=key, record=record))

    version_count = count_records(published_versions, version_rows, limit=MAX_ROWS)
    decision_count = count_records(decisions, decision_rows, limit=MAX_ROWS)
    rows = sorted([*version_rows, *decision_rows], key=_newest_first)[:MAX_ROWS]
    labels = ("Plan", "On", "What")
    return _table("contributions", "Contributions to plans", labels, rows, version_count + decision_count)


def _newest_first(row: Row) -> tuple[int, str]:
    """Return a sort key for a row of evidence: the newest day first, then by identity."""
    day = row.cells[1]
    assert isinstance(day, dt.date)
    return -day.toordinal(), row.identity


def _table(code: str, title: str, labels: Sequence[str], rows: Sequence[Row], record_count: int) -> Table:
    """Return a table of evidence. Its second column is a day, and its rows are the newest of all records."""
    columns = tuple(Column(label, Kind.DAY if index == 1 else Kind.TEXT) for index, label in enumerate(labels))
    left_out = record_count - len(rows)
    note = f"This table has the newest {counted(len(rows), 'row')}, out of {record_count:,}." if left_out else ""
    return Table(
        code=code,
        title=title,
        columns=columns,
        rows=tuple(rows),
        note=note,
        empty="Nothing in this period.",
        left_out=left_out,
    )


EVIDENCE_FILE = Report(
    slug="evidence-file",
    title="Evidence of local co-operation",
    about="Show the regulator your meetings, conversations, delivered commitments, nominations and plans, with their "
    "dates.",
    group="Partnerships",
    form=_Filters,
    compute=_compute,
    takes_long=True,
)
