"""Addresses of the conversations room."""

from django.urls import path

from partnerships.conversations.views import agreeing, detail, listing, notes, points, writing

app_name = "conversations"
urlpatterns = [
    path("", listing.conversation_list, name="list"),
    path("new/", writing.new, name="new"),
    path("<int:pk>/", detail.detail, name="detail"),
    path("<int:pk>/edit/", writing.edit, name="edit"),
    path("<int:pk>/circulate/", agreeing.circulate, name="circulate"),
    path("<int:pk>/cancel/", writing.cancel, name="cancel"),
    path("<int:pk>/correct/", agreeing.correct, name="correct"),
    path("<int:pk>/agree/", agreeing.agree, name="agree"),
    path("<int:pk>/note/", notes.private_note, name="note"),
    path("corrections/<int:pk>/", agreeing.answer, name="answer"),
    path("points/<int:pk>/close/", points.close, name="close"),
    path("points/<int:pk>/become/", points.become, name="become"),
]
