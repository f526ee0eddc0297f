"""One's own account, and the public pages about privacy, cookies and accessibility."""

from __future__ import annotations

import json

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.people.forms import DetailsForm
from partnerships.people.personal_data import export_person
from partnerships.people.queries import account_overview
from partnerships.people.requests import signed_in
from partnerships.people.retention import RULES
from partnerships.people.services import change_details


@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Who one is here, how one signs in, and where one is signed in now."""
    return render(request, "people/account.html", {"overview": account_overview(signed_in(request))})


@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest) -> HttpResponse:
    """Change one's name and time zone."""
    user = signed_in(request)
    form = DetailsForm(request.POST if request.method == "POST" else None, person=user)
    if request.method == "POST" and form.is_valid():
        change_details(person=user, author=user, now=timezone.now(), **form.cleaned_data)
        messages.info(request, "Your details are saved.")
        return redirect("people:account")
    return render(request, "people/details.html", {"form": form}, status=422 if form.is_bound else 200)


@never_cache
@require_safe
def own_data(request: HttpRequest) -> HttpResponse:
    """Everything held about oneself, as a file that machines can read."""
    user = signed_in(request)
    body = json.dumps(export_person(person=user, author=user, now=timezone.now()), indent=2, ensure_ascii=False)
    response = HttpResponse(body, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="common-ground-my-data.json"'
    return response


@login_not_required
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept about people, why, for how long, and what they can ask for."""
    return render(request, "people/privacy.html", {"rules": RULES.values(), "contact": settings.PRIVACY_CONTACT})


@login_not_required
@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    """The two cookies, both strictly necessary."""
    return render(
        request,
        "people/cookies.html",
        {
            "session_cookie": settings.SESSION_COOKIE_NAME,
            "csrf_cookie": settings.CSRF_COOKIE_NAME,
            "minutes": settings.SESSION_COOKIE_AGE // 60,
        },
    )


@login_not_required
@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """The statement that the Public Sector Bodies (Accessibility) Regulations 2018 ask for."""
    return render(
        request,
        "people/accessibility.html",
        {"contact": settings.ACCESSIBILITY_CONTACT, "organisation": settings.OPERATED_BY},
    )
