"""Where the pages of plans are."""

from django.urls import path

from partnerships.plans.views import commenting, comparing, drafting, publishing, reading, sharing, signing

app_name = "plans"

urlpatterns = [
    path("", reading.plan_list, name="list"),
    path("new/", drafting.create, name="create"),
    path("ask-for-access/", sharing.ask, name="ask"),
    path("sign/<str:token>/", signing.sign_by_link, name="sign-by-link"),
    path("versions/<int:pk>/", reading.version_by_id, name="version-by-id"),
    path("<int:pk>/", reading.plan_detail, name="detail"),
    path("<int:pk>/versions/<int:number>/", reading.plan_version, name="version"),
    path("<int:pk>/versions/<int:number>/paper/", reading.version_paper, name="paper"),
    path("<int:pk>/versions/<int:number>/pdf/", reading.version_pdf, name="pdf"),
    path("<int:pk>/history/", reading.plan_history, name="history"),
    path("<int:pk>/map/", reading.plan_map, name="map"),
    path("<int:pk>/documents/<slug:key>/", reading.plan_document, name="document"),
    path("<int:pk>/compare/", comparing.compare, name="compare"),
    path("<int:pk>/compare/paper/", comparing.compare_paper, name="compare-paper"),
    path("<int:pk>/compare/pdf/", comparing.compare_pdf, name="compare-pdf"),
    path("<int:pk>/compare/csv/", comparing.compare_csv, name="compare-csv"),
    path("<int:pk>/draft/", drafting.draft_page, name="draft"),
    path("<int:pk>/draft/about/", drafting.edit_about, name="edit-about"),
    path("<int:pk>/draft/discard/", drafting.discard, name="discard"),
    path("<int:pk>/draft/documents/new/", drafting.add_document, name="add-document"),
    path("<int:pk>/draft/<slug:code>/new/", drafting.add_item, name="add-item"),
    path("<int:pk>/draft/<slug:code>/<slug:key>/", drafting.edit_item, name="edit-item"),
    path("<int:pk>/draft/<slug:code>/<slug:key>/remove/", drafting.remove_item, name="remove-item"),
    path("<int:pk>/draft/<slug:code>/<slug:key>/move/", drafting.move_item, name="move-item"),
    path("<int:pk>/propose/", reading.propose, name="propose"),
    path("<int:pk>/publish/", publishing.publish, name="publish"),
    path("<int:pk>/milestones/<slug:key>/", publishing.milestone, name="milestone"),
    path("<int:pk>/status/", publishing.status, name="status"),
    path("<int:pk>/audience/", publishing.audience, name="audience"),
    path("<int:pk>/baseline/", publishing.baseline, name="baseline"),
    path("<int:pk>/sharing/", sharing.sharing, name="sharing"),
    path("<int:pk>/sharing/<int:share>/revoke/", sharing.revoke, name="revoke"),
    path("<int:pk>/sharing/requests/<int:asked>/", sharing.answer, name="answer"),
    path("<int:pk>/comments/", commenting.comments, name="comments"),
    path("<int:pk>/comments/draft/", commenting.draft_comments, name="draft-comments"),
    path("<int:pk>/comments/<int:comment>/reply/", commenting.reply, name="reply"),
    path("<int:pk>/comments/<int:comment>/resolve/", commenting.resolve, name="resolve"),
    path("<int:pk>/sign-off/", signing.signing, name="signing"),
    path("<int:pk>/sign-off/request/", signing.request_signatures, name="request-signatures"),
    path("<int:pk>/sign-off/signatories/<int:signatory>/remove/", signing.remove, name="remove-signatory"),
    path("<int:pk>/sign-off/<int:signed>/condition/", signing.condition, name="condition"),
]
