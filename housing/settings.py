"""Django's settings, with values from the environment. Without DEBUG, a missing secret is an error."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django_stubs_ext
import environ
import pghistory

from housing import environment
from housing.broker import broker_settings
from housing.content_policy import CONTENT_SECURITY_POLICY, guard_documentation  # noqa: F401 - a setting of django-csp
from housing.database_roles import connection_settings, standby_settings
from housing.declarations import SECRETS, SETTINGS, refuse_removed
from housing.declarations.pages import HSTS_STEPS
from housing.declarations.setting import read_settings
from housing.logs import configure_structlog, logging_settings
from housing.rooms import ROOMS
from housing.storage import storage_of_files

# Allows `ModelAdmin[Plan]` and similar annotations.
django_stubs_ext.monkeypatch()

environment.load(os.environ, secrets=SECRETS)
refuse_removed(os.environ)
env = read_settings(SETTINGS, os.environ)
BASE_DIR = environment.BASE_DIR
VAR_DIR = environment.VAR_DIR

# --- Instance --------------------------------------------------------------------------------------------------------

DEBUG = env["DEBUG"]
SECRET_KEY = env["SECRET_KEY"]
SECRET_KEY_FALLBACKS = env["SECRET_KEY_FALLBACKS"]
# The first key encrypts the secrets of second factors, and all keys decrypt. Default: SECRET_KEY and its fallbacks.
SECOND_FACTOR_KEYS = env["SECOND_FACTOR_KEYS"]
# The first key hashes erased addresses that refused digests; an address is compared with all keys. The same default.
ADDRESS_HASH_KEYS = env["ADDRESS_HASH_KEYS"]

# Links in emails are built from this origin, never from a request's Host header.
SITE_ORIGIN = env["SITE_ORIGIN"]
SITE_NAME = "Common Ground"
HTTPS = urlsplit(SITE_ORIGIN).scheme == "https"
ALLOWED_HOSTS = env["ALLOWED_HOSTS"]
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]
BEHIND_TLS_PROXY = env["BEHIND_TLS_PROXY"]

DEMONSTRATION = env["DEMONSTRATION"]  # accounts with published passwords: never in production

# --- Apps and middleware ---------------------------------------------------------------------------------------------

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
    *ROOMS,
    "housing.administration.AdministrationConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "crispy_forms",
    "csp",
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
    "housing.maintenance.MaintenanceMiddleware",
    "partnerships.organisations.holdings.HoldingsMiddleware",
    "housing.middleware.AnonymousSurveyMiddleware",
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
    "housing.middleware.PrefetchMiddleware",
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
                "partnerships.web.context.emails_said",
                "partnerships.digests.context.inbox",
            ],
        },
    },
]
FORM_RENDERER = "partnerships.kit.form_renderer.QuickRenderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = "common_ground"
CRISPY_TEMPLATE_PACK = "common_ground"
CRISPY_FAIL_SILENTLY = not DEBUG

# --- Database --------------------------------------------------------------------------------------------------------
# Web and workers connect as separate roles with time limits. Migrations and tests run as the owner of the tables.

DATABASE_ROLE = env["DATABASE_ROLE"]
AS_OWNER = DATABASE_ROLE == "owner"
_owner_url = env["DATABASE_OWNER_URL"]
ROLE_DATABASES = {
    role: connection_settings(url, max_age=env["CONN_MAX_AGE"])
    for role, url in (
        ("web", env["DATABASE_URL"]),
        ("worker", env["DATABASE_WORKER_URL"]),
        ("owner", _owner_url or env["DATABASE_URL"]),
    )
}
DATABASES = {"default": ROLE_DATABASES[DATABASE_ROLE].copy()}
if env["DATABASE_REPLICA_URL"]:
    # Long files and frozen figures are read from the standby (partnerships/kit/standby.py).
    DATABASES["standby"] = standby_settings(env["DATABASE_REPLICA_URL"], max_age=env["CONN_MAX_AGE"])
DATABASE_ROUTERS = ["partnerships.kit.standby.StandbyRouter"]
# The owner grants rights to this role after each migration. It is empty if one role does both.
APPLICATION_DATABASE_ROLE = ROLE_DATABASES["web"]["USER"] if _owner_url else ""

# Rate limits are counted in this cache, so that flushing the broker does not reset them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache_entry",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
}

# The package's default leaves out deletions.
PGHISTORY_DEFAULT_TRACKERS = (pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
PGHISTORY_MIDDLEWARE_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# housing/history.py installs our own function, which never updates a context.
PGHISTORY_INSTALL_CONTEXT_FUNC_ON_MIGRATE = False

# --- Celery: the database, not the broker, is the source of truth ----------------------------------------------------

CELERY_BROKER_URL, CELERY_BROKER_TRANSPORT_OPTIONS = broker_settings(
    env["REDIS_URL"], env["REDIS_SENTINELS"], env["REDIS_SENTINEL_PASSWORD"]
)
WORKER_CONCURRENCY = env["WORKER_CONCURRENCY"]

# --- Mail ------------------------------------------------------------------------------------------------------------

MAIL_PAGE = env["MAIL_PAGE"]  # of the mail catcher that `make run` starts
_email = environ.Env().email_url_config(env["EMAIL_URL"])
EMAIL_BACKEND = env["EMAIL_BACKEND"] or _email["EMAIL_BACKEND"]
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS", False))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL", False))
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or None
# Seconds for each SMTP command, and after DATA (RFC 5321, 4.5.3.2.6): too few would send an accepted email again.
EMAIL_TIMEOUT = env["EMAIL_TIMEOUT"]
EMAIL_DATA_TIMEOUT = env["EMAIL_DATA_TIMEOUT"]
EMAIL_STALL_TIMEOUT = env["EMAIL_STALL_TIMEOUT"]
EMAIL_BODY_TIMEOUT = env["EMAIL_BODY_TIMEOUT"]
# The mail server's certificate is checked against the system's authorities or those in EMAIL_CA_FILE.
EMAIL_TLS_VERIFY = env["EMAIL_TLS_VERIFY"]
EMAIL_CA_FILE = env["EMAIL_CA_FILE"]
DEFAULT_FROM_EMAIL = env["DEFAULT_FROM_EMAIL"]
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "  # only alerts to operators have it
ADMINS = [("Operators", address) for address in env["OPERATORS"]]
# Limits in total and for a recipient's domain, so that a mistake cannot flood a council. 0 means no limit.
EMAIL_PER_MINUTE = env["EMAIL_PER_MINUTE"]
EMAIL_PER_DOMAIN_PER_MINUTE = env["EMAIL_PER_DOMAIN_PER_MINUTE"]
EMAIL_PER_DOMAIN_PER_HOUR = env["EMAIL_PER_DOMAIN_PER_HOUR"]
# How long a claim lasts, and the delay of the first retry (doubles up to an hour).
EMAIL_LEASE_SECONDS = env["EMAIL_LEASE_SECONDS"]
EMAIL_RETRY_SECONDS = env["EMAIL_RETRY_SECONDS"]
# Set after a restore, so that only account emails are sent until this is unset (docs/outbox.md).
EMAILS_HELD = env["EMAILS_HELD"]
# The secret of the page to which the mail provider reports bounces. Without it, the page does not exist.
EMAIL_WEBHOOK_SECRET = env["EMAIL_WEBHOOK_SECRET"]
# The names of a provider's keys are in anymail's documentation.
ANYMAIL = {
    "WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET,
    "REQUESTS_TIMEOUT": (EMAIL_TIMEOUT, EMAIL_DATA_TIMEOUT),
    **env["ANYMAIL"],
}

# Shown in the privacy notice and the accessibility statement.
OPERATED_BY = env["OPERATED_BY"]
PRIVACY_CONTACT = env["PRIVACY_CONTACT"]
ACCESSIBILITY_CONTACT = env["ACCESSIBILITY_CONTACT"]
SECURITY_CONTACT = env["SECURITY_CONTACT"]  # in /.well-known/security.txt, which does not exist without it

# --- Journal ---------------------------------------------------------------------------------------------------------

# The journal of changes that a restored backup must not undo. Use another disk than the database's.
JOURNAL_ROOT = env["JOURNAL_ROOT"]
SURVEY_KEYS_ROOT = env["SURVEY_KEYS_ROOT"]  # never in a backup
# The key that hashes the addresses in the journal. Without this key, nobody can be identified.
JOURNAL_KEY = env["JOURNAL_KEY"]

# --- Digests and conversations ---------------------------------------------------------------------------------------

# Whether people who have not chosen otherwise get an email for every step instead of one summary a day.
NOTICES_AT_ONCE = env["NOTICES_AT_ONCE"]
# Minutes that "at once" digests wait after the last version, so that several versions become one email.
DIGEST_SETTLE_MINUTES = env["DIGEST_SETTLE_MINUTES"]
# The address for replies to digests, which may be empty, and the mailboxes for bounces and replies (docs/deploy.md).
DIGEST_REPLY_TO = env["DIGEST_REPLY_TO"]
EMAIL_MAILBOX = env["EMAIL_MAILBOX"]
EMAIL_MAILBOX_PATH = env["EMAIL_MAILBOX_PATH"]
EMAIL_REPLIES = env["EMAIL_REPLIES"]
# Days without a conversation after which a partnership is quiet, unless its leads choose a number.
NO_CONTACT_DAYS = env["NO_CONTACT_DAYS"]

# --- Signing in ------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["partnerships.people.backends.AddressBackend"]
LOGIN_URL = "account_login"
# W004 does not apply, because addresses are unique by a constraint on lower(email). HSTS_STEP explains W005 and W021.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W005", "security.W021"]
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "partnerships.people.passwords.BreachedPasswordValidator"},
]
# The service that checks whether a password was leaked, by the first five digits of its hash. It may be empty.
BREACHED_PASSWORDS_URL = env["BREACHED_PASSWORDS_URL"]

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
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/5m/key,30/m/ip",
    "reset_password": "20/h/ip,5/h/key",
    "signup": "20/h/ip",
}
ALLAUTH_TRUSTED_PROXY_COUNT = env["TRUSTED_PROXY_COUNT"]  # so that rate limits count the client's IP address
SOCIALACCOUNT_ADAPTER = "partnerships.people.adapters.OrganisationSignInAdapter"
# Providers are set in Django admin (social applications). A GET must not start a sign-in.
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
MFA_ADAPTER = "partnerships.people.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_TOTP_TOLERANCE = 1  # A code may be 30 seconds old, because typing takes time (RFC 6238, section 5.2).
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = False
# For leads and administrators in production, but not in a demonstration.
SECOND_FACTOR_REQUIRED = env["SECOND_FACTOR_REQUIRED"]

EXPORTS_PER_MINUTE = env["EXPORTS_PER_MINUTE"]  # for a person or signed-out address: exports are costly
# Limits on the files of one person in an hour, the names to match in a minute, and the size of a request to match.
UPLOADS_PER_HOUR = env["UPLOADS_PER_HOUR"]
RECONCILIATION_NAMES_PER_MINUTE = env["RECONCILIATION_NAMES_PER_MINUTE"]
RECONCILIATION_SIZES = {
    "BATCH": env["RECONCILIATION_BATCH"],
    "BODIES": env["RECONCILIATION_BODIES"],
    "DATES": env["RECONCILIATION_DATES"],
    "CONDITIONS": env["RECONCILIATION_CONDITIONS"],
    "CHARACTERS": env["RECONCILIATION_CHARACTERS"],
}

# 60 minutes idle, and 12 hours in total, which partnerships/people/middleware.py enforces.
SESSION_COOKIE_AGE = int(timedelta(minutes=60).total_seconds())
SESSION_HARD_LIMIT = timedelta(hours=12)  # the longest session, however busy
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"

# --- Security headers ------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = env["SECURE_SSL_REDIRECT"]
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = HSTS_STEPS[env["HSTS_STEP"]]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = env["STATIC_ROOT"]
STATICFILES_DIRS = [BASE_DIR / "static" / "build"]
WHITENOISE_USE_FINDERS = DEBUG
# The documentation is served at /docs/ if tools/documentation.py has built it.
_documentation = BASE_DIR / "build" / "documentation" / "site"
WHITENOISE_ROOT = str(_documentation) if _documentation.is_dir() else None
WHITENOISE_INDEX_FILE = True
WHITENOISE_ADD_HEADERS_FUNCTION = guard_documentation
_storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
FILES_BUCKET = env["FILES_BUCKET"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": storage_of_files(env),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else _storage,
        # The account that serves the files may be another than the one that collected them.
        "OPTIONS": {"file_permissions_mode": 0o644},
    },
}
MEDIA_ROOT = env["MEDIA_ROOT"]
MEDIA_URL = "/not-served/"  # attachments are served only by views that check rights
FILE_UPLOAD_PERMISSIONS = 0o640  # of stored files: owner and group
MAINTENANCE_FILE = env["MAINTENANCE_FILE"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes of a request without its files
MAX_REQUEST_BYTES = 12 * 1024 * 1024  # the largest file that a form accepts has 10 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000  # fields of a request
DATA_UPLOAD_MAX_NUMBER_FILES = 10  # files of a request

# --- Backups ---------------------------------------------------------------------------------------------------------

BACKUP_ROOT = env["BACKUP_ROOT"]
BACKUP_RECIPIENTS = env["BACKUP_RECIPIENTS"]
BACKUP_KEEP_DAYS = env["BACKUP_KEEP_DAYS"]
DATABASE_DRILL_URL = env["DATABASE_DRILL_URL"]
POSTGRES_PROGRAMS = env["POSTGRES_PROGRAMS"]
# A restore must not overwrite the journal, and a backup must not contain the keys of open surveys.
NEVER_IN_A_BACKUP = {"JOURNAL_ROOT": Path(JOURNAL_ROOT), "SURVEY_KEYS_ROOT": Path(SURVEY_KEYS_ROOT)}

# --- Language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = False  # all pages are in English: 10 % less Python for a page
USE_TZ = True
FORMAT_MODULE_PATH = ["housing.formats"]

# --- Monitoring ------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env["METRICS_TOKEN"]  # the bearer token of /metrics, which does not exist without it
SENTRY_DSN = env["SENTRY_DSN"]  # of Sentry or GlitchTip; without it, errors are only emailed to OPERATORS
LOG_LEVEL = env["LOG_LEVEL"]
LOGGING = logging_settings(level=LOG_LEVEL, layout=env["LOG_FORMAT"], stream=env["LOG_STREAM"])
configure_structlog()
