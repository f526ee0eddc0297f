"""Addresses of partnerships."""

from __future__ import annotations

from django.urls import path

from partnerships.agreements.views import documents, parties, partnerships

app_name = "agreements"
urlpatterns = [
    path("", partnerships.partnership_list, name="list"),
    path("new/", partnerships.create, name="create"),
    path("<int:pk>/", partnerships.detail, name="detail"),
    path("<int:pk>/terms/", partnerships.edit, name="edit"),
    path("<int:pk>/status/", partnerships.status, name="status"),
    path("<int:pk>/history/", partnerships.history, name="history"),
    path("<int:pk>/members/", parties.members, name="members"),
    path("<int:pk>/members/invite/", parties.invite, name="invite"),
    path("<int:pk>/members/<int:party>/answer/", parties.answer, name="answer"),
    path("<int:pk>/members/<int:party>/role/", parties.party_role, name="party-role"),
    path("<int:pk>/members/<int:party>/end/", parties.party_remove, name="party-remove"),
    path("<int:pk>/members/<int:party>/leave/", parties.leave, name="leave"),
    path("<int:pk>/documents/", documents.documents, name="documents"),
    path("<int:pk>/documents/add/", documents.document_add, name="document-add"),
    path("<int:pk>/documents/<int:document>/", documents.document_download, name="document-download"),
    path("<int:pk>/documents/<int:document>/remove/", documents.document_remove, name="document-remove"),
]
