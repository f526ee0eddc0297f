"""All URLs, first of pages for machines, then of the rooms, accounts and administration."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from housing import health
from housing.security_txt import security_txt
from partnerships.kit.late import late_view

handler400 = "housing.errors.bad_request"

urlpatterns = [
    path("health/live/", health.live, name="health_live"),
    path("health/ready/", health.ready, name="health_ready"),
    path("metrics", login_not_required(late_view("housing.metrics.metrics")), name="metrics"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    # The rooms in the order of the menu. Those without a prefix are last.
    path("answers/", include("partnerships.answers.urls")),
    path("commitments/", include("partnerships.commitments.urls")),
    path("conversations/", include("partnerships.conversations.urls")),
    path("organisations/", include("partnerships.organisations.urls")),
    path("partnerships/", include("partnerships.agreements.urls")),
    path("plans/", include("partnerships.plans.urls")),
    path("ask-and-offer/", include("partnerships.exchange.urls")),
    path("calendars/", include("partnerships.calendars.urls")),
    path("digests/", include("partnerships.digests.urls")),
    path("reconciliation/", include("partnerships.reconciliation.urls")),
    path("open-data/", include("partnerships.open_data.urls")),
    path("search/", include("partnerships.search.urls")),
    path("lists/", include("partnerships.lists.urls")),
    path("reports/", include("partnerships.reports.urls")),
    path("imports/", include("partnerships.transfer.urls")),
    path("spreadsheets/", include("partnerships.spreadsheets.urls")),
    path("", include("partnerships.people.urls")),
    path("", include("partnerships.developer_agreements.urls")),
    path("", include("partnerships.recommendations.urls")),
    path("partnerships/", include("partnerships.nominations.urls")),
    path("", include("partnerships.surveys.urls")),
    path("", include("partnerships.web.urls")),
    path("accounts/", include("housing.accounts")),
    path("admin/", admin.site.urls),
]
