"""Addresses of calendars. The feed has a secret in its address, and works without signing in."""

from django.urls import path

from partnerships.calendars import views

app_name = "calendars"
urlpatterns = [
    path("", views.index, name="index"),
    path("own/", views.own_calendar, name="own"),
    path("partnerships/<int:pk>/", views.partnership_calendar, name="partnership"),
    path("views/<int:pk>/", views.saved_view_calendar, name="view"),
    path("feeds/<str:token>/dates.ics", views.feed, name="feed"),
]
