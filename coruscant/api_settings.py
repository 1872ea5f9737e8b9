"""How the API works here, the same everywhere: bounds, REST framework, credentials, OpenAPI. The settings import it."""

from coruscant import __version__
from coruscant.web.arrival import MOST_BODY as DATA_UPLOAD_MAX_MEMORY_SIZE  # noqa: F401  (forms: what the door lets in)

API_MAX_BODY_BYTES = 64 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["loans.api.authentication.ClientAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["loans.api.authentication.IsClientOrAnonymousAllowed"],
    "DEFAULT_THROTTLE_CLASSES": ["loans.api.throttles.ClientThrottle"],
    "DEFAULT_PARSER_CLASSES": ["loans.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "loans.api.parsers.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "coruscant.web.problems.exception_handler",
}
REST_KNOX = {"TOKEN_TTL": None}  # a client's credential lives until it is revoked in the admin
SPECTACULAR_SETTINGS = {
    "TITLE": "Coruscant Bank: loans",
    "DESCRIPTION": "Beskar-backed loans: applications, collateral and the state of every loan.",
    "VERSION": __version__,
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "loans.api.schema.add_links"],
}
