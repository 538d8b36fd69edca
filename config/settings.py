"""Settings: everything that differs between installations comes from the environment; importing this starts nothing."""

from pathlib import Path

import environ
from django.utils.translation import gettext_lazy as _

from config import embedded, logs, storage

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(environ.Env().str("JEONGSAN_VAR", default=str(BASE_DIR / "var")))

env = environ.Env()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or embedded.local_secret(VAR_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "accounts",
    "licensing",
    "royalties",
    "config",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.requests.RequestIdMiddleware",
    "config.requests.SecurityHeadersMiddleware",
    "config.api.middleware.ApiProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.actors.ActorMiddleware",
    "config.requests.UploadLimitMiddleware",
    "config.requests.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.portal",
            ],
        },
    },
]

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

# Sign-in: by e-mail and password, with a second factor for those who set one up. Accounts come by invitation.
LOCAL_SITE = "http://127.0.0.1:8000"  # where `serve` is without more said
SITE_URL = env.str("SITE_URL", default=LOCAL_SITE)
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.identity.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"  # an invitation has gone to the address already
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "20/m/ip,5/5m/key"}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
MFA_ADAPTER = "accounts.identity.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Jeongsan"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 24 * 3600

# What an approval is about, in words, and the page of an object that an approval or an event names.
APPROVAL_KINDS = {
    "run": _("Distribution run"),
    "run_reversal": _("Reversal of a distribution run"),
    "rule": _("Distribution rule"),
    "case_settlement": _("Settlement of a case"),
    "write_off": _("Write-off"),
    "refund": _("Refund"),
    "scheme_switch": _("Switch of a statutory scheme"),
    "dispute_decision": _("Decision about conflicting shares"),
    "clock_terms": _("Terms for money that waits"),
    "resolution": _("Money declared non-distributable"),
    "period_close": _("Close of a period"),
    "payee_details": _("Payment details"),
    "payee_import": _("Payment details from a file"),
    "payee_terms": _("Waiting time of payment details"),
    "payout_batch": _("Payout"),
    "tax_paper": _("Tax certificate"),
    "entitlement": _("Right of somebody else"),
    "entitlement_end": _("End of a right of somebody else"),
    "advance": _("Advance"),
    "advance_write_off": _("Write-off of an advance"),
    "sister_agreement": _("Agreement with a sister society"),
    "sister_agreement_end": _("End of an agreement with a sister society"),
}
OBJECT_ROUTES = {
    "case": "licensing:case",
    "webhook": "accounts:webhook",
    "declaration": "licensing:declaration",
    "licence": "licensing:licence",
    "invoice": "royalties:invoice",
    "bank_account": "royalties:bank_account",
    "bank_entry": "royalties:bank_entry",
    "write_off": "royalties:write_off",
    "refund": "royalties:refund",
    "run": "royalties:run",
    "rule": "royalties:rule",
    "statement": "royalties:statement",
    "payout_batch": "royalties:payout",
    "reservation": "licensing:reservation",
    "bulk_check": "licensing:bulk_check",
    "application": "licensing:application",
    "registration": "licensing:registration",
    "mandate": "royalties:mandate",
    "payee": "royalties:payee",
    "payee_details": "royalties:payee_details",
    "payee_import": "royalties:payee_import",
    "payee_terms": "royalties:payee_terms",
    "tax_paper": "royalties:tax_paper",
    "tax_rule": "royalties:tax_rule",
    "entitlement": "royalties:entitlement",
    "advance": "royalties:advance",
    "sister_agreement": "royalties:sister_agreement",
    "sister_statement": "royalties:sister_statement",
    "period_close": "royalties:close",
    "transparency_report": "royalties:report",
    "statutory_scheme": "licensing:scheme",
    "dispute": "licensing:dispute",
    "clock_terms": "royalties:clock_terms",
    "resolution": "royalties:resolution",
}

# For how many days anyone may comment on a proposed tariff, at least.
CONSULTATION_DAYS_LEAST = env.int("CONSULTATION_DAYS_LEAST", default=14)

# What an organisation's programs can be told of by webhook.
WEBHOOK_KINDS = {
    "reservation.effective": _("a reservation took effect"),
    "reservation.withdrawn": _("a reservation was withdrawn"),
    "case.opened": _("a compliance case was opened"),
    "case.changed": _("a compliance case changed"),
    "declaration.processed": _("a declaration was processed"),
    "check.finished": _("a check of a file was finished"),
    "licence.quoted": _("a request for a licence was quoted"),
    "licence.offered": _("a licence was offered, to be signed"),
    "licence.signed": _("a licence was signed by both sides"),
    "licence.suspended": _("a licence was suspended"),
    "licence.ended": _("a licence ended"),
    "payout.sent": _("a payout was sent to the bank"),
    "payment.returned": _("payments came back from the bank"),
}

# Signing keys: an Ed25519 key (PEM, or its 32 bytes in Base64; without it one is made in `var/`), and the public ones
# that signed before. Outside addresses that may be private (host:port), for tests and development only.
SIGNING_KEY = env.str("SIGNING_KEY", default="")
SIGNING_KEYS_RETIRED = env.list("SIGNING_KEYS_RETIRED", default=[])
OUTBOUND_ALLOW = env.list("OUTBOUND_ALLOW", default=[])
# Where a host of a site truly is, likewise for tests and development: {"example.com": "http://127.0.0.1:8123"}.
SITE_ORIGINS = env.dict("SITE_ORIGINS", default={})
# The keys under which payees' accounts are sealed (32 bytes in Base64 each): the first seals, all of them open. Without them
# one is made in `var/`.
PAYEE_KEYS = env.list("PAYEE_KEYS", default=[])

# Security. `HTTPS=1` where the site is served over TLS; without it everything works on a plain loopback address.
HTTPS = env.bool("HTTPS", default=False)
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=365 * 24 * 3600 if HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.int("TRUSTED_PROXY_COUNT", default=0) else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# Bodies in memory: a permission check of 10,000 titles fits. Files go to disk and have limits of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024**2

# E-mail: EMAIL_URL=smtp://user:password@host:587?tls=True; without it messages are kept as files, so that none is lost.
if env.str("EMAIL_URL", default=""):
    globals().update(env.email_url("EMAIL_URL"))
else:
    EMAIL_BACKEND = "config.mail.PrivateFiles"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Jeongsan <jeongsan@localhost>")
EMAIL_TIMEOUT = 20

# The API: what is not granted is refused, every error is a problem, lists have cursors.
API_RATE = env.int("API_RATE", default=600)  # requests a minute, for a token or person
API_RATE_ANONYMOUS = env.int("API_RATE_ANONYMOUS", default=120)  # for an address
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.access.api.permissions.RequiredPermission"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.access.api.throttling.CallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "accounts.access.api.pagination.CursorPages",
    "DEFAULT_SCHEMA_CLASS": "config.api.schema.ApiSchema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "accounts.access.api.problems.exception_handler",
    "NUM_PROXIES": env.int("TRUSTED_PROXY_COUNT", default=0),
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Jeongsan",
    "DESCRIPTION": "Collective licences, declarations of use and royalties. Amounts are integers in minor units with their currency; "
    "all ends of periods are exclusive. Errors are RFC 9457 problems, lists have cursors, and every POST takes an Idempotency-Key.",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {  # each model's status by its own name in the description
        "WebhookDeliveryStatus": "accounts.notices.models.WebhookDelivery.Status",
        "TariffVersionStatus": "licensing.tariffs.models.TariffVersion.Status",
        "LicenceStatus": "licensing.licences.models.Licence.Status",
        "LicenceRequestStatus": "licensing.licences.models.LicenceRequest.Status",
        "OfferStatus": "licensing.licences.models.Offer.Status",
        "KindOfWork": "licensing.terms.KINDS",
        "ReservationStatus": "licensing.permissions.models.Reservation.Status",
        "BulkCheckStatus": "licensing.permissions.models.BulkCheck.Status",
        "CaseStatus": "licensing.compliance.models.Case.Status",
        "DeclarationStatus": "licensing.declarations.models.Declaration.Status",
        "InvoiceKind": "royalties.billing.models.Invoice.Kind",
        "InvoiceStatus": "royalties.billing.models.STATUSES",
        "RunPoolKind": "royalties.distribution.models.RunPool.Kind",
        "RunStatus": "royalties.distribution.models.Run.Status",
        "AllocationStatus": "royalties.distribution.models.Allocation.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.schema.describe_common_parts",
    ],
}

# Logs go to standard error, one event a line: JSON in service, readable while developing.
LOGGING = logs.configuration(json=not DEBUG, level=env.str("LOG_LEVEL", default="INFO"))

# Database and broker: outside servers where the environment names them, embedded real ones otherwise.
DATABASES = {"default": embedded.database(env, VAR_DIR)}
REDIS_URL = embedded.redis_url(env, VAR_DIR)
CACHES = {"default": {"BACKEND": "config.cache.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "cache"}}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
TIME_ZONE = "Asia/Seoul"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True  # straight from the apps: no collectstatic before the first start

# Files as received: content-addressed, never served directly; in this folder, or where OBJECT_STORAGE says. Of what lies
# elsewhere this machine keeps copies of so many bytes.
OBJECT_ROOT = VAR_DIR / "objects"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "objects": storage.objects(env, OBJECT_ROOT),
}
OBJECT_CACHE = VAR_DIR / "copies"
OBJECT_CACHE_BYTES = env.int("OBJECT_CACHE_BYTES", default=20 * 1024**3)
# What an upload may cost, at most (bytes as sent, bytes unpacked, rows).
UPLOAD_MAX_BYTES = env.int("UPLOAD_MAX_BYTES", default=4 * 1024**3)
UPLOAD_MAX_UNPACKED_BYTES = env.int("UPLOAD_MAX_UNPACKED_BYTES", default=64 * 1024**3)
UPLOAD_MAX_RATIO = env.int("UPLOAD_MAX_RATIO", default=200)
# Usage reports (DDEX DSR): their UseType → use, beside what is known; and the unit of one usage, else the declaration's own.
DSR_USES: dict[str, str] = env.json("DSR_USES", default={})
DSR_UNIT = env.str("DSR_UNIT", default="")
# The society's number in the header of acknowledgements of CWR files, as CISAC gives it.
CWR_SENDER_ID = env.str("CWR_SENDER_ID", default="000000000")
UPLOAD_MAX_ROWS = env.int("UPLOAD_MAX_ROWS", default=1_000_000_000)
# An upload in parts: the largest part, and how long one may rest before it is forgotten.
UPLOAD_PART_BYTES = env.int("UPLOAD_PART_BYTES", default=8 * 1024**2)  # that our own page sends
UPLOAD_MAX_PART_BYTES = env.int("UPLOAD_MAX_PART_BYTES", default=128 * 1024**2)
UPLOAD_EXPIRY_HOURS = env.int("UPLOAD_EXPIRY_HOURS", default=7 * 24)
# What one licence may send, where the society allowed it nothing else: bytes kept for its declarations, rows of one of them.
DECLARATION_MOST_BYTES = env.int("DECLARATION_MOST_BYTES", default=1024**4)
DECLARATION_MOST_ROWS = env.int("DECLARATION_MOST_ROWS", default=10_000_000_000)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
# The document by which an applicant shows who they are: its size, and for how many days after the decision it is kept.
IDENTITY_MAX_BYTES = env.int("IDENTITY_MAX_BYTES", default=10 * 1024**2)
IDENTITY_KEPT_DAYS = env.int("IDENTITY_KEPT_DAYS", default=30)
# The engine: threads, memory, and where it may spill.
SCRATCH_ROOT = VAR_DIR / "scratch"
# Titles of one declaration that the matcher looks at by itself, the most used first; the rest waits for people in the queue.
MATCH_MOST_TITLES = env.int("MATCH_MOST_TITLES", default=2000)
ENGINE_THREADS = env.int("ENGINE_THREADS", default=2)
ENGINE_MEMORY = env.str("ENGINE_MEMORY", default="1500MB")
IMPORT_MEMORY = env.str("IMPORT_MEMORY", default="256MB")  # of that, for files in formats of the field
# Which engine settles declarations and computes runs, where a society has no choice of its own: duckdb or spark.
ENGINE = env.str("ENGINE", default="duckdb")
# Apache Spark: the cluster, the folder that its workers and this machine see, and settings `spark.…=value` with `;` between.
SPARK_MASTER = env.str("SPARK_MASTER", default="local[2]")
SPARK_SHARED = env.str("SPARK_SHARED", default="")
SPARK_CONF = env.str("SPARK_CONF", default="")
