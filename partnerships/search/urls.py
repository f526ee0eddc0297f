"""Addresses of the search room."""

from __future__ import annotations

from django.urls import path

from partnerships.search import views

app_name = "search"
urlpatterns = [
    path("", views.results, name="search"),
    path("suggestions/", views.suggestions, name="suggestions"),
]
