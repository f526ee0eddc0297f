"""Every setting of Common Ground, declared once.

`housing/settings.py` reads them, and `make settings` writes .env.example and docs/reference/settings.md from them.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ImproperlyConfigured

from housing.declarations.backups import BACKUPS
from housing.declarations.emails import RECEIVING, SENDING
from housing.declarations.instance import ELSEWHERE, INSTANCE, KEYS_OF_THE_INSTANCE
from housing.declarations.pages import PAGES
from housing.declarations.services import FILES, SERVICES
from housing.declarations.setting import Section, Setting

SECTIONS: tuple[Section, ...] = (
    INSTANCE,
    KEYS_OF_THE_INSTANCE,
    SERVICES,
    FILES,
    SENDING,
    RECEIVING,
    PAGES,
    BACKUPS,
    *ELSEWHERE,
)
SETTINGS: tuple[Setting, ...] = tuple(setting for section in SECTIONS for setting in section.settings)
#: What may also be given in the file that NAME_FILE names.
SECRETS: tuple[str, ...] = tuple(setting.name for setting in SETTINGS if setting.secret)
#: Settings that no longer exist, and what to set instead.
REMOVED = {
    "SECURE_HSTS_PRELOAD": "set HSTS_STEP=5, which asks browsers to preload https",
    "DIGESTS_HELD": "set EMAILS_HELD",
    **{
        f"DIGEST_{name}": f"set EMAIL_{name}"
        for name in (
            *("MAILBOX", "WEBHOOK_SECRET", "LEASE_SECONDS", "RETRY_SECONDS"),
            *("PER_MINUTE", "PER_DOMAIN_PER_MINUTE", "PER_DOMAIN_PER_HOUR"),
        )
    },
}


def refuse_removed(environ: Mapping[str, str]) -> None:
    """Raise `ImproperlyConfigured` for a removed setting that is still in use."""
    for name, instead in REMOVED.items():
        if environ.get(name, "0").lower() not in {"", "0", "false", "no", "off"}:
            raise ImproperlyConfigured(f"{name} is no longer a setting: {instead}, and remove {name}.")
