"""URLs of partners' spreadsheets."""

from django.urls import path, re_path

from partnerships.spreadsheets.views import records, uploads

app_name = "spreadsheets"
_RECORD = r"(?P<record>plan|partnership|organisation)/(?P<pk>[0-9]{1,18})/"
_KIND = r"(?P<kind>[a-z]{1,16})"
urlpatterns = [
    path("uploads/<int:pk>/", uploads.upload_page, name="upload"),
    path("uploads/<int:pk>/headings/", uploads.headings, name="headings"),
    path("uploads/<int:pk>/import/", uploads.import_rows, name="import"),
    path("uploads/<int:pk>/discard/", uploads.discard, name="discard"),
    path("uploads/<int:pk>/set-aside.csv", uploads.set_aside, name="set-aside"),
    re_path(rf"^{_RECORD}$", records.record_page, name="record"),
    re_path(rf"^{_RECORD}{_KIND}/new/$", records.new, name="new"),
    re_path(rf"^{_RECORD}{_KIND}/template\.(?P<form>csv|xlsx)$", records.template, name="template"),
    re_path(rf"^{_RECORD}{_KIND}/export\.(?P<form>csv|xlsx)$", records.export, name="export"),
]
