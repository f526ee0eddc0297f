"""The page of a nominations agreement."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.nominations.presenting import masked_trend_charts, trend_charts
from partnerships.nominations.queries import masked_trend_of, nomination_terms_on, returns_of, trend_of
from partnerships.nominations.queries.agreement import suspended_since
from partnerships.nominations.queries.pages import quarters_to_start
from partnerships.nominations.views.returns import open_agreement


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the agreed shares, the returns, and the trend over quarters.

    Council and provider see all figures, other parties only masked results of confirmed returns.
    """
    _, agreement, rights = open_agreement(request, pk)
    # Without data-sharing terms in force nobody may read figures, but all parties may read what was agreed.
    all_returns = list(returns_of(agreement)) if rights.is_open else []
    if rights.reads_returns:
        returns = [nominations_return for nominations_return in all_returns if rights.reads_return(nominations_return)]
        trends = trend_charts(trend_of(all_returns))
    else:
        returns = [nominations_return for nominations_return in all_returns if nominations_return.confirmations]
        trends = masked_trend_charts(masked_trend_of(agreement)) if rights.reads_masked_results else []

    context = {
        "agreement": agreement,
        "partnership": agreement.partnership,
        "agreed": nomination_terms_on(agreement, timezone.localdate()),
        "suspended_since": suspended_since(agreement.partnership),
        "rights": rights,
        "returns": returns,
        "trends": trends,
        "may_start": bool(rights.may_report and quarters_to_start(agreement, timezone.localdate(), all_returns)),
    }
    return render(request, "nominations/detail.html", context)
