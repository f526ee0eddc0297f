"""Settings of pages, such as https, signing in and limits."""

from __future__ import annotations

from housing.declarations import checks
from housing.declarations.instance import has_https
from housing.declarations.setting import FLAG, NUMBER, WEB, WORKER, Section, Setting

#: The steps of HSTS, each with the seconds, whether subdomains are included, and whether browsers may preload it.
HOUR, WEEK, YEAR = 3_600, 7 * 86_400, 365 * 86_400
HSTS_STEPS = (
    (0, False, False),
    (HOUR, False, False),
    (WEEK, False, False),
    (YEAR, False, False),
    (YEAR, True, False),
    (YEAR, True, True),
)

WITH_HTTPS = "`1` with https"

PAGES = Section(
    "Pages",
    (
        Setting(
            name="BEHIND_TLS_PROXY",
            kind=FLAG,
            default=has_https,
            default_words=WITH_HTTPS,
            needed_by=WEB,
            meaning="Trust `X-Forwarded-Proto`. Your proxy must set it and remove what clients send.",
        ),
        Setting(
            name="TRUSTED_PROXY_COUNT",
            kind=NUMBER,
            default=lambda values: int(values["BEHIND_TLS_PROXY"]),
            default_words="`1` with `BEHIND_TLS_PROXY`, else `0`",
            needed_by=WEB,
            meaning="How many of your proxies add an entry to `X-Forwarded-For`. Limits and the security log use the "
            "entry of the outermost proxy. If the number is too high, visitors can make up their address. If it is too "
            "low, all visitors count as one.",
        ),
        Setting(
            name="SECURE_SSL_REDIRECT",
            kind=FLAG,
            default=has_https,
            default_words=WITH_HTTPS,
            needed_by=WEB,
            meaning="Redirect http to https.",
        ),
        Setting(
            name="HSTS_STEP",
            kind=NUMBER,
            default=lambda values: int(has_https(values)),
            default_words=WITH_HTTPS,
            needed_by=WEB,
            check=checks.at_most(len(HSTS_STEPS) - 1),
            meaning="How long browsers use nothing but https for this host: `0` not at all, `1` an hour, `2` a week, "
            "`3` a year, `4` a year and all subdomains, `5` the same and preloaded (hstspreload.org). Go up one step "
            "at a time ([how](deploy.md#https-by-steps)): undoing 5 takes months.",
        ),
        Setting(
            name="SECOND_FACTOR_REQUIRED",
            kind=FLAG,
            default=has_https,
            default_words=WITH_HTTPS,
            needed_by=WEB,
            meaning="Leads and administrators need a passkey or a code.",
        ),
        Setting(
            name="BREACHED_PASSWORDS_URL",
            default=lambda values: "https://api.pwnedpasswords.com/range" if has_https(values) else "",
            default_words="with https: `https://api.pwnedpasswords.com/range`",
            empty_counts=True,
            needed_by=WEB,
            meaning="The service that tells whether a new password was leaked. It gets the first five digits of the "
            "password's SHA-1. If this is empty, passwords are not checked.",
        ),
        Setting(
            name="EXPORTS_PER_MINUTE",
            kind=NUMBER,
            default=10,
            needed_by=WEB,
            check=checks.at_least(1),
            meaning="How many files one person may download in a minute.",
        ),
        Setting(
            name="UPLOADS_PER_HOUR",
            kind=NUMBER,
            default=60,
            needed_by=WEB,
            check=checks.at_least(1),
            meaning="How many spreadsheets and lists one person may upload in an hour.",
        ),
        Setting(
            name="RECONCILIATION_NAMES_PER_MINUTE",
            kind=NUMBER,
            default=6_000,
            needed_by=WEB,
            check=checks.at_least(1),
            meaning="The most names that one person or IP address may send for matching each minute "
            "([reconciliation](reconciliation.md)).",
        ),
        *(
            Setting(
                name=f"RECONCILIATION_{name}",
                kind=NUMBER,
                default=size,
                needed_by=WEB,
                check=checks.at_least(1),
                meaning=words,
            )
            for name, size, words in (
                ("BATCH", 50, "How many queries one reconciliation request may contain."),
                ("BODIES", 200, "How many bodies one reconciliation request may fetch."),
                ("DATES", 10, "How many dates one reconciliation request may contain."),
                ("CONDITIONS", 20, "How many conditions one query of a reconciliation request may have."),
                ("CHARACTERS", 1_000, "How many characters one text in a reconciliation request may have."),
            )
        ),
        Setting(
            name="NO_CONTACT_DAYS",
            kind=NUMBER,
            default=60,
            needed_by=f"{WEB}, {WORKER}",
            check=checks.at_least(1),
            meaning="Days without a conversation after which a partnership counts as quiet, unless its leads chose "
            "another number.",
        ),
    ),
)
