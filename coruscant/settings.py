"""Settings of the service, all from the environment; docs/operations.md describes each one."""

import re
from typing import Any

from celery.schedules import crontab
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.functional import lazy

from coruscant import aws, environment, logging, startup
from coruscant.api_settings import *  # noqa: F403
from coruscant.celery_settings import *  # noqa: F403
from coruscant.deploy import secrets
from coruscant.environment import BASE_DIR
from coruscant.page_settings import *  # noqa: F403
from coruscant.security_settings import *  # noqa: F403
from pricing.markets import Market

env = environment.of_the_service()

# Which process this is, if it needs fewer secrets than all; it reads no others.
PROCESS = env.one_of("PROCESS", secrets.ANY, (secrets.ANY, *secrets.FEWER))
env.withhold(secrets.withheld_from(PROCESS))

# --- Django ---------------------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", default=False)
DEMO = env.flag("DEMO", default=False)  # accepts what is only for trying out (coruscant/startup.py)
SECRET_KEY = env.text("SECRET_KEY")
if not DEBUG and 0 < len(SECRET_KEY) < 32:  # noqa: PLR2004
    env.refuse("SECRET_KEY", "must be at least 32 characters long unless DEBUG is true")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "coruscant.admin",  # before unfold, some of whose templates it replaces
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "simple_history",
    "django_structlog",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "coruscant.approvals",
    "coruscant.controls",
    "coruscant.deploy",
    "coruscant.history",
    "coruscant.restores",
    "coruscant.second_factor",
    "pricing",
    "loans",
    "liquidation",
    "desk",
]

MIDDLEWARE = [
    "coruscant.web.probes.ProbesMiddleware",
    "coruscant.web.addresses.AddressMiddleware",
    "coruscant.monitoring.http_requests.CountRequestsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "coruscant.web.policy.PolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "coruscant.web.request_log.BoundedRequestMiddleware",
    "coruscant.second_factor.middleware.SecondFactorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "coruscant.urls"
APPEND_SLASH = False  # every path is served with and without one; a redirect would lose a POST's body
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True  # the same pages with and without collectstatic

SECOND_FACTOR_GROUPS = env.words("SECOND_FACTOR_GROUPS", default=[])
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", default=False)  # TLS ends at the load balancer
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HSTS_INCLUDE_SUBDOMAINS = BEHIND_TLS_PROXY
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if BEHIND_TLS_PROXY else 0

# --- Stores ---------------------------------------------------------------------------------------------------

# A pool of transactions, such as PgBouncer's, stands between: what belongs to a session is lost between transactions.
DATABASE_POOLED = env.flag("DATABASE_POOLED", default=False)
# No transaction spans network I/O, so one that idles belongs to a process that is stuck or gone.
_TIME_OUTS = "-c idle_in_transaction_session_timeout=30000 -c lock_timeout=20000 -c timezone=UTC"
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.database("DATABASE_URL"),
        "DISABLE_SERVER_SIDE_CURSORS": DATABASE_POOLED,
        # Web threads and workers' threads keep a connection for a minute.
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "connect_timeout": 5,
            # Statements that come again are prepared: PostgreSQL parses and plans them once (decisions/0019).
            "server_side_binding": True,
            "prepare_threshold": None if DATABASE_POOLED else 3,
            **({} if DATABASE_POOLED else {"options": _TIME_OUTS}),
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # Keep-alives find a peer that falls silent while nothing is said; this, one that does not answer.
            "tcp_user_timeout": 25_000,
        },
    }
}

# `synchronous`: no commit is acknowledged before a standby has it, so a promoted standby has lost nothing.
DATABASE_FAILOVER = env.one_of("DATABASE_FAILOVER", "asynchronous", ("asynchronous", "synchronous"))

CACHES = {
    "default": {
        "BACKEND": "coruscant.redis_cache.SealedRedisCache",
        "LOCATION": env.url("CACHE_URL", schemes=("redis", "rediss", "unix")),
        "KEY_PREFIX": "coruscant-sealed",  # no release that unpickles reads these
        # A request asks a cache that hangs once, or twice where there is no price: less than a second in all.
        "OPTIONS": {"socket_connect_timeout": 0.25, "socket_timeout": 0.25},
    }
}

REDIS_PLAIN_REASON = env.text("REDIS_PLAIN_REASON", default="")

# Unset or empty = real AWS.
AWS_ENDPOINT_URL = env.url("AWS_ENDPOINT_URL") if env.text("AWS_ENDPOINT_URL", default="") else None
# For an emulator that forgets. AWS itself forgets nothing: without AWS_ENDPOINT_URL this changes nothing.
PROVISION_AGAIN = env.flag("PROVISION_AGAIN", default=False)
AWS_REGION = env.text("AWS_REGION", default="us-east-1")
# Unset = what the AWS library finds by itself, such as the machine's role.
AWS_ACCESS_KEY_ID = env.text("AWS_ACCESS_KEY_ID", default="")
AWS_SECRET_ACCESS_KEY = env.text("AWS_SECRET_ACCESS_KEY", default="")
if bool(AWS_ACCESS_KEY_ID) != bool(AWS_SECRET_ACCESS_KEY):
    env.refuse("AWS_ACCESS_KEY_ID", "and AWS_SECRET_ACCESS_KEY must be set together, or neither")

# Where loan events go; read by `provision_messaging`, which names it for all processes. Empty = there are none.
LOAN_EVENTS_TOPIC = env.text("LOAN_EVENTS_TOPIC", default="")
if LOAN_EVENTS_TOPIC and not re.fullmatch("[A-Za-z0-9_-]{1,256}", LOAN_EVENTS_TOPIC):
    env.refuse("LOAN_EVENTS_TOPIC", "must be up to 256 letters, digits, hyphens and underscores")
if LOAN_EVENTS_TOPIC == aws.LIQUIDATION_TOPIC:
    env.refuse("LOAN_EVENTS_TOPIC", "must be another topic than that of liquidation events")

# --- The business: defaults and meaning in docs/operations.md ---------------------------------------------------

ACTIVATION_LTV = env.number("ACTIVATION_LTV", "0.50", at_most=1)
WARNING_LTV = env.number("WARNING_LTV", "0.70", at_most=1)
WARNING_CLEAR_LTV = env.number("WARNING_CLEAR_LTV", "0.60", at_most=1)
LIQUIDATION_LTV = env.number("LIQUIDATION_LTV", "0.80", at_most=1)
if not ACTIVATION_LTV < LIQUIDATION_LTV:
    env.refuse("ACTIVATION_LTV", f"must be below LIQUIDATION_LTV ({LIQUIDATION_LTV})")
if not WARNING_CLEAR_LTV <= WARNING_LTV <= LIQUIDATION_LTV:
    env.refuse("WARNING_LTV", "must lie between WARNING_CLEAR_LTV and LIQUIDATION_LTV")
# Empty = no notices.
MARGIN_NOTICE_LTV = env.number("MARGIN_NOTICE_LTV", "") if env.text("MARGIN_NOTICE_LTV", default="") else None
if MARGIN_NOTICE_LTV and not WARNING_CLEAR_LTV <= MARGIN_NOTICE_LTV < WARNING_LTV:
    env.refuse("MARGIN_NOTICE_LTV", "must be below WARNING_LTV, and not below WARNING_CLEAR_LTV")

PRICE_MAX_AGE_SECONDS = env.whole("PRICE_MAX_AGE_SECONDS", 60)
FEED_MAX_LAG_SECONDS = env.whole("FEED_MAX_LAG_SECONDS", 120)
if FEED_MAX_LAG_SECONDS < PRICE_MAX_AGE_SECONDS:
    env.refuse("FEED_MAX_LAG_SECONDS", f"must not be below PRICE_MAX_AGE_SECONDS ({PRICE_MAX_AGE_SECONDS})")
PRICE_REFERENCE_QUANTITY = env.number("PRICE_REFERENCE_QUANTITY", "1", at_most=100)
MARKET_PRICE_BASIS: dict[str, Any] = {
    market: env.one_of(f"{market.name}_PRICE_BASIS", "unit", ("unit", "total")) for market in Market
}
SQS_VISIBILITY_SECONDS = env.whole("SQS_VISIBILITY_SECONDS", 30)
QUOTE_RETENTION_DAYS = env.whole("QUOTE_RETENTION_DAYS", 30)

INSTALLATION_NAMESPACE = env.uuid("INSTALLATION_NAMESPACE")  # of requestIds and eventIds; no other may have the same
MARKET_URLS = {market: env.url(f"{market.name}_URL") for market in Market}
MARKET_URLS_REASON = env.text("MARKET_URLS_REASON", default="")
MAX_ORDER_QUANTITY = env.number("MAX_ORDER_QUANTITY", "100")
ORDER_QUANTITY_STEP = env.number("ORDER_QUANTITY_STEP", "0.00000001", at_most=1)
if MAX_ORDER_QUANTITY < ORDER_QUANTITY_STEP:
    env.refuse("MAX_ORDER_QUANTITY", "must not be below ORDER_QUANTITY_STEP")
MARKET_TIMEOUT_SECONDS = env.number("MARKET_TIMEOUT_SECONDS", "10")
LEASE_SECONDS = env.whole("LEASE_SECONDS", 20)
RECOVERY_PERIOD_SECONDS = env.whole("RECOVERY_PERIOD_SECONDS", 5)
if MARKET_TIMEOUT_SECONDS >= LEASE_SECONDS:  # or two workers could sell at once
    env.refuse("MARKET_TIMEOUT_SECONDS", f"must be below LEASE_SECONDS ({LEASE_SECONDS})")
if LEASE_SECONDS + RECOVERY_PERIOD_SECONDS > 30:  # noqa: PLR2004
    env.refuse("LEASE_SECONDS", "plus RECOVERY_PERIOD_SECONDS must not exceed 30, the promise for a lost worker")
FILL_BAND = env.number("FILL_BAND", "3")
if FILL_BAND <= 1:
    env.refuse("FILL_BAND", f"must be above 1, not {FILL_BAND}")
REFUSALS_BEFORE_SWITCH = env.whole("REFUSALS_BEFORE_SWITCH", 2)
ORDER_SENDS_BEFORE_ATTENTION = env.whole("ORDER_SENDS_BEFORE_ATTENTION", 10)

STRESS_DEPTH_RECOVERY_SECONDS = env.whole("STRESS_DEPTH_RECOVERY_SECONDS", 10)

# --- Two people (docs/decisions/0024-two-people.md) --------------------------------------------------------------

FOUR_EYES = env.flag("FOUR_EYES", default=False)
FOUR_EYES_POSTING_UNITS = env.number("FOUR_EYES_POSTING_UNITS", "1000")
APPROVAL_EXPIRY_HOURS = env.whole("APPROVAL_EXPIRY_HOURS", 24)

# --- Health of the business, and invariants --------------------------------------------------------------------

HEALTH_PRICE_AGE_SECONDS = env.whole("HEALTH_PRICE_AGE_SECONDS", 60)
HEALTH_LIQUIDATION_SECONDS = env.whole("HEALTH_LIQUIDATION_SECONDS", 900)
HEALTH_OUTBOX_SECONDS = env.whole("HEALTH_OUTBOX_SECONDS", 60)
HEALTH_UNRESOLVED_ORDERS = env.whole("HEALTH_UNRESOLVED_ORDERS", 1)
HEALTH_BEAT_SECONDS = env.whole("HEALTH_BEAT_SECONDS", 30)
INVARIANTS_EVERY_MINUTES = env.whole("INVARIANTS_EVERY_MINUTES", 60)

# --- API ------------------------------------------------------------------------------------------------------

API_ALLOW_ANONYMOUS = env.flag("API_ALLOW_ANONYMOUS", default=False)
API_ALLOW_ANONYMOUS_REASON = env.text("API_ALLOW_ANONYMOUS_REASON", default="")
API_READS_PER_MINUTE = env.whole("API_READS_PER_MINUTE", 60_000)
API_WRITES_PER_MINUTE = env.whole("API_WRITES_PER_MINUTE", 60_000)

# --- Celery: a message says "look", the rows decide (docs/decisions/0002-database-as-truth.md) --------------------

CELERY_BROKER_URL = env.url("CELERY_BROKER_URL", schemes=("redis", "rediss"))
# A worker or beat touches it while its loop goes round, so that a probe needs no Python. Empty = there is none.
HEARTBEAT_FILE = env.text("HEARTBEAT_FILE", default="")
# Any number of beats may run: each tick is a question that may be asked twice. Ticks nobody took in time expire.
_EVERY_PERIOD: dict[str, Any] = {
    "schedule": float(RECOVERY_PERIOD_SECONDS),
    "options": {"expires": RECOVERY_PERIOD_SECONDS},
}
CELERY_BEAT_SCHEDULE = {
    f"poll {market.value}": {
        "task": "pricing.poll_prices",
        "schedule": 1.0,
        "kwargs": {"market": market.value},
        "options": {"expires": 3},
    }
    for market in Market
} | {
    "prune quotes": {
        "task": "pricing.prune_quotes",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 3600},
    },
    "evaluate loans": {"task": "liquidation.evaluate_loans", **_EVERY_PERIOD},
    "recover": {"task": "liquidation.recover", **_EVERY_PERIOD},
    "publish loan events": {"task": "liquidation.publish_loan_events", "schedule": 1.0, "options": {"expires": 3}},
    "expire approvals": {"task": "approvals.expire", "schedule": 60.0, "options": {"expires": 60}},
    "take a snapshot of the book": {"task": "desk.take_snapshot", "schedule": 30.0, "options": {"expires": 30}},
    "replay what waits": {"task": "desk.replay", "schedule": 60.0, "options": {"expires": 60}},
    "thin out snapshots": {"task": "desk.thin_snapshots", "schedule": 600.0, "options": {"expires": 600}},
    "check invariants": {"task": "liquidation.check_invariants", "schedule": 60.0, "options": {"expires": 60}},
    "price at risk": {"task": "desk.compute_price_at_risk", "schedule": 300.0, "options": {"expires": 300}},
}

# --- Logs and admin ---------------------------------------------------------------------------------------------

LOGGING = logging.configuration(env)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # bounded in coruscant/web/request_log.py
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # it believes any X-Forwarded-For; coruscant/web/addresses.py logs `ip`

_static = lazy(static, str)
UNFOLD = {
    "SITE_TITLE": "Coruscant Bank",
    "SITE_HEADER": "Coruscant Bank",
    "SITE_SUBHEADER": "Loans and liquidations",
    "SITE_URL": reverse_lazy("admin:index"),
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "desk.overview.page.dashboard",
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("second_factor:enrol")}]},
    "SIDEBAR": {"navigation": "desk.navigation.sidebar", "show_search": True, "command_search": True},
    "STYLES": [_static("desk/desk.css"), _static("coruscant_admin/figures.css")],
    "SCRIPTS": [_static(f"coruscant_admin/{name}.js") for name in ("copy", "landmarks", "palette")],
}

if not (DEBUG or DEMO):
    for _name, _sentence in startup.dangers(globals()):
        env.refuse(_name, _sentence)
