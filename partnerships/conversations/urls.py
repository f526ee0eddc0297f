"""The URLs of the conversations room."""

from django.urls import path, register_converter

from partnerships.conversations.views import (
    agreeing,
    detail,
    facilitating,
    files,
    journal,
    notes,
    points,
    reporting,
    reports,
    writing,
)
from partnerships.conversations.views.meetings import agendas, attendance, planning
from partnerships.conversations.views.meetings import detail as meeting
from partnerships.conversations.views.meetings import listing as meetings
from partnerships.kit.http import DayConverter
from partnerships.kit.lists import list_page

register_converter(DayConverter, "day")

app_name = "conversations"
urlpatterns = [
    path("", list_page("conversations"), name="list"),
    path("new/", writing.new_record, name="new"),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", writing.edit_record, name="edit"),
    path("<int:pk>/circulate/", agreeing.circulate_record, name="circulate"),
    path("<int:pk>/cancel/", writing.cancel_record, name="cancel"),
    path("<int:pk>/correct/", agreeing.correct_record, name="correct"),
    path("<int:pk>/agree/", agreeing.agree_to_record, name="agree"),
    path("<int:pk>/note/", notes.private_note, name="note"),
    path("corrections/<int:pk>/", agreeing.answer_to_correction, name="answer"),
    path("points/<int:pk>/close/", points.close_with_reason, name="close"),
    path("points/<int:pk>/become/", points.turn_into_ask_or_offer, name="become"),
    path("stuck/", facilitating.stuck_records, name="stuck"),
    path("partnerships/<int:pk>/facilitators/name/", facilitating.name_new_facilitator, name="facilitator-name"),
    path("facilitators/<int:pk>/", facilitating.accept_role, name="facilitation"),
    path("facilitators/<int:pk>/end/", facilitating.end_role, name="facilitation-end"),
    path("journal/", journal.journal, name="journal"),
    path("journal/new/", journal.write_journal_note, name="journal-new"),
    path("journal/<int:pk>/", journal.journal_note, name="journal-note"),
    path("journal/<int:pk>/edit/", journal.edit_journal_note, name="journal-edit"),
    path("journal/<int:pk>/delete/", journal.delete_journal_note, name="journal-delete"),
    path("partnerships/<int:pk>/reports/", reporting.reports, name="reports"),
    path("partnerships/<int:pk>/reports/set-up/", reporting.set_up_reports, name="reporting"),
    path("partnerships/<int:pk>/reports/end/", reporting.stop_reporting, name="reporting-end"),
    path("rounds/<int:pk>/<day:start>/", reporting.reports_of_period, name="reports-period"),
    path("rounds/<int:pk>/<day:start>/csv/", reporting.period_csv, name="reports-csv"),
    path("reports/<int:pk>/", reports.report_page, name="report"),
    path("reports/<int:pk>/write/", reports.write_report, name="report-write"),
    path("reports/<int:pk>/submit/", reports.submit_to_partnership, name="report-submit"),
    path("reports/<int:pk>/decide/", reports.decide_report, name="report-decide"),
    path("reports/<int:pk>/compare/<int:number>/", reports.compare_versions, name="report-compare"),
    path("<int:pk>/files/add/", files.file_add, name="file-add"),
    path("files/<int:pk>/", files.file_download, name="file"),
    path("files/<int:pk>/remove/", files.file_remove, name="file-remove"),
    path("partnerships/<int:pk>/meetings/", meetings.meeting_list, name="meetings"),
    path("partnerships/<int:pk>/meetings/new/", planning.new_meeting, name="meeting-new"),
    path("partnerships/<int:pk>/meetings/cycle/", meetings.edit_cycle, name="meeting-cycle"),
    path("partnerships/<int:pk>/meetings/cycle/stop/", meetings.stop_meeting_cycle, name="meeting-cycle-stop"),
    path("meetings/", list_page("meetings"), name="meeting-list"),
    path("meetings/<int:pk>/", meeting.detail, name="meeting"),
    path("meetings/<int:pk>/stakeholders/", meeting.stakeholders, name="meeting-stakeholders"),
    path("meetings/<int:pk>/edit/", planning.edit_meeting, name="meeting-edit"),
    path("meetings/<int:pk>/call-off/", planning.call_meeting_off, name="meeting-call-off"),
    path("meetings/<int:pk>/agenda/", agendas.edit_agenda, name="agenda"),
    path("meetings/<int:pk>/agenda/gather/", agendas.gather_items, name="agenda-gather"),
    path("meetings/<int:pk>/agenda/circulate/", agendas.circulate_to_invited, name="agenda-circulate"),
    path("meetings/<int:pk>/agenda/paper/", agendas.agenda_paper, name="agenda-paper"),
    path("meetings/<int:pk>/attendance/", attendance.record_attendance, name="attendance"),
    path("meetings/<int:pk>/minutes/", attendance.start_minutes, name="minutes"),
    path("meetings/<int:pk>/papers/add/", files.paper_add, name="paper-add"),
    path("meetings/seats/<int:pk>/answer/", attendance.answer_invitation, name="meeting-answer"),
]
