"""Addresses of calendars. The feed has a secret in its address, and works without signing in."""

from django.urls import path

from partnerships.calendars import views

app_name = "calendars"
urlpatterns = [
    path("", views.index, name="index"),
    path("own/", views.own, name="own"),
    path("partnerships/<int:pk>/", views.of_partnership, name="partnership"),
    path("views/<int:pk>/", views.of_view, name="view"),
    path("feeds/<str:token>/dates.ics", views.feed, name="feed"),
]
