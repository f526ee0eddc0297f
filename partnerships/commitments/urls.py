"""Addresses of the commitments room."""

from django.urls import path
from django.views.generic import RedirectView

from partnerships.commitments.views import delivery, detail, evidence, ownership, proposing, terms
from partnerships.kit.lists import list_page

app_name = "commitments"
urlpatterns = [
    path("", list_page("commitments"), name="list"),
    path("new/", proposing.propose_commitment, name="new"),
    # Emails already sent have this address.
    path(
        "reminders/",
        RedirectView.as_view(pattern_name="digests:manage", http_method_names=["get", "head"]),
        name="reminders",
    ),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", terms.edit_terms, name="edit"),
    path("<int:pk>/confirm/<str:side>/", terms.confirm_terms, name="confirm"),
    path("<int:pk>/progress/", delivery.record_progress, name="progress"),
    path("<int:pk>/due-date/", terms.edit_due_date, name="due-date"),
    path("<int:pk>/owner/", ownership.edit_owner, name="owner"),
    path("<int:pk>/escalate/", delivery.escalate_with_reason, name="escalate"),
    path("<int:pk>/verify/", delivery.verify_delivery, name="verify"),
    path("<int:pk>/end/", terms.end_early, name="end"),
    path("<int:pk>/stakeholders/", detail.stakeholders, name="stakeholders"),
    path("<int:pk>/evidence/", evidence.attach_evidence, name="attach"),
    path("evidence/<int:pk>/", evidence.download_evidence, name="evidence"),
    path("evidence/<int:pk>/remove/", evidence.remove_evidence, name="remove"),
]
