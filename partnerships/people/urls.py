"""URLs of accounts, and of the pages about privacy and accessibility."""

from __future__ import annotations

from django.urls import path

from partnerships.people import views

app_name = "people"
urlpatterns = [
    path("begin/<str:token>/", views.begin_network, name="begin"),
    path("account/", views.account, name="account"),
    path("account/details/", views.edit_details, name="details"),
    path("account/data/", views.own_data, name="own-data"),
    path("account/view-as/<int:pk>/", views.view_as, name="view-as"),
    path("account/view-as/end/", views.view_as_end, name="view-as-end"),
    path("account/leaver/<int:pk>/", views.close_leaver_account, name="leaver"),
    path("account/administrator/<int:pk>/make/", views.administrator_make, name="grant-administration"),
    path("account/administrator/<int:pk>/withdraw/", views.administrator_withdraw, name="withdraw-administration"),
    path("account/second-factor/<int:pk>/remove/", views.remove_second_factor, name="remove-second-factor"),
    path("privacy/", views.privacy, name="privacy"),
    path("cookies/", views.cookies, name="cookies"),
    path("accessibility/", views.accessibility, name="accessibility"),
]
