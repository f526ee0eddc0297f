"""Addresses of the conversations room."""

from django.urls import path

from partnerships.conversations.views import (
    agreeing,
    detail,
    journal,
    listing,
    notes,
    points,
    reporting,
    reports,
    writing,
)

app_name = "conversations"
urlpatterns = [
    path("", listing.conversation_list, name="list"),
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
    path("journal/", journal.journal, name="journal"),
    path("journal/new/", journal.new, name="journal-new"),
    path("journal/<int:pk>/", journal.note, name="journal-note"),
    path("journal/<int:pk>/edit/", journal.edit, name="journal-edit"),
    path("journal/<int:pk>/delete/", journal.delete, name="journal-delete"),
    path("partnerships/<int:pk>/reports/", reporting.reports, name="reports"),
    path("partnerships/<int:pk>/reports/set-up/", reporting.set_up, name="reporting"),
    path("partnerships/<int:pk>/reports/end/", reporting.end, name="reporting-end"),
    path("rounds/<int:pk>/<str:start>/", reporting.period, name="reports-period"),
    path("rounds/<int:pk>/<str:start>/csv/", reporting.period_csv, name="reports-csv"),
    path("reports/<int:pk>/", reports.report, name="report"),
    path("reports/<int:pk>/write/", reports.write, name="report-write"),
    path("reports/<int:pk>/submit/", reports.submit, name="report-submit"),
    path("reports/<int:pk>/decide/", reports.decide, name="report-decide"),
    path("reports/<int:pk>/compare/<int:number>/", reports.compare, name="report-compare"),
]
