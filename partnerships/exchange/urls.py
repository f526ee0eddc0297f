"""The URLs of asks and offers."""

from django.urls import path
from django.views.generic import RedirectView

from partnerships.exchange.views import answering, board, detail, facilitating, groups, matching, writing
from partnerships.kit.lists import list_export, list_page

app_name = "exchange"
urlpatterns = [
    path("", board.board, name="board"),
    path("list/", list_page("asks"), name="list"),
    path("ours/", board.ours, name="ours"),
    path("export.csv", list_export("asks", "csv"), name="export"),
    path("new/", writing.new, name="new"),
    path("matches/", matching.matches, name="matches"),
    # Emails that were sent before the page moved still link here.
    path("filters/", RedirectView.as_view(pattern_name="lists:views", http_method_names=["get", "head"]), name="saved"),
    path("questions/<int:pk>/", answering.answer_question, name="answer-question"),
    path("answers/<int:pk>/decide/", answering.decide, name="decide"),
    path("answers/<int:pk>/withdraw/", answering.withdraw_response, name="withdraw-response"),
    path("answers/<int:pk>/group/", groups.start_group, name="start-group"),
    path("facilitators/<int:pk>/end/", facilitating.end, name="end-facilitator"),
    path("<int:pk>/facilitator/", facilitating.name, name="name-facilitator"),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", writing.edit, name="edit"),
    path("<int:pk>/share/", writing.share, name="share"),
    path("<int:pk>/agreed/", writing.agreed, name="agreed"),
    path("<int:pk>/withdraw/", writing.withdraw, name="withdraw"),
    path("<int:pk>/acknowledge/", answering.acknowledge, name="acknowledge"),
    path("<int:pk>/respond/", answering.respond, name="respond"),
    path("<int:pk>/decline/", answering.decline, name="decline"),
    path("<int:pk>/refer/", answering.refer, name="refer"),
    path("<int:pk>/ask-back/", answering.ask_question, name="ask-question"),
    path("<int:pk>/meet/", writing.meet, name="meet"),
    path("<int:pk>/stakeholders/", detail.stakeholders, name="stakeholders"),
    path("<int:pk>/matches/", matching.entry_matches, name="entry-matches"),
    path("<int:pk>/matches/<int:other>/dismiss/", matching.dismiss, name="dismiss-match"),
    path("<int:pk>/matches/<int:other>/introduce/", matching.introduce, name="introduce"),
]
