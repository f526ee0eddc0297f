"""Addresses of the reconciliation service.

The addresses that clients call have no slash at the end, because the specification appends their paths to the root.
"""

from __future__ import annotations

from django.urls import path, re_path

from partnerships.reconciliation.views import asking, showing, suggesting

app_name = "reconciliation"
_VERSION = r"^(?P<version>0\.2|1\.0-draft)"
urlpatterns = [
    path("", showing.about, name="about"),
    re_path(r"^(?P<body>o\d{1,18})/$", showing.body, name="body"),
    re_path(r"^0\.2/?$", asking.root_old, name="root-old"),
    re_path(r"^1\.0-draft/?$", asking.root, name="root"),
    re_path(r"^1\.0-draft/match$", asking.match, name="match"),
    re_path(r"^1\.0-draft/extend$", asking.extend, name="extend"),
    re_path(rf"{_VERSION}/extend/propose$", suggesting.propose, name="propose"),
    re_path(rf"{_VERSION}/suggest/(?P<what>entity|property|type)$", suggesting.suggest, name="suggest"),
    re_path(r"^0\.2/flyout/(?P<what>entity|property|type)$", suggesting.flyout, name="flyout"),
    re_path(rf"{_VERSION}/preview$", showing.preview, name="preview"),
]
