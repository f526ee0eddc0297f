"""Addresses of the commitments room."""

from django.urls import path

from partnerships.commitments import views

app_name = "commitments"
urlpatterns = [
    path("", views.commitment_list, name="list"),
    path("new/", views.new, name="new"),
    path("reminders/", views.reminders, name="reminders"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/confirm/<str:side>/", views.confirm, name="confirm"),
    path("<int:pk>/progress/", views.progress, name="progress"),
    path("<int:pk>/due-date/", views.due_date, name="due-date"),
    path("<int:pk>/owner/", views.owner, name="owner"),
    path("<int:pk>/escalate/", views.escalate, name="escalate"),
    path("<int:pk>/verify/", views.verify, name="verify"),
    path("<int:pk>/end/", views.end, name="end"),
    path("<int:pk>/evidence/", views.attach, name="attach"),
    path("evidence/<int:pk>/", views.evidence, name="evidence"),
    path("evidence/<int:pk>/remove/", views.remove, name="remove"),
]
