"""Django's settings, all in one file. Values come from the environment; without DEBUG a missing secret is an error."""

from __future__ import annotations

import os
from datetime import timedelta
from email.utils import parseaddr
from typing import Any

import django_stubs_ext
import environ
import pghistory
from django.core.exceptions import ImproperlyConfigured

from housing import environment
from housing.content_policy import CONTENT_SECURITY_POLICY  # noqa: F401 - a setting of django-csp
from housing.database_roles import connection_settings
from housing.logs import configure_structlog, logging_settings
from housing.rooms import ROOMS

# Allows `ModelAdmin[Plan]` and similar annotations.
django_stubs_ext.monkeypatch()

env = environ.Env()
environment.load(os.environ)

BASE_DIR = environment.BASE_DIR
VAR_DIR = environment.VAR_DIR

# --- Instance --------------------------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = os.environ.get("SECRET_KEY") or ("only-for-debugging" if DEBUG else "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Start with `make run`, which makes one for this copy, or set it (see .env.example)."
    )
SECRET_KEY_FALLBACKS = environment.secret_keys("SECRET_KEY_FALLBACKS")
# The first encrypts the secrets of second factors; all decrypt. Default: SECRET_KEY and SECRET_KEY_FALLBACKS.
SECOND_FACTOR_KEYS = environment.secret_keys("SECOND_FACTOR_KEYS")
# The first hashes erased addresses that refused digests; all are compared. The same default.
ADDRESS_HASH_KEYS = environment.secret_keys("ADDRESS_HASH_KEYS")
if not DEBUG:
    environment.require_strong_keys(
        {
            "SECRET_KEY": [SECRET_KEY],
            "SECRET_KEY_FALLBACKS": SECRET_KEY_FALLBACKS,
            "SECOND_FACTOR_KEYS": SECOND_FACTOR_KEYS,
            "ADDRESS_HASH_KEYS": ADDRESS_HASH_KEYS,
        }
    )

# Links in emails are built from this origin, never from a request's Host header.
SITE_ORIGIN = env.str("SITE_ORIGIN", default="http://localhost:8000").rstrip("/")
SITE_NAME = "Common Ground"
_origin = environment.parse_origin(SITE_ORIGIN)
HTTPS = _origin.scheme == "https"
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[_origin.hostname] if HTTPS else [_origin.hostname, "localhost", "127.0.0.1", "[::1]"]
)
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=HTTPS)

DEMONSTRATION = env.bool("DEMONSTRATION", default=DEBUG)  # accounts with published passwords: never in production

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
    "partnerships.organisations.holdings.HoldingsMiddleware",
    "housing.middleware.AnsweringMiddleware",
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
                "partnerships.web.context.emails_said",
                "partnerships.digests.context.inbox",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "common_ground"
CRISPY_TEMPLATE_PACK = "common_ground"
CRISPY_FAIL_SILENTLY = not DEBUG

# --- Database --------------------------------------------------------------------------------------------------------
# Web and workers connect as roles of their own with time limits. Migrations and tests run as the owner of the tables.

DATABASE_ROLE = env.str("DATABASE_ROLE", default="web")
AS_OWNER = DATABASE_ROLE == "owner"
_database_url = env.str("DATABASE_URL", default="postgres://common_ground@localhost/common_ground")
_worker_url = env.str("DATABASE_WORKER_URL", default="") or _database_url
_owner_url = env.str("DATABASE_OWNER_URL", default="")
# Seconds. How many connections there are: docs/deploy.md, "Connections to the database".
_max_age = env.int("CONN_MAX_AGE", default=60)
ROLE_DATABASES = {
    role: connection_settings(url, max_age=_max_age)
    for role, url in (("web", _database_url), ("worker", _worker_url), ("owner", _owner_url or _database_url))
}
DATABASES = {"default": ROLE_DATABASES.get(DATABASE_ROLE, ROLE_DATABASES["web"]).copy()}
# The owner grants rights to this role after each migration; empty if one role does both.
APPLICATION_DATABASE_ROLE = ROLE_DATABASES["web"]["USER"] if _owner_url else ""

# Rate limits are counted here, so that flushing the broker does not reset them.
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
# housing/history.py installs our own, which never updates a context.
PGHISTORY_INSTALL_CONTEXT_FUNC_ON_MIGRATE = False

# --- Celery: the database, not the broker, is the source of truth ----------------------------------------------------

CELERY_BROKER_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
WORKER_CONCURRENCY = env.int("WORKER_CONCURRENCY", default=2)

# --- Mail ------------------------------------------------------------------------------------------------------------

MAIL_PAGE = env.str("MAIL_PAGE", default="")  # of the mail catcher that `make run` starts
_email = env.email_url_config(env.str("EMAIL_URL", default="smtp://localhost:2525"))
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default=_email["EMAIL_BACKEND"])
EMAIL_HOST = _email.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _email.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _email.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _email.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(_email.get("EMAIL_USE_TLS", False))
EMAIL_USE_SSL = bool(_email.get("EMAIL_USE_SSL", False))
EMAIL_FILE_PATH = _email.get("EMAIL_FILE_PATH") or None
# Seconds for each SMTP command; after DATA, as long as RFC 5321 (4.5.3.2.6) says: giving up early would send it twice.
EMAIL_TIMEOUT = env.int("EMAIL_TIMEOUT", default=10)
EMAIL_DATA_TIMEOUT = env.float("EMAIL_DATA_TIMEOUT", default=600)
# The mail server's certificate is checked against the system's authorities or those in EMAIL_CA_FILE.
EMAIL_TLS_VERIFY = env.bool("EMAIL_TLS_VERIFY", default=True)
EMAIL_CA_FILE = env.str("EMAIL_CA_FILE", default="")
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Common Ground <digests@ground.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "  # only alerts to operators have it
ADMINS = [("Operators", address) for address in env.list("OPERATORS", default=[])]

# Shown in the privacy notice and the accessibility statement.
OPERATED_BY = env.str("OPERATED_BY", default="the network's administrators")
PRIVACY_CONTACT = env.str("PRIVACY_CONTACT", default="your network administrator")
ACCESSIBILITY_CONTACT = env.str("ACCESSIBILITY_CONTACT", default="your network administrator")

# --- Journal ---------------------------------------------------------------------------------------------------------

# What a restored backup must not undo, recorded outside the database; on a separate disk if possible.
JOURNAL_ROOT = env.path("JOURNAL_ROOT", default=str(VAR_DIR / "journal"))()
SURVEY_KEYS_ROOT = env.path("SURVEY_KEYS_ROOT", default=str(VAR_DIR / "survey-keys"))()  # in no backup
# Hashes the addresses in the journal; without it nobody can be identified.
JOURNAL_KEY = env.str("JOURNAL_KEY", default="") or SECRET_KEY

# --- Digests and conversations ---------------------------------------------------------------------------------------

# People who chose nothing get an email for every step instead of one summary a day.
NOTICES_AT_ONCE = env.bool("NOTICES_AT_ONCE", default=False)
# How long after the last version "at once" digests wait, so that several versions become one email.
DIGEST_SETTLE_MINUTES = env.float("DIGEST_SETTLE_MINUTES", default=10)
# The person who reads replies to digests (empty: we do), and the mailboxes for bounces and replies (deploy.md).
DIGEST_REPLY_TO = env.str("DIGEST_REPLY_TO", default="")
EMAIL_MAILBOX = env.str("EMAIL_MAILBOX", default="") or parseaddr(DEFAULT_FROM_EMAIL)[1]
EMAIL_MAILBOX_PATH = env.str("EMAIL_MAILBOX_PATH", default="")
EMAIL_REPLIES = env.str("EMAIL_REPLIES", default="") or EMAIL_MAILBOX
environment.require_mailbox(EMAIL_MAILBOX)
# Limits in total and for a recipient's domain (0: no limit), so that a mistake cannot flood a council.
EMAIL_PER_MINUTE = env.int("EMAIL_PER_MINUTE", default=0)
EMAIL_PER_DOMAIN_PER_MINUTE = env.int("EMAIL_PER_DOMAIN_PER_MINUTE", default=0)
EMAIL_PER_DOMAIN_PER_HOUR = env.int("EMAIL_PER_DOMAIN_PER_HOUR", default=20_000)
# How long a claim lasts, and the delay of the first retry (doubles up to an hour).
EMAIL_LEASE_SECONDS = env.int("EMAIL_LEASE_SECONDS", default=60)
EMAIL_RETRY_SECONDS = env.float("EMAIL_RETRY_SECONDS", default=10)
environment.require_consistent_timeouts(timeout=EMAIL_TIMEOUT, data=EMAIL_DATA_TIMEOUT, lease=EMAIL_LEASE_SECONDS)
# After restoring a backup: send only account emails until this is unset (docs/outbox.md).
EMAILS_HELD = env.bool("EMAILS_HELD", default=False)
# Protects the address for the mail provider's reports of bounces; empty: the address does not exist.
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")
# JSON. The names of a provider's keys are in anymail's documentation.
_TIMEOUTS = (EMAIL_TIMEOUT, EMAIL_DATA_TIMEOUT)
ANYMAIL = {"WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET, "REQUESTS_TIMEOUT": _TIMEOUTS, **env.json("ANYMAIL", default={})}
# Days without a conversation after which a partnership counts as quiet, unless its leads choose a number.
NO_CONTACT_DAYS = env.int("NO_CONTACT_DAYS", default=60)

# --- Signing in ------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["partnerships.people.backends.AddressBackend"]
LOGIN_URL = "account_login"
# auth.W004: addresses are unique by a constraint on lower(email). security.W021: HSTS preload is the operator's choice.
SILENCED_SYSTEM_CHECKS = ["auth.W004", "security.W021"]
LOGIN_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "partnerships.people.passwords.BreachedPasswordValidator"},
]
# Asked whether a password is known from a breach, by the first five digits of its hash; empty: not asked.
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
# Behind proxies, so that rate limits count the client's IP address and not the proxy's.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1 if BEHIND_TLS_PROXY else 0)
SOCIALACCOUNT_ADAPTER = "partnerships.people.adapters.OrganisationSignInAdapter"
# Providers are set in Django admin (social applications). A GET must not start a sign-in.
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_STORE_TOKENS = False
MFA_ADAPTER = "partnerships.people.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS
USERSESSIONS_TRACK_ACTIVITY = False
# For leads and administrators in production; not in a demonstration.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=HTTPS)

EXPORTS_PER_MINUTE = env.int("EXPORTS_PER_MINUTE", default=10)  # for a person or signed-out address: exports are costly
# Files that one person may upload an hour, names that one may have matched a minute, and the size of such a request.
UPLOADS_PER_HOUR = env.int("UPLOADS_PER_HOUR", default=60)
RECONCILIATION_NAMES_PER_MINUTE = env.int("RECONCILIATION_NAMES_PER_MINUTE", default=6_000)
_sizes = {"BATCH": 50, "BODIES": 200, "DATES": 10, "CONDITIONS": 20, "CHARACTERS": 1_000}
RECONCILIATION_SIZES = {name: env.int(f"RECONCILIATION_{name}", default=size) for name, size in _sizes.items()}

# 60 minutes idle; 12 hours in total, enforced in partnerships/people/middleware.py.
SESSION_COOKIE_AGE = int(timedelta(minutes=60).total_seconds())
SESSION_HARD_LIMIT = timedelta(hours=12)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"

# --- Security headers ------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=HTTPS)
SECURE_REDIRECT_EXEMPT = [r"^health/"]
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = int(timedelta(days=365).total_seconds()) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
# Opt-in, because browsers keep a preloaded domain for months.
SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=False)
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Files -----------------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static" / "build"]
WHITENOISE_USE_FINDERS = DEBUG
_storage = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else _storage},
}
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))()
MEDIA_URL = "/not-served/"  # attachments are served only by views that check rights
FILE_UPLOAD_PERMISSIONS = 0o640
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
MAX_REQUEST_BYTES = 12 * 1024 * 1024  # the largest file that a form accepts has 10 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# --- Language and time -----------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["housing.formats"]

# --- Monitoring ------------------------------------------------------------------------------------------------------

METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # the bearer token of /metrics; empty: the page does not exist
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = logging_settings(level=LOG_LEVEL, debug=DEBUG)
configure_structlog()
