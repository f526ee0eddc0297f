"""The URLs of asks and offers."""

from django.urls import path
from django.views.generic import RedirectView

from partnerships.exchange.views import answering, board, detail, facilitating, groups, matching, writing
from partnerships.kit.lists import list_export, list_page

app_name = "exchange"
urlpatterns = [
    path("", board.board, name="board"),
    path("list/", list_page("asks"), name="list"),
    path("ours/", board.own_entries, name="ours"),
    path("export.csv", list_export("asks", "csv"), name="export"),
    path("new/", writing.new_entry, name="new"),
    path("matches/", matching.matches, name="matches"),
    # Emails that were sent before the page moved still link here.
    path("filters/", RedirectView.as_view(pattern_name="lists:views", http_method_names=["get", "head"]), name="saved"),
    path("questions/<int:pk>/", answering.answer_question, name="answer-question"),
    path("answers/<int:pk>/decide/", answering.decide_response, name="decide"),
    path("answers/<int:pk>/withdraw/", answering.withdraw_response, name="withdraw-response"),
    path("answers/<int:pk>/group/", groups.start_group, name="start-group"),
    path("facilitators/<int:pk>/end/", facilitating.remove_facilitator, name="end-facilitator"),
    path("<int:pk>/facilitator/", facilitating.name_entry_facilitator, name="name-facilitator"),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", writing.edit_entry, name="edit"),
    path("<int:pk>/share/", writing.share_with_audience, name="share"),
    path("<int:pk>/agreed/", writing.mark_entry_agreed, name="agreed"),
    path("<int:pk>/withdraw/", writing.withdraw_with_reason, name="withdraw"),
    path("<int:pk>/acknowledge/", answering.acknowledge_entry, name="acknowledge"),
    path("<int:pk>/respond/", answering.respond_to_entry, name="respond"),
    path("<int:pk>/decline/", answering.decline_to_answer, name="decline"),
    path("<int:pk>/refer/", answering.refer_entry, name="refer"),
    path("<int:pk>/ask-back/", answering.ask_question, name="ask-question"),
    path("<int:pk>/meet/", writing.mark_entry_met, name="meet"),
    path("<int:pk>/stakeholders/", detail.stakeholders, name="stakeholders"),
    path("<int:pk>/matches/", matching.entry_matches, name="entry-matches"),
    path("<int:pk>/matches/<int:other>/dismiss/", matching.dismiss_pair, name="dismiss-match"),
    path("<int:pk>/matches/<int:other>/introduce/", matching.introduce_pair, name="introduce"),
]
