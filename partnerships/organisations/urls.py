"""URLs of the directory and of memberships."""

from __future__ import annotations

from django.urls import path

from partnerships.kit.lists import list_page
from partnerships.organisations.views import (
    directory,
    duplicates,
    handing_over,
    handovers,
    members,
    pending,
    requests,
    successions,
)

app_name = "organisations"
urlpatterns = [
    path("", list_page("organisations"), name="list"),
    path("suggest/", directory.suggest, name="suggest"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("merges/<int:pk>/undo/", duplicates.undo, name="undo-merge"),
    path("<int:pk>/merge/<int:other>/", duplicates.merge, name="merge"),
    path("<int:pk>/not-the-same/<int:other>/", duplicates.not_the_same, name="not-the-same"),
    path("successions/<int:pk>/handover/", handovers.overview, name="handover"),
    path("successions/<int:pk>/handover/answer/", handovers.answer, name="handover-answer"),
    path("successions/<int:pk>/handover/consent/", handovers.consent, name="handover-consent"),
    path("successions/<int:pk>/handover/<int:predecessor>/<slug:kind>/", handovers.propose, name="handover-propose"),
    path("invitations/<str:token>/", members.accept_invitation, name="accept-invitation"),
    path("requests/", requests.requests, name="requests"),
    path("requests/new/", requests.ask, name="ask"),
    path("requests/<int:pk>/invite/", requests.accept, name="accept-request"),
    path("requests/<int:pk>/decline/", requests.decline, name="decline-request"),
    path("successions/", pending.pending, name="pending"),
    path("successions/pending.csv", pending.pending_csv, name="pending-csv"),
    path("successions/pending.atom", pending.pending_feed, name="pending-feed"),
    path("successions/new/", successions.record, name="record-succession"),
    path("successions/<int:pk>/", successions.detail, name="succession"),
    path("successions/<int:pk>/correct/", successions.correct, name="correct-succession"),
    path("successions/<int:pk>/status/", successions.change_status, name="succession-status"),
    path("successions/<int:pk>/take-effect/", successions.let_take_effect, name="take-effect"),
    path("successions/<int:pk>/undo/", successions.undo, name="undo-succession"),
    path("successions/<int:pk>/ties/add/", successions.tie, name="add-tie"),
    path("successions/<int:pk>/ties/<int:tie>/remove/", successions.untie, name="remove-tie"),
    path("<int:pk>/who-answers/", successions.answering, name="who-answers"),
    path("<int:pk>/", directory.detail, name="detail"),
    path("<int:pk>/settings/", directory.change_settings, name="settings"),
    path("<int:pk>/without-owner/", handing_over.without_owner, name="without-owner"),
    path("<int:pk>/people/", members.people, name="people"),
    path("<int:pk>/people/invite/", members.invite, name="invite"),
    path("<int:pk>/people/leave/", members.leave, name="leave"),
    path("<int:pk>/people/<int:membership>/", members.member_edit, name="member-edit"),
    path("<int:pk>/people/<int:membership>/end/", members.member_end, name="member-end"),
    path("<int:pk>/people/<int:membership>/invite-again/", members.invite_again, name="invite-again"),
]
