"""Signs somebody in through allauth, so that its records agree."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse

from partnerships.people.models import User


def sign_in_new_account(request: HttpRequest, person: User, *, redirect_url: str = "/") -> HttpResponse:
    """Sign in a person who has just set a password by an invitation."""
    record_authentication(request, person, method="password")
    response: HttpResponse = perform_login(request, person, redirect_url=redirect_url)
    return response
