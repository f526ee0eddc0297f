"""Addresses of open data.

The addresses are public and must never change, because the planning data platform collects files from them daily.
"""

from django.urls import path

from partnerships.open_data import views

app_name = "open_data"
urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.of_organisation, name="of-organisation"),
    path("<int:pk>/publishing/<slug:standard>/", views.publishing, name="publishing"),
    path("<int:pk>/agreements/new/", views.enter_agreement, name="enter-agreement"),
    path("agreements/<int:pk>/contributions/new/", views.enter_contribution, name="enter-contribution"),
    path("<int:pk>/<slug:dataset>.csv", views.download, name="file"),
]
