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
    path("suggest/", directory.suggest_organisations, name="suggest"),
    path("duplicates/", duplicates.duplicates, name="duplicates"),
    path("merges/<int:pk>/undo/", duplicates.merge_undo, name="undo-merge"),
    path("<int:pk>/merge/<int:other>/", duplicates.merge_pair, name="merge"),
    path("<int:pk>/not-the-same/<int:other>/", duplicates.not_the_same, name="not-the-same"),
    path("successions/<int:pk>/handover/", handovers.handover_overview, name="handover"),
    path("successions/<int:pk>/handover/answer/", handovers.answer_lines, name="handover-answer"),
    path("successions/<int:pk>/handover/consent/", handovers.record_line_consent, name="handover-consent"),
    path(
        "successions/<int:pk>/handover/<int:predecessor>/<slug:kind>/", handovers.propose_lines, name="handover-propose"
    ),
    path("invitations/<str:token>/", members.accept_invitation, name="accept-invitation"),
    path("requests/", requests.request_list, name="requests"),
    path("requests/new/", requests.request_access, name="ask"),
    path("requests/<int:pk>/invite/", requests.request_accept, name="accept-request"),
    path("requests/<int:pk>/decline/", requests.request_decline, name="decline-request"),
    path("successions/", pending.pending, name="pending"),
    path("successions/pending.csv", pending.pending_csv, name="pending-csv"),
    path("successions/pending.atom", pending.pending_feed, name="pending-feed"),
    path("successions/new/", successions.succession_record, name="record-succession"),
    path("successions/<int:pk>/", successions.succession_detail, name="succession"),
    path("successions/<int:pk>/correct/", successions.succession_correct, name="correct-succession"),
    path("successions/<int:pk>/status/", successions.succession_status, name="succession-status"),
    path("successions/<int:pk>/take-effect/", successions.let_take_effect, name="take-effect"),
    path("successions/<int:pk>/undo/", successions.succession_undo, name="undo-succession"),
    path("successions/<int:pk>/ties/add/", successions.tie_add, name="add-tie"),
    path("successions/<int:pk>/ties/<int:tie>/remove/", successions.tie_remove, name="remove-tie"),
    path("<int:pk>/who-answers/", successions.answering_organisation, name="who-answers"),
    path("<int:pk>/", directory.detail, name="detail"),
    path("<int:pk>/settings/", directory.change_settings, name="settings"),
    path("<int:pk>/without-owner/", handing_over.without_owner, name="without-owner"),
    path("<int:pk>/people/", members.people, name="people"),
    path("<int:pk>/people/invite/", members.member_invite, name="invite"),
    path("<int:pk>/people/leave/", members.member_leave, name="leave"),
    path("<int:pk>/people/<int:membership>/", members.member_edit, name="member-edit"),
    path("<int:pk>/people/<int:membership>/end/", members.member_end, name="member-end"),
    path("<int:pk>/people/<int:membership>/invite-again/", members.invite_again, name="invite-again"),
]
