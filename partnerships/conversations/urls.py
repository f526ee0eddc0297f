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
    path("new/", writing.new, name="new"),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", writing.edit, name="edit"),
    path("<int:pk>/circulate/", agreeing.circulate, name="circulate"),
    path("<int:pk>/cancel/", writing.cancel, name="cancel"),
    path("<int:pk>/correct/", agreeing.correct, name="correct"),
    path("<int:pk>/agree/", agreeing.agree, name="agree"),
    path("<int:pk>/note/", notes.private_note, name="note"),
    path("corrections/<int:pk>/", agreeing.answer, name="answer"),
    path("points/<int:pk>/close/", points.close, name="close"),
    path("points/<int:pk>/become/", points.become, name="become"),
    path("stuck/", facilitating.stuck, name="stuck"),
    path("partnerships/<int:pk>/facilitators/name/", facilitating.name, name="facilitator-name"),
    path("facilitators/<int:pk>/", facilitating.facilitation, name="facilitation"),
    path("facilitators/<int:pk>/end/", facilitating.end, name="facilitation-end"),
    path("journal/", journal.journal, name="journal"),
    path("journal/new/", journal.new, name="journal-new"),
    path("journal/<int:pk>/", journal.note, name="journal-note"),
    path("journal/<int:pk>/edit/", journal.edit, name="journal-edit"),
    path("journal/<int:pk>/delete/", journal.delete, name="journal-delete"),
    path("partnerships/<int:pk>/reports/", reporting.reports, name="reports"),
    path("partnerships/<int:pk>/reports/set-up/", reporting.set_up, name="reporting"),
    path("partnerships/<int:pk>/reports/end/", reporting.end, name="reporting-end"),
    path("rounds/<int:pk>/<day:start>/", reporting.period, name="reports-period"),
    path("rounds/<int:pk>/<day:start>/csv/", reporting.period_csv, name="reports-csv"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/write/", reports.write, name="report-write"),
    path("reports/<int:pk>/submit/", reports.submit, name="report-submit"),
    path("reports/<int:pk>/decide/", reports.decide, name="report-decide"),
    path("reports/<int:pk>/compare/<int:number>/", reports.compare, name="report-compare"),
    path("<int:pk>/files/add/", files.file_add, name="file-add"),
    path("files/<int:pk>/", files.file_download, name="file"),
    path("files/<int:pk>/remove/", files.file_remove, name="file-remove"),
    path("partnerships/<int:pk>/meetings/", meetings.meeting_list, name="meetings"),
    path("partnerships/<int:pk>/meetings/new/", planning.new, name="meeting-new"),
    path("partnerships/<int:pk>/meetings/cycle/", meetings.cycle_edit, name="meeting-cycle"),
    path("partnerships/<int:pk>/meetings/cycle/stop/", meetings.cycle_stop, name="meeting-cycle-stop"),
    path("meetings/", list_page("meetings"), name="meeting-list"),
    path("meetings/<int:pk>/", meeting.detail, name="meeting"),
    path("meetings/<int:pk>/stakeholders/", meeting.stakeholders, name="meeting-stakeholders"),
    path("meetings/<int:pk>/edit/", planning.edit, name="meeting-edit"),
    path("meetings/<int:pk>/call-off/", planning.call_off, name="meeting-call-off"),
    path("meetings/<int:pk>/agenda/", agendas.edit, name="agenda"),
    path("meetings/<int:pk>/agenda/gather/", agendas.gather, name="agenda-gather"),
    path("meetings/<int:pk>/agenda/circulate/", agendas.circulate, name="agenda-circulate"),
    path("meetings/<int:pk>/agenda/paper/", agendas.paper, name="agenda-paper"),
    path("meetings/<int:pk>/attendance/", attendance.attendance, name="attendance"),
    path("meetings/<int:pk>/minutes/", attendance.minutes, name="minutes"),
    path("meetings/<int:pk>/papers/add/", files.paper_add, name="paper-add"),
    path("meetings/seats/<int:pk>/answer/", attendance.answer, name="meeting-answer"),
]
