"""The one settings file: every value from the environment, with a default fit for development.

Its one rule: ``skypemgr.checks`` refuses what must not run in production.
"""

from pathlib import Path
from typing import Any

import structlog
from csp.constants import SELF
from django.utils.translation import gettext_lazy as _

from skypemgr.lib import env
from skypemgr.schedule import BEAT_SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", str(BASE_DIR / "var")))

PRODUCTION = env.boolean("PRODUCTION")
DEBUG = env.boolean("DEBUG")
SECRET_KEY = env.text("SECRET_KEY", "development-only-not-a-secret")
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver")
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
METRICS_TOKEN = env.text("METRICS_TOKEN")
SITE_URL = env.text("SITE_URL", f"http://localhost:{env.integer('PORT', 8000)}")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "template_partials",
    "phonenumber_field",
    "django_prometheus",
    "django_structlog",
    "skypemgr.lib",
    "members",
    "credit",
    "billing",
    "skypemgr.portal",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "members.middleware.CurrentMemberMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "skypemgr.urls"
WSGI_APPLICATION = "skypemgr.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Conditions of the ledger are written in SQL. They are the database's own: no form writes there.
SILENCED_SYSTEM_CHECKS = ["models.W045"]
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "skypemgr.portal.shell.shell",
            ],
        },
    },
]

# --- data ---------------------------------------------------------------------------------------

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.database(
            env.text("DATABASE_URL", "postgres://skypemgr:skypemgr@127.0.0.1:5432/skypemgr")
        ),
        "CONN_MAX_AGE": env.seconds("DATABASE_CONNECTION_SECONDS", 60),
        "CONN_HEALTH_CHECKS": True,
    }
}
# The statements of a posting are planned once for each connection, for any number of moves.
PREPARED_STATEMENTS = env.boolean("PREPARED_STATEMENTS", True)
if PREPARED_STATEMENTS:
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
        "options", "-c plan_cache_mode=force_generic_plan"
    )
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
    }
}
MEDIA_ROOT = VAR_DIR / "files"
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_BYTES", 20 * 1024 * 1024)
MAX_IMPORT_ROWS = env.integer("MAX_IMPORT_ROWS", 200_000)
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024

# --- languages ----------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False
PHONENUMBER_DB_FORMAT = "E164"

# --- signing in ---------------------------------------------------------------------------------

AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "account_login"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_AGE = env.seconds("SESSION_SECONDS", 14 * 24 * 3600)
SECURE_HSTS_SECONDS = env.seconds("HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_SSL_REDIRECT = env.boolean("SSL_REDIRECT", PRODUCTION)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

ACCOUNT_ADAPTER = "members.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email", "phone", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "phone", "username", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PHONE_VERIFICATION_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_USERNAME_VALIDATORS = "members.account_forms.username_validators"
ACCOUNT_FORMS = {
    "login": "members.account_forms.SignInForm",
    "signup": "members.account_forms.SignUpForm",
    "reset_password": "members.account_forms.ForgottenPasswordForm",
    "reset_password_from_key": "members.account_forms.NewPasswordForm",
}
ACCOUNT_PHONE_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_PASSWORD_RESET_BY_CODE_CODE_FORMAT = ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
# The page offers to send the link again after as long; the rest is allauth's own.
ACCOUNT_RATE_LIMITS = {"confirm_email": "1/60s/key"}

# --- mail and text messages ---------------------------------------------------------------------

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "skypemgr.lib.outbox.EmailBackend")
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.integer("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.boolean("EMAIL_USE_TLS")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Skype Manager <no-reply@localhost>")
SMS_SENDER = env.text("SMS_SENDER", "outbox")
SMS_HTTP_URL = env.text("SMS_HTTP_URL")
SMS_HTTP_TOKEN = env.text("SMS_HTTP_TOKEN")
SMS_FROM = env.text("SMS_FROM", "SkypeMgr")
OUTBOX_DIR = VAR_DIR / "outbox"
OUTBOX_ENABLED = env.boolean("OUTBOX", not PRODUCTION)

# --- money --------------------------------------------------------------------------------------

GATEWAYS = env.items("GATEWAYS", "" if PRODUCTION else "sandbox,transfer")
# Who is mailed when something about payments needs a person.
OPERATOR_EMAILS = env.items("OPERATOR_EMAILS", "" if PRODUCTION else "operator@localhost")
# The events that gateways send are a few kilobytes each.
MAX_EVENT_BYTES = env.integer("MAX_EVENT_BYTES", 512 * 1024)
# Several webhook secrets, parted by commas, hold while one replaces another. Without an address
# the SDK's own is asked.
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = env.items("STRIPE_WEBHOOK_SECRET")
STRIPE_API_BASE = env.text("STRIPE_API_BASE").rstrip("/")
STRIPE_TIMEOUT_SECONDS = env.seconds("STRIPE_TIMEOUT", 10)
# Where a form may lead to: with another address of the API, the pages are there as well.
STRIPE_PAGES = (
    [STRIPE_API_BASE]
    if STRIPE_API_BASE
    else [f"https://{name}.stripe.com" for name in ("checkout", "hooks", "pm-redirects")]
)
PAYMENT_FORM_ACTIONS = env.items(
    "PAYMENT_FORM_ACTIONS", STRIPE_PAGES if "stripe" in GATEWAYS else []
)
# Who sells, as invoices and receipts say it. Lines of the address are parted by |.
SELLER_NAME = env.text("SELLER_NAME", "Skype Manager")
SELLER_ADDRESS = [line.strip() for line in env.text("SELLER_ADDRESS").split("|") if line.strip()]
SELLER_COUNTRY = env.text("SELLER_COUNTRY", "FR").upper()
SELLER_SIREN = env.text("SELLER_SIREN")
SELLER_VAT_NUMBER = env.text("SELLER_VAT_NUMBER")
# Who says whether a foreign VAT number is valid: the operator, or the EU's VIES as well.
VAT_CHECKER = env.text("VAT_CHECKER", "operator")
VIES_URL = env.text("VIES_URL", "https://ec.europa.eu/taxation_customs/vies/rest-api")
# The account to which bank transfers are paid; the example is nobody's.
BANK_HOLDER = env.text("BANK_HOLDER", "" if PRODUCTION else "Skype Manager (example)")
BANK_IBAN = env.text("BANK_IBAN", "" if PRODUCTION else "FR7630006000011234567890189")
BANK_BIC = env.text("BANK_BIC", "" if PRODUCTION else "EXAMFRPPXXX")
BANK_NAME = env.text("BANK_NAME", "" if PRODUCTION else "Example Bank")
BANK_CURRENCY = env.text("BANK_CURRENCY", "EUR")
# Days to pay in, and days after them in which a late statement is still waited for.
TRANSFER_DAYS = env.integer("TRANSFER_DAYS", 30)
TRANSFER_GRACE_DAYS = env.integer("TRANSFER_GRACE_DAYS", 5)
# What must have arrived, in percent of the total, for the operator to take it as full.
TRANSFER_LEAST_PERCENT = env.integer("TRANSFER_LEAST_PERCENT", 90)

# --- pages --------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(VAR_DIR / "static")))
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "form-action": [SELF, *PAYMENT_FORM_ACTIONS],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["members.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["members.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["skypemgr.lib.rest.ExactJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "skypemgr.lib.rest.AlwaysJSON",
    "DEFAULT_PAGINATION_CLASS": "skypemgr.lib.paging.CursorPagination",
    "PAGE_SIZE": 50,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["members.api.throttling.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": env.text("API_RATE", "1200/min")},
    "EXCEPTION_HANDLER": "skypemgr.lib.rest.problem",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Skype Manager",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "PREPROCESSING_HOOKS": ["members.api.schema.without_slash"],
    "ENUM_NAME_OVERRIDES": {
        "CallStatus": "credit.api.calls.STATUSES",
        "CompanyState": "members.models.Company.State",
        "MemberStatus": "members.models.Member.Status",
        "ExportKind": "skypemgr.portal.models.Export.Kind",
        "FeatureKind": "billing.models.FeatureKind",
        "FeatureStatus": "billing.models.Subscription.Status",
        "Language": "billing.models.PhoneSettings.Language",
        "MovementKind": "credit.models.Transfer.Kind",
        "PurchaseStatus": "billing.models.Purchase.Status",
        "InvitationWay": "members.models.Invitation.Way",
        "PaymentWay": "billing.gateways.base.Way",
        "VatNumberState": "billing.models.BillingProfile.VatState",
        "VatReason": "billing.vat.VatReason",
        "RechargeState": "credit.api.recharge.STATES",
        "AutoPurchaseState": "billing.api.auto_purchase.STATES",
    },
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- jobs ---------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "visibility_timeout": 900,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = env.integer("WORKER_CONCURRENCY", 2)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

# --- logs ---------------------------------------------------------------------------------------

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "WARNING")},
}
