"""Sign a person in through allauth, so that allauth's own records of the session are complete."""

from __future__ import annotations

from allauth.account.forms import LoginForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from partnerships.people.models import User


def sign_in_new_account(request: HttpRequest, person: User, *, password: str) -> HttpResponse:
    """Sign in a person who has just set this password by an invitation or by the first administrator's link.

    If allauth's rate limits refuse this, return a redirect to the sign-in page.
    """
    form = LoginForm({"login": person.email, "password": password}, request=request)
    if not form.is_valid():
        return redirect("account_login")
    response: HttpResponse = form.login(request, redirect_url="/")
    return response
