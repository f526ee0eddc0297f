"""Register the people room's events, emails and data rules with lower rooms."""

from __future__ import annotations

import partnerships.people.receivers  # noqa: F401 - connects the signals
from partnerships.activity.event_kinds import register_events
from partnerships.activity.follower_notices import register_without_notice
from partnerships.activity.registry import register_kind
from partnerships.outbox.composing import RenderedComposer
from partnerships.outbox.groups import FOR_SECURITY, NoticeGroup
from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.kinds import register_kind as register_email_kind
from partnerships.outbox.models import Lane
from partnerships.people import data_rules, emails, restoring
from partnerships.people.composing import PersonEmail, register_emails
from partnerships.people.email_data import RULES
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import User
from partnerships.people.password_reset import RESET_KIND, PasswordResetComposer
from partnerships.people.personal import register_personal
from partnerships.people.second_factor import register_requirement


def register() -> None:
    """Register event visibility, second factors, kinds of email and retention."""
    register_events(EventKind)
    register_without_notice(EventKind, because="it concerns one person's account")
    register_kind(name="person", visible_ids=lambda user: User.objects.known_to(user).values("pk"))

    register_requirement("administrator", lambda user: user.is_staff)
    _register_emails()
    register_personal(RULES)
    data_rules.register()
    restoring.register()


def _register_emails() -> None:
    """Register the emails about accounts, which nobody can turn off."""
    for code, label, write in (
        ("new_sign_in", "New sign-in", emails.write_new_sign_in),
        ("administration", "Administration", emails.write_administration),
        ("account_closed", "Account closed", emails.write_account_closed),
        ("second_factor_removed", "Second factor removed", emails.write_removed_factors),
        ("sign_in_provider", "Sign-in page changed", emails.write_sign_in_provider),
    ):
        register_emails(
            PersonEmail(
                f"people.{code}",
                label,
                write,
                group=NoticeGroup.ACCOUNT,
                always=FOR_SECURITY,
                lane=Lane.ACCOUNT,
                may_reach_leavers=code == "account_closed",
            )
        )
    for code, label, composer in (
        ("people.account", "Your account", RenderedComposer()),
        (RESET_KIND, "New password", PasswordResetComposer()),
    ):
        register_email_kind(
            EmailKind(
                code=code,
                label=label,
                lane=Lane.ACCOUNT,
                composer=composer,
                group=NoticeGroup.ACCOUNT,
                always=FOR_SECURITY,
                is_secret=True,
            )
        )
