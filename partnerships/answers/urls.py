"""The addresses of the pages of answers. Those with a token work without signing in."""

from django.urls import path

from partnerships.answers.views import by_link, incoming, owners

app_name = "answers"
urlpatterns = [
    path("by-link/<str:token>/<int:plan>/", by_link.overview, name="by-link"),
    path("by-link/<str:token>/<int:plan>/read/", by_link.acknowledge_plan, name="acknowledge"),
    path("by-link/<str:token>/<int:plan>/concern/", by_link.raise_concern, name="concern"),
    path("by-link/<str:token>/<int:plan>/comment/", by_link.write_comment, name="comment-by-link"),
    path("by-link/<str:token>/<int:plan>/questions/<int:question>/", by_link.answer_question, name="question-by-link"),
    path("by-link/<str:token>/<int:plan>/colleague/", by_link.suggest_colleague, name="colleague-by-link"),
    path("by-link/<str:token>/<int:plan>/name/", by_link.correct_own_name, name="name-by-link"),
    path("replies/<str:token>/<int:incoming>/", incoming.reply_by_link, name="reply-by-link"),
    path("emails/<int:pk>/", incoming.incoming_email, name="incoming"),
    path("files/<int:pk>/", incoming.download_attachment, name="file"),
    path("plans/<int:pk>/", owners.plan_answers, name="plan"),
    path("plans/<int:pk>/ask/", owners.ask_question, name="ask"),
    path("plans/<int:pk>/trust/<int:trust>/end/", owners.stop_trusting, name="stop-trusting"),
    path("questions/<int:pk>/close/", owners.close_own_question, name="close"),
    path("<int:pk>/approve/", owners.approve_waiting_answer, name="approve"),
    path("<int:pk>/refuse/", owners.refuse_waiting_answer, name="refuse"),
    path("<int:pk>/ask-colleague/", owners.ask_colleague, name="ask-colleague"),
    path("<int:pk>/trust/", owners.trust_colleague, name="trust"),
]
