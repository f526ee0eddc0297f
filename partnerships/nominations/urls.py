"""Addresses of nominations agreements and their returns, by partnership."""

from django.urls import path

from partnerships.nominations.views import agreement, deciding, records, reporting, returns

app_name = "nominations"
urlpatterns = [
    path("<int:pk>/nominations/", agreement.detail, name="detail"),
    path("<int:pk>/nominations/start/", reporting.new_return, name="start"),
    path("<int:pk>/nominations/<int:number>/", returns.detail, name="return"),
    path("<int:pk>/nominations/<int:number>/progress/", returns.progress, name="progress"),
    path("<int:pk>/nominations/<int:number>/csv/", returns.lines_csv, name="csv"),
    path("<int:pk>/nominations/<int:number>/records/<int:record>/<slug:shape>/", records.record, name="record"),
    path("<int:pk>/nominations/<int:number>/reopen/", reporting.reopen_for_changes, name="reopen"),
    path("<int:pk>/nominations/<int:number>/rows/", returns.rows_csv, name="rows"),
    path("<int:pk>/nominations/<int:number>/upload/", reporting.upload_lettings, name="upload"),
    path("<int:pk>/nominations/<int:number>/complete/", reporting.complete_figures, name="complete"),
    path("<int:pk>/nominations/<int:number>/send/", reporting.send_to_council, name="send"),
    path("<int:pk>/nominations/<int:number>/decide/", deciding.decide_lines, name="decide"),
    path("<int:pk>/nominations/<int:number>/ask/<int:line>/", deciding.ask_to_make_up, name="ask"),
]
