"""Log-ins, sessions and what a page may load, the same everywhere. The settings import all of it."""

from datetime import timedelta
from typing import Any

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

# --- Log-ins (django-axes) ---
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
# By name alone: behind a load balancer all come from one address, and who tries passwords comes from many.
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # or whoever goes on trying would lock a person out for good
AXES_DISABLE_ACCESS_LOG = True  # log-ins that succeed are in the log
AXES_USERNAME_CALLABLE = "coruscant.log_in.name_tried"
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS: list[str] = []  # the log says whose name was tried

# --- Second factors (coruscant/second_factor) ---
OTP_TOTP_ISSUER = "Coruscant Bank"

# --- Sessions: from log-in, however busy (coruscant/sessions.py) ---
SESSION_ENGINE = "coruscant.sessions"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

SILENCED_SYSTEM_CHECKS = [
    "axes.W006",  # limits by name alone: see above
    "security.W008",  # TLS ends at the load balancer, which redirects to it
    "security.W021",  # preloading is for whoever owns the domain
]

# --- Content Security Policy: scripts only from files of ours, but for the admin (coruscant/web/policy.py) ---
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],  # of Swagger UI and Redoc
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": ["blob:"],  # Redoc's search
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
#: Unfold has scripts in its pages, and Alpine, which makes functions of attributes.
ADMIN_POLICY: dict[str, list[str]] = {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL]}
