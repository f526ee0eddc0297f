"""Addresses of surveys. Pages with a token in their address need no account."""

from django.urls import path

from partnerships.surveys.views import answering, moderating, preparing, results, rounds

app_name = "surveys"
urlpatterns = [
    path("surveys/answer/<str:token>/", answering.answer_anonymously, name="answer"),
    path("surveys/answer-by-name/<str:token>/", answering.answer_by_name, name="answer-by-name"),
    path("surveys/thanks/", answering.thanks, name="thanks"),
    path("surveys/<int:pk>/comments/", moderating.decide_comments, name="moderate"),
    path("surveys/<int:pk>/agree/", preparing.answer_moderation, name="agree"),
    path("partnerships/<int:pk>/surveys/", rounds.overview, name="overview"),
    path("partnerships/<int:pk>/surveys/prepare/", rounds.prepare_round, name="prepare"),
    path("partnerships/<int:pk>/surveys/join/", preparing.answer_joining, name="join"),
    path("partnerships/<int:pk>/surveys/<int:number>/", results.detail, name="detail"),
    path("partnerships/<int:pk>/surveys/<int:number>/reader/", preparing.choose_moderator, name="name"),
    path("partnerships/<int:pk>/surveys/<int:number>/ask-reader/", preparing.ask_moderator, name="ask-reader"),
    path("partnerships/<int:pk>/surveys/<int:number>/by-name/", preparing.answer_by_name_instead, name="by-name"),
    path("partnerships/<int:pk>/surveys/<int:number>/partnership/", preparing.ask_partnership, name="ask-partnership"),
    path("partnerships/<int:pk>/surveys/<int:number>/take-back/", preparing.remove_partnership, name="take-back"),
    path("partnerships/<int:pk>/surveys/<int:number>/invite/", rounds.invite_people, name="invite"),
    path("partnerships/<int:pk>/surveys/<int:number>/withdraw/", rounds.withdraw_invitation, name="withdraw"),
    path("partnerships/<int:pk>/surveys/<int:number>/open/", rounds.open_for_answers, name="open"),
    path("partnerships/<int:pk>/surveys/<int:number>/remind/", rounds.remind_everyone, name="remind"),
    path("partnerships/<int:pk>/surveys/<int:number>/end/", rounds.end_round, name="end"),
    path("partnerships/<int:pk>/surveys/<int:number>/action/", results.link_action, name="link"),
    path("partnerships/<int:pk>/surveys/<int:number>/unlink/<int:action>/", results.unlink_action, name="unlink"),
    path("partnerships/<int:pk>/surveys/<int:number>/pdf/", results.pdf, name="pdf"),
]
