"""Settings of the instance and its keys."""

from __future__ import annotations

from urllib.parse import urlsplit

from housing.declarations import checks
from housing.declarations.setting import (
    ALL,
    FLAG,
    FOLDER,
    KEYS,
    LIST,
    ORIGIN,
    WEB,
    WORKER,
    Section,
    Setting,
    Values,
)


def has_https(values: Values) -> bool:
    """Return whether people reach the site by https."""
    return bool(urlsplit(values["SITE_ORIGIN"]).scheme == "https")


def _hosts(values: Values) -> list[str]:
    """Return the host of SITE_ORIGIN and, without https, the names of this machine."""
    host = urlsplit(values["SITE_ORIGIN"]).hostname or ""
    return [host] if has_https(values) else [host, "localhost", "127.0.0.1", "[::1]"]


INSTANCE = Section(
    "The instance",
    (
        Setting(
            name="DEBUG",
            kind=FLAG,
            default=False,
            meaning="`1` shows the details of every error to everyone. Never use it in production.",
        ),
        Setting(
            name="DEMONSTRATION",
            kind=FLAG,
            default=lambda values: values["DEBUG"],
            default_words="`0`",
            meaning="`1` lets `load_network --demo-passwords` give every account the same known password. Never use it "
            "in production.",
        ),
        Setting(
            name="SITE_ORIGIN",
            kind=ORIGIN,
            default="http://localhost:8000",
            required=True,
            example="https://ground.example",
            meaning="The origin of every link in emails. With https, cookies are secure.",
        ),
        Setting(
            name="ALLOWED_HOSTS",
            kind=LIST,
            default=_hosts,
            default_words="the host of `SITE_ORIGIN`",
            needed_by=WEB,
            example="ground.example",
            meaning="Host names at which the site answers.",
        ),
        Setting(
            name="OPERATORS",
            kind=LIST,
            default=[],
            example="operators@ground.example",
            meaning="Email addresses that get an alert when, for example, a job fails or the database is unavailable "
            "([alerts](deploy.md#alerts-by-email)).",
        ),
        Setting(
            name="OPERATED_BY",
            default="the network's administrators",
            needed_by=WEB,
            meaning="Who runs this site, for the privacy notice.",
        ),
        Setting(
            name="PRIVACY_CONTACT",
            default="your network administrator",
            needed_by=WEB,
            meaning="Who to ask about personal data, for the privacy notice.",
        ),
        Setting(
            name="ACCESSIBILITY_CONTACT",
            default="your network administrator",
            needed_by=WEB,
            meaning="Who to tell about problems with accessibility, for the accessibility statement.",
        ),
        Setting(
            name="SECURITY_CONTACT",
            kind=LIST,
            default=[],
            needed_by=WEB,
            example="mailto:security@ground.example",
            check=checks.contacts,
            meaning="Where to report a vulnerability, the preferred place first: `mailto:` and an address, or an "
            "`https://` page ([security.txt](deploy.md#reports-of-vulnerabilities)). Without it, there is no "
            "security.txt.",
        ),
        Setting(
            name="LOG_LEVEL",
            default="INFO",
            check=checks.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
            meaning="The lowest level that is logged ([logs](deploy.md#logs)).",
        ),
        Setting(
            name="LOG_FORMAT",
            default=lambda values: "text" if values["DEBUG"] else "json",
            default_words="`json`; with `DEBUG`, `text`",
            check=checks.one_of("json", "text"),
            meaning="Log lines as JSON, or as text for people.",
        ),
        Setting(
            name="LOG_STREAM",
            default="stderr",
            check=checks.one_of("stderr", "stdout"),
            meaning="Where web, workers, account sender and beat write log lines: standard error or standard "
            "output. Commands of `manage.py` always use standard error.",
        ),
        Setting(
            name="METRICS_TOKEN",
            secret=True,
            needed_by=WEB,
            meaning="The bearer token with which Prometheus reads `/metrics`. Without it, that page does not exist.",
        ),
        Setting(
            name="SENTRY_DSN",
            secret=True,
            needed_by=f"{WEB}, {WORKER}",
            check=checks.dsn,
            meaning="The DSN of your project in Sentry or GlitchTip, to which errors are reported "
            "([reports of errors](deploy.md#reports-of-errors)). Without it, only `OPERATORS` get alerts.",
        ),
    ),
)

KEYS_OF_THE_INSTANCE = Section(
    "Keys",
    (
        Setting(
            name="SECRET_KEY",
            default=lambda values: "only-for-debugging" if values["DEBUG"] else "",
            default_words="none: it must be set",
            secret=True,
            required=True,
            check=checks.strong_key,
            meaning="Signs sessions and links in emails: at least 50 random characters. To change it, move the old "
            "key to `SECRET_KEY_FALLBACKS` for as long as old links should still open.",
        ),
        Setting(
            name="SECRET_KEY_FALLBACKS",
            kind=KEYS,
            default=[],
            secret=True,
            check=checks.strong_keys,
            meaning="Earlier values of `SECRET_KEY`. Links signed with them still open.",
        ),
        Setting(
            name="SECOND_FACTOR_KEYS",
            kind=KEYS,
            default=[],
            default_words="`SECRET_KEY` and its fallbacks",
            secret=True,
            check=checks.strong_keys,
            meaning="The keys that encrypt second factors in the database, newest first: NEW,OLD "
            "([how to change one](deploy.md#changing-the-key-of-second-factors)).",
        ),
        Setting(
            name="ADDRESS_HASH_KEYS",
            kind=KEYS,
            default=[],
            default_words="`SECRET_KEY` and its fallbacks",
            secret=True,
            check=checks.strong_keys,
            meaning="The keys for hashes of erased addresses that refused digests, newest first. Never drop an old key "
            "([privacy](privacy.md)). Without this setting, keep every earlier `SECRET_KEY` in `SECRET_KEY_FALLBACKS`.",
        ),
        Setting(
            name="JOURNAL_KEY",
            default=lambda values: values["SECRET_KEY"],
            default_words="`SECRET_KEY`",
            secret=True,
            meaning="The key for hashes of addresses and records in the journal. Keep it, or the journal cannot be "
            "applied.",
            check=checks.strong_beside,
        ),
    ),
)

#: Settings that other code than housing/settings.py reads, some of them before it.
ELSEWHERE = (
    Section(
        "Only in the process's own environment, not in .env",
        (
            Setting(
                name="PROMETHEUS_MULTIPROC_DIR",
                elsewhere=True,
                needed_by=WEB,
                kind=FOLDER,
                default_words="a folder in /tmp for each gunicorn",
                meaning="The folder in which the web processes of one machine share their metrics. If you set it, "
                "create and empty the folder before gunicorn starts.",
            ),
            Setting(
                name="COMMON_GROUND_VAR",
                elsewhere=True,
                needed_by=ALL,
                kind=FOLDER,
                default_words="`var` beside `manage.py`",
                meaning="The folder for everything that this copy writes, unless another setting names a folder.",
            ),
        ),
    ),
    Section(
        "Only for `make run`",
        tuple(
            Setting(name=name, elsewhere=True, needed_by="`make run`", default=default, meaning=meaning)
            for name, default, meaning in (
                ("HOST", "127.0.0.1", "The address on which the site listens."),
                ("PORT", "8000", "The port of pages. If it is taken, the next free port."),
                ("MAIL_PORT", "8025", "The port of the mail catcher's page."),
                ("SMTP_PORT", "2525", "The port at which the mail catcher receives emails."),
            )
        ),
    ),
)
