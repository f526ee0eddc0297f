"""Addresses of the pages that show several rooms."""

from __future__ import annotations

from django.urls import path

from partnerships.web import brief, dates, emails, network_pages, reciprocity, views

app_name = "web"
urlpatterns = [
    path("", views.home, name="home"),
    path("first-steps/", views.first_steps_page, name="first-steps"),
    path("first-steps/<int:pk>/hide/", views.hide_first_steps, name="hide-first-steps"),
    path("my-work/", views.my_work, name="my-work"),
    path("network/", network_pages.network, name="network"),
    path("network/<int:pk>/", network_pages.partners, name="network-partners"),
    path("network/<int:pk>/with/<int:other>/", network_pages.pair, name="network-pair"),
    path("help/", views.help_page, name="help"),
    path("help/<slug:key>/", views.page_help, name="page-help"),
    path("read-date/", dates.read_date, name="read-date"),
    path("emails/", emails.emails, name="emails"),
    path("emails/<int:pk>/", emails.email, name="email"),
    path("partnerships/<int:pk>/ask-and-offer/", views.partnership_entries, name="partnership-entries"),
    path("partnerships/<int:pk>/plans/", views.partnership_plans, name="partnership-plans"),
    path("partnerships/<int:pk>/commitments/", views.partnership_commitments, name="partnership-commitments"),
    path("partnerships/<int:pk>/conversations/", views.partnership_conversations, name="partnership-conversations"),
    path("organisations/<int:pk>/ask-and-offer/", views.organisation_entries, name="organisation-entries"),
    path("organisations/<int:pk>/brief/", brief.brief, name="brief"),
    path("organisations/<int:pk>/brief.pdf", brief.brief_pdf, name="brief-pdf"),
    path("organisations/<int:pk>/give-and-take/", reciprocity.with_partner, name="reciprocity-partner"),
    path("give-and-take/", reciprocity.partners, name="reciprocity"),
    path("organisations/<int:pk>/predecessors/", views.predecessors, name="predecessors"),
    path("organisations/<int:pk>/group/", views.group, name="group"),
    path("organisations/<int:pk>/plans/", views.organisation_plans, name="organisation-plans"),
]
