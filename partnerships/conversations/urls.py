"""Addresses of the conversations room."""

from django.urls import path

from partnerships.conversations import views

app_name = "conversations"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/circulate/", views.circulate, name="circulate"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/correct/", views.correct, name="correct"),
    path("<int:pk>/agree/", views.agree, name="agree"),
    path("<int:pk>/note/", views.private_note, name="note"),
    path("corrections/<int:pk>/", views.answer, name="answer"),
    path("points/<int:pk>/close/", views.close, name="close"),
    path("points/<int:pk>/become/", views.become, name="become"),
]
