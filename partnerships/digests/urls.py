"""URLs of digests; those with a token work without signing in."""

from __future__ import annotations

from django.urls import path

from partnerships.digests.views import (
    by_link,
    inbox,
    last_month_preview,
    ledger,
    own,
    pieces,
    public,
    reports,
    stakeholders,
)
from partnerships.kit.lists import list_export, list_page

app_name = "digests"
urlpatterns = [
    path("", own.manage_choices, name="manage"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/mark/", inbox.mark_notices, name="inbox-mark"),
    path("inbox/<int:pk>/", inbox.open_item, name="inbox-open"),
    path("subscribe/<slug:kind>/<int:pk>/", own.follow_record, name="subscribe"),
    path("subscribe/plan/<int:pk>/<slug:collection>/<slug:key>/", pieces.follow_piece, name="follow-piece"),
    path("last-month/", last_month_preview.last_month, name="last-month"),
    path("subscriptions/<int:pk>/<slug:verb>/", own.change_own_subscription, name="change"),
    path("stop-all/", own.stop_all, name="stop-all"),
    path("stakeholders/", list_page("stakeholders"), name="stakeholders"),
    path("stakeholders/export.csv", list_export("stakeholders", "csv"), name="export-stakeholders"),
    path("stakeholders/<int:pk>/", stakeholders.stakeholder, name="stakeholder"),
    path("stakeholders/add/<slug:kind>/<int:pk>/", stakeholders.add_stakeholder, name="add-stakeholder"),
    path("stakeholders/<int:pk>/ask-again/", stakeholders.ask_again, name="ask-again"),
    path("stakeholders/<int:pk>/address/", stakeholders.correct_address, name="correct-address"),
    path("stakeholders/<int:pk>/end/", stakeholders.end_stakeholder, name="end-stakeholder"),
    path("roles/<slug:kind>/<int:pk>/", own.tell_role, name="tell-role"),
    path("posts/<int:post>/<slug:kind>/<int:pk>/", own.follow_for_post, name="follow-for-post"),
    path("who/<int:pk>/", own.forecast_recipients, name="who"),
    path("follow/<int:plan>/", public.follow_public_plan, name="follow"),
    path("links/", public.new_links, name="new-links"),
    path("links/<slug:purpose>/<str:token>/", public.renew_links, name="renew"),
    path("stop/<str:token>/", by_link.stop_by_link, name="stop"),
    path("preferences/<str:token>/", by_link.preferences_by_link, name="preferences"),
    path("preferences/<str:token>/<int:pk>/<slug:verb>/", by_link.change_by_link, name="change-by-link"),
    path("preferences/<str:token>/last-month/", last_month_preview.last_month_by_link, name="last-month-by-link"),
    path("confirm/<str:token>/", by_link.confirm_by_link, name="confirm"),
    path("read/<str:token>/", by_link.digest_by_link, name="view"),
    path("read/<str:token>/<int:plan>/", by_link.plan_news_by_link, name="read"),
    path("reports/<slug:provider>/", reports.receive_reports, name="reports"),
    path("ledger/", list_page("ledger"), name="ledger"),
    path("ledger/<int:pk>/", ledger.email_detail, name="entry"),
    path("ledger/<int:pk>/as-sent/", ledger.as_sent, name="as-sent"),
    path("ledger/<int:pk>/again/", ledger.email_send_again, name="again"),
    path("due/", ledger.due_news, name="due"),
    path("preview/<int:pk>/", ledger.preview_digest, name="preview"),
]
