"""Addresses of the commitments room."""

from django.urls import path
from django.views.generic import RedirectView

from partnerships.commitments.views import delivery, detail, evidence, ownership, proposing, terms
from partnerships.kit.lists import list_page

app_name = "commitments"
urlpatterns = [
    path("", list_page("commitments"), name="list"),
    path("new/", proposing.new, name="new"),
    # Emails already sent have this address.
    path(
        "reminders/",
        RedirectView.as_view(pattern_name="digests:manage", http_method_names=["get", "head"]),
        name="reminders",
    ),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", terms.edit, name="edit"),
    path("<int:pk>/confirm/<str:side>/", terms.confirm, name="confirm"),
    path("<int:pk>/progress/", delivery.progress, name="progress"),
    path("<int:pk>/due-date/", terms.due_date, name="due-date"),
    path("<int:pk>/owner/", ownership.owner, name="owner"),
    path("<int:pk>/escalate/", delivery.escalate, name="escalate"),
    path("<int:pk>/verify/", delivery.verify, name="verify"),
    path("<int:pk>/end/", terms.end, name="end"),
    path("<int:pk>/stakeholders/", detail.stakeholders, name="stakeholders"),
    path("<int:pk>/evidence/", evidence.attach, name="attach"),
    path("evidence/<int:pk>/", evidence.evidence, name="evidence"),
    path("evidence/<int:pk>/remove/", evidence.remove, name="remove"),
]
