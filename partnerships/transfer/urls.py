"""Addresses of the pages on which an authority imports its own files."""

from django.urls import path

from partnerships.transfer import views

app_name = "transfer"
urlpatterns = [
    path("organisations/<int:pk>/", views.organisation_imports, name="own"),
    path("organisations/<int:pk>/<slug:register>/", views.upload_files, name="own-upload"),
    path("<int:pk>/", views.run_page, name="own-run"),
    path("<int:pk>/headings/", views.match_headings, name="own-headings"),
    path("<int:pk>/apply/", views.apply_import, name="own-apply"),
    path("<int:pk>/discard/", views.discard_upload, name="own-discard"),
    path("<int:pk>/set-aside.csv", views.download_set_aside, name="own-set-aside"),
]
