"""Addresses of nominations agreements: one for each partnership that is one."""

from django.urls import path

from partnerships.nominations import views

app_name = "nominations"
urlpatterns = [
    path("<int:pk>/nominations/", views.detail, name="detail"),
]
