"""Addresses of developer agreements."""

from django.urls import path

from partnerships.developer_agreements import views

app_name = "developer_agreements"
urlpatterns = [
    path("organisations/<int:pk>/developer-agreements/", views.organisation_agreements, name="of-organisation"),
    path("developer-agreements/<int:pk>/", views.detail, name="detail"),
]
