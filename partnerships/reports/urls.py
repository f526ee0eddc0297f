"""Addresses of reports."""

from django.urls import path

from partnerships.reports import views

app_name = "reports"
urlpatterns = [
    path("", views.index, name="index"),
    path("dashboard/", views.dashboards.network_dashboard, name="dashboard"),
    path("dashboard/partnership/<int:pk>/", views.dashboards.partnership_dashboard, name="partnership-dashboard"),
    path("dashboard/organisation/<int:pk>/", views.dashboards.organisation_dashboard, name="organisation-dashboard"),
    path("files/<int:pk>/", views.files.made_file, name="made-file"),
    path("files/<int:pk>/download/", views.files.download_made, name="made-file-download"),
    path("files/<int:pk>/remove/", views.files.remove_file, name="made-file-remove"),
    path("frozen/", views.frozen_list, name="frozen-list"),
    path("frozen/<int:pk>/", views.frozen, name="frozen"),
    path("frozen/<int:pk>/report.<slug:form>", views.frozen_file, name="frozen-file"),
    path("frozen/<int:pk>/today/", views.compare_with_today, name="compare"),
    path("scheduled/", views.schedules, name="schedules"),
    path("scheduled/<int:pk>/", views.schedule, name="schedule"),
    path("scheduled/<int:pk>/end/", views.end_own_schedule, name="end"),
    path("scheduled/<int:pk>/receive/", views.start_receiving, name="receive"),
    path("scheduled/<int:pk>/stop/", views.stop_receiving, name="stop"),
    path("<slug:slug>/", views.show, name="report"),
    path("<slug:slug>/report.<slug:form>", views.download, name="file"),
    path("<slug:slug>/make/<slug:form>/", views.files.make_file, name="make-file"),
    path("<slug:slug>/freeze/", views.freeze_figures, name="freeze"),
    path("<slug:slug>/schedule/", views.new_schedule, name="set-up"),
]
