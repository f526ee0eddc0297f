"""The one settings file: everything comes from the environment, and a missing secret fails unless DEBUG."""

from __future__ import annotations

import os
from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
import pghistory
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from housing import environment
from housing.database_roles import connection_settings
from partnerships.kit.masking import mask_values

# Lets `ModelAdmin[Plan]` and the like be written where Django itself does not yet allow it.
django_stubs_ext.monkeypatch()

env = environ.Env()
environment.load(os.environ)

BASE_DIR = environment.BASE_DIR
VAR_DIR = environment.VAR_DIR

# --- What this instance is -------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = os.environ.get("SECRET_KEY") or ("only-for-debugging" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Start with `make run`, which makes one for this copy, "
        "or set SECRET_KEY (see .env.example)."
    )
SECRET_KEY_FALLBACKS = environment.secret_keys("SECRET_KEY_FALLBACKS")
# The first encrypts what second factors keep in the database; all of them decrypt. Without any, SECRET_KEY and
# SECRET_KEY_FALLBACKS do.
SECOND_FACTOR_KEYS = environment.secret_keys("SECOND_FACTOR_KEYS")
# The first makes the hashes by which an erased address that said no is remembered; all of them are compared. Without
# any, SECRET_KEY and SECRET_KEY_FALLBACKS serve.
ADDRESS_HASH_KEYS = environment.secret_keys("ADDRESS_HASH_KEYS")
_key_faults = environment.key_faults(
    {
        "SECRET_KEY": [SECRET_KEY],
        "SECRET_KEY_FALLBACKS": SECRET_KEY_FALLBACKS,
        "SECOND_FACTOR_KEYS": SECOND_FACTOR_KEYS,
        "ADDRESS_HASH_KEYS": ADDRESS_HASH_KEYS,
    }
)
if _key_faults and not DEBUG:
    raise ImproperlyConfigured(f"{' '.join(_key_faults)} See .env.example.")

# Every link in an email is built from this one origin, never from a request's Host header.
SITE_ORIGIN = env.str("SITE_ORIGIN", default="http://localhost:8000").rstrip("/")
SITE_NAME = "Common Ground"
_origin = urlsplit(SITE_ORIGIN)
if _origin.scheme not in {"http", "https"} or not _origin.hostname or _origin.path:
    raise ImproperlyConfigured(f"SITE_ORIGIN must look like https://ground.example, not {SITE_ORIGIN!r}.")
HTTPS = _origin.scheme == "https"
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[_origin.hostname] if HTTPS else [_origin.hostname, "localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=HTTPS)

# An instance to try things on: accounts with a known password may be loaded. Never in production.
DEMONSTRATION = env.bool("DEMONSTRATION", default=DEBUG)

# --- What it is made of ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "pgtrigger",
    "pghistory",
    "partnerships.kit",
    "partnerships.activity",
    "partnerships.outbox",
    "partnerships.people",
    "partnerships.organisations",
    "partnerships.agreements",
    "partnerships.commitments",
    "partnerships.exchange",
    "partnerships.plans",
    "partnerships.developer_agreements",
    "partnerships.conversations",
    "partnerships.work",
    "partnerships.digests",
    "partnerships.transfer",
    "partnerships.search",
    "partnerships.web",
    "housing.administration.AdministrationConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "crispy_forms",
    "csp",
    "django_filters",
    "django_htmx",
    "housing",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "housing.middleware.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "housing.middleware.RequestSizeMiddleware",
    "housing.middleware.DatabaseOutageMiddleware",
    "housing.middleware.HealthMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "partnerships.people.middleware.SessionLimitMiddleware",
    "partnerships.people.middleware.ViewAsMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "partnerships.people.middleware.OwnSignInMiddleware",
    "partnerships.people.middleware.SecondFactorMiddleware",
    "housing.middleware.ExportLimitMiddleware",
    "housing.middleware.PrivatePagesMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "housing.middleware.HistoryMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "housing.urls"
WSGI_APPLICATION = "housing.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "partnerships.web.context.acting_for",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "common_ground"
CRISPY_TEMPLATE_PACK = "common_ground"
CRISPY_FAIL_SILENTLY = not DEBUG

# --- Database --------------------------------------------------------------------------------------------------------
# Pages and workers connect as roles of their own, each with its time limits. Neither owns the tables; migrations and
# tests run as their owner.

DATABASE_ROLE = env.str("DATABASE_ROLE", default="web")
AS_OWNER = DATABASE_ROLE == "owner"
_database_url = env.str("DATABASE_URL", default="postgres://common_ground@localhost/common_ground")
_worker_url = env.str("DATABASE_WORKER_URL", default="") or _database_url
_owner_url = env.str("DATABASE_OWNER_URL", default="")
# A connection lives at most this long, one per web thread and one per worker process: see docs/deploy.md.
_max_age = env.int("CONN_MAX_AGE", default=60)
ROLE_DATABASES = {
    "web": connection_settings(_database_url, max_age=_max_age),
    "worker": connection_settings(_worker_url, max_age=_max_age),
    "owner": connection_settings(_owner_url or _database_url, max_age=_max_age),
}
DATABASES = {"default": ROLE_DATABASES.get(DATABASE_ROLE, ROLE_DATABASES["web"]).copy()}
# Named so that tables' owner can grant to it after each migration; empty where one role does both.
APPLICATION_DATABASE_ROLE = ROLE_DATABASES["web"]["USER"] if _owner_url else ""
# Rows that are only ever added. Event tables of row history and their contexts are recognised by themselves.
APPEND_ONLY_TABLES = [
    "activity_event",
    "activity_export",
    "people_securityevent",
    "plans_version",
    "plans_signoff",
    "plans_conditionmet",
    "plans_shareopening",
]

# Counters of the rate limits: in PostgreSQL, so that a flushed broker forgives nobody.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
}

# Deletions too, which no trigger of the package's own defaults would write down.
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
PGHISTORY_MIDDLEWARE_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Ours never updates a context: housing/history.py installs it.
PGHISTORY_INSTALL_CONTEXT_FUNC_ON_MIGRATE = False

# --- Celery: the broker carries nudges, the database is the record ----------------------------------------------------

CELERY_BROKER_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)

# --- Mail ------------------------------------------------------------------------------------------------------------

_email = env.email_url_config(env.str("EMAIL_URL", default="smtp://localhost:2525"))
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default=_email["EMAIL_BACKEND"])
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS", False))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL", False))
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or None
# For each command: connecting, MAIL, RCPT, DATA. The answer to the end of DATA may take as long as RFC 5321
# (4.5.3.2.6) says: a server that is slow there may be delivering the email, and giving up early would send it twice.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
EMAIL_DATA_TIMEOUT = env.float("EMAIL_DATA_TIMEOUT", default=600)
# The mail server's certificate is checked: by the system's authorities, or by those of a file of one's own.
EMAIL_TLS_VERIFY = env.bool("EMAIL_TLS_VERIFY", default=True)
EMAIL_CA_FILE = env.str("EMAIL_CA_FILE", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Common Ground <digests@ground.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "  # of alerts to operators alone
ADMINS = [("Operators", address) for address in env.list("OPERATORS", default=[])]

# Named in the privacy notice and the accessibility statement.
OPERATED_BY = env.str("OPERATED_BY", default="the network's administrators")
PRIVACY_CONTACT = env.str("PRIVACY_CONTACT", default="your network administrator")
ACCESSIBILITY_CONTACT = env.str("ACCESSIBILITY_CONTACT", default="your network administrator")

# --- Journal ---------------------------------------------------------------------------------------------------------

# What must not come undone when a backup is restored: lines outside the database, on a disk of their own if possible.
JOURNAL_ROOT = env.path("JOURNAL_ROOT", default=str(VAR_DIR / "journal"))()
# Makes the hashes of addresses in it. The database does not hold it; without it the journal names nobody.
JOURNAL_KEY = env.str("JOURNAL_KEY", default="") or SECRET_KEY

# --- Digests ---------------------------------------------------------------------------------------------------------

# How long a plan must be quiet before "at once" goes out, so that a burst of versions becomes one message.
DIGEST_SETTLE_MINUTES = env.float("DIGEST_SETTLE_MINUTES", default=10)
# Where answers to digests go (empty: to the sender), and the mailbox that reads bounces and "stop" mails.
DIGEST_REPLY_TO = env.str("DIGEST_REPLY_TO", default="")
EMAIL_MAILBOX = env.str("EMAIL_MAILBOX", default="") or parseaddr(DEFAULT_FROM_EMAIL)[1]
if not EMAIL_MAILBOX.isascii() or "@" not in parseaddr(EMAIL_MAILBOX)[1]:
    raise ImproperlyConfigured(
        f"EMAIL_MAILBOX must be an address such as digests@ground.example, not {EMAIL_MAILBOX!r}."
    )
# Limits (0: none): in all and for a recipient's domain a minute, and for a domain an hour, so that a mistake cannot
# flood a council. Account emails have limits of their own.
EMAIL_PER_MINUTE = env.int("EMAIL_PER_MINUTE", default=0)
EMAIL_PER_DOMAIN_PER_MINUTE = env.int("EMAIL_PER_DOMAIN_PER_MINUTE", default=0)
EMAIL_PER_DOMAIN_PER_HOUR = env.int("EMAIL_PER_DOMAIN_PER_HOUR", default=20_000)
# How long a claim holds unless it is renewed, and how long the first retry waits (doubling to an hour).
EMAIL_LEASE_SECONDS = env.int("EMAIL_LEASE_SECONDS", default=60)
EMAIL_RETRY_SECONDS = env.float("EMAIL_RETRY_SECONDS", default=10)
# Connecting, greeting, securing and signing in, and MAIL with RCPT and DATA, may each take EMAIL_TIMEOUT without the
# lease being renewed: a lease that ends meanwhile would send an email twice.
_shortest_lease = 5 * EMAIL_TIMEOUT + 10
if _shortest_lease > EMAIL_LEASE_SECONDS:
    raise ImproperlyConfigured(
        f"EMAIL_LEASE_SECONDS is {EMAIL_LEASE_SECONDS}; with EMAIL_TIMEOUT={EMAIL_TIMEOUT} it must be at least "
        f"{_shortest_lease} (5 x EMAIL_TIMEOUT + 10 s), or a slow mail server would get emails twice."
    )
if EMAIL_DATA_TIMEOUT < EMAIL_TIMEOUT:
    raise ImproperlyConfigured(
        f"EMAIL_DATA_TIMEOUT is {EMAIL_DATA_TIMEOUT:g}; it must be at least EMAIL_TIMEOUT ({EMAIL_TIMEOUT} s). "
        "RFC 5321 (4.5.3.2.6) asks clients to wait 600 s for the answer to the end of DATA."
    )
# After restoring a backup only account emails are sent until somebody decides otherwise: see docs/outbox.md.
EMAILS_HELD = env.bool("EMAILS_HELD", default=False)
# The secret with which the mail provider signs its reports of bounces; empty: no such address.
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")
# What the provider's own keys are called: anymail's documentation (as JSON).
ANYMAIL = {
    "WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET,
    "REQUESTS_TIMEOUT": (EMAIL_TIMEOUT, EMAIL_DATA_TIMEOUT),
    **env.json("ANYMAIL", default={}),
}

# --- Conversations ---------------------------------------------------------------------------------------------------

# After how many days without a conversation those who hold a partnership are warned, where its leads chose none.
NO_CONTACT_DAYS = env.int("NO_CONTACT_DAYS", default=60)

# --- Who gets in -----------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["partnerships.people.backends.AddressBackend"]
LOGIN_URL = "account_login"
SILENCED_SYSTEM_CHECKS = [
    # An address is unique whatever its letter case: a constraint on lower(email), which this check cannot see.
    "auth.W004",
    # HSTS preload is the operator's choice.
    "security.W021",
]
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "partnerships.people.passwords.BreachedPasswordValidator"},
]
# Where it is asked whether a password is known from a breach, by the first five digits of its hash; empty: nowhere.
BREACHED_PASSWORDS_URL = env.str(
    "BREACHED_PASSWORDS_URL", default="https://api.pwnedpasswords.com/range" if HTTPS else ""
)

ACCOUNT_ADAPTER = "partnerships.people.adapters.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "partnerships.people.forms.PasswordResetForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _origin.scheme
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/5m/key,30/m/ip",
    "reset_password": "20/h/ip,5/h/key",
    "signup": "20/h/ip",
}
# How many proxies stand before us: behind one, its address must not count as everybody's.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1 if BEHIND_TLS_PROXY else 0)
SOCIALACCOUNT_ADAPTER = "partnerships.people.adapters.OrganisationSignInAdapter"
# Providers are kept in Django admin (social applications); a GET must not begin a sign-in.
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
MFA_ADAPTER = "partnerships.people.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = False
# Leads and administrators need a second factor in production; a demonstration must open at once.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=HTTPS)

# What leaves as a file or costs as much: so many a minute, for each person, or address of the signed-out.
EXPORTS_PER_MINUTE = env.int("EXPORTS_PER_MINUTE", default=10)
EXPORT_ROUTES = frozenset(
    {
        "people:own-data",
        "exchange:export",
        "digests:export-stakeholders",
        "plans:pdf",
        "plans:draft-pdf",
        "plans:compare-pdf",
        "plans:compare-csv",
        "web:brief-pdf",
    }
)

# 60 minutes idle, 12 hours at most (people.middleware holds the second).
SESSION_COOKIE_AGE = int(timedelta(minutes=60).total_seconds())
SESSION_HARD_LIMIT = timedelta(hours=12)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"

# --- What browsers are told ------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Browsers keep a preloaded domain for months after one has changed one's mind: opt in.
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}

# --- Files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static" / "build"]
WHITENOISE_USE_FINDERS = DEBUG
_storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
_debug_storage = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _debug_storage if DEBUG else _storage},
}
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))()
MEDIA_URL = "/not-served/"  # attachments leave only through a view that checks who asks
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
# The largest file that a form takes has 10 MB; nothing larger is read at all.
MAX_REQUEST_BYTES = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# --- Words and time --------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["housing.formats"]

# --- What operators see ----------------------------------------------------------------------------------------------

# Prometheus reads /metrics with this as its bearer token; without one the page does not exist.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")

_shared_processors: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "lines": {
            "()": "structlog.stdlib.ProcessorFormatter",
            "foreign_pre_chain": _shared_processors,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                mask_values,
                structlog.dev.ConsoleRenderer(colors=False) if DEBUG else structlog.processors.JSONRenderer(),
            ],
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # Addresses hold tokens and search words: our own middleware logs the route's name instead.
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # It tells of every stylesheet it reads.
        "weasyprint": {"handlers": ["console"], "level": "ERROR", "propagate": False},
        "celery": {"handlers": ["console"], "level": LOG_LEVEL, "propagate": False},
    },
}
structlog.configure(
    processors=[*_shared_processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
