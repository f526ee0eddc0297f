"""The URLs of accounts, which are those of `allauth.urls` with two changes.

Each change to an account is made in one transaction with its alert, log and journal. The views of second factors are
imported at their first request, because they import fido2 and cryptography. Workers need the URLs only for links in
emails, and these packages would take 11 MB of their memory (docs/decisions/0020-heavy-packages-are-read-late.md).

tests/people/test_addresses_of_accounts.py compares these URLs with the package's.
"""

from collections.abc import Callable
from typing import Any

from allauth.account import urls as account
from allauth.socialaccount import urls as connections
from allauth.usersessions import urls as sessions
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path

from partnerships.kit.late import late_view
from partnerships.people.account_changes import each_in_one_transaction, in_one_transaction
from partnerships.people.views import to_organisation_sign_in

_BASE, _CODES, _TOTP, _WEBAUTHN = (
    f"allauth.mfa.{part}.views" for part in ("base", "recovery_codes", "totp", "webauthn")
)


def _view(name: str) -> Callable[..., Any]:
    """Return the view of second factors with this dotted name, in a transaction."""
    return late_view(name, around=in_one_transaction)


second_factors = [
    path("", _view(f"{_BASE}.index"), name="mfa_index"),
    path("authenticate/", login_not_required(_view(f"{_BASE}.authenticate")), name="mfa_authenticate"),
    path("reauthenticate/", _view(f"{_BASE}.reauthenticate"), name="mfa_reauthenticate"),
    path("totp/activate/", _view(f"{_TOTP}.activate_totp"), name="mfa_activate_totp"),
    path("totp/deactivate/", _view(f"{_TOTP}.deactivate_totp"), name="mfa_deactivate_totp"),
    path("recovery-codes/", _view(f"{_CODES}.view_recovery_codes"), name="mfa_view_recovery_codes"),
    path("recovery-codes/generate/", _view(f"{_CODES}.generate_recovery_codes"), name="mfa_generate_recovery_codes"),
    path("recovery-codes/download/", _view(f"{_CODES}.download_recovery_codes"), name="mfa_download_recovery_codes"),
    path("webauthn/", _view(f"{_WEBAUTHN}.list_webauthn"), name="mfa_list_webauthn"),
    path("webauthn/add/", _view(f"{_WEBAUTHN}.add_webauthn"), name="mfa_add_webauthn"),
    path(
        "webauthn/reauthenticate/",
        _view(f"{_WEBAUTHN}.reauthenticate_webauthn"),
        name="mfa_reauthenticate_webauthn",
    ),
    path("webauthn/keys/<int:pk>/remove/", _view(f"{_WEBAUTHN}.remove_webauthn"), name="mfa_remove_webauthn"),
    path("webauthn/keys/<int:pk>/edit/", _view(f"{_WEBAUTHN}.edit_webauthn"), name="mfa_edit_webauthn"),
    path("webauthn/login/", login_not_required(_view(f"{_WEBAUTHN}.login_webauthn")), name="mfa_login_webauthn"),
]

urlpatterns = [
    path("", include(each_in_one_transaction(account.urlpatterns))),
    path("2fa/", include(second_factors)),
    path("3rdparty/", include(each_in_one_transaction(connections.urlpatterns))),
    # This replaces the package's view. With an extra page, `form-action` can remain 'self' (docs/decisions/0021).
    path("oidc/<str:provider_id>/login/", to_organisation_sign_in, name="openid_connect_login"),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
    path("sessions/", include(each_in_one_transaction(sessions.urlpatterns))),
]
