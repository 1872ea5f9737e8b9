"""The OpenAPI description of the API: the committed one, never made anew for a request."""

import json
from functools import cache

import yaml
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from coruscant.web.problems import refuse_writes


def schema(request: HttpRequest) -> HttpResponse:
    """docs/openapi.yaml, as JSON. A test keeps it equal to what the code says."""
    return refuse_writes(request) or HttpResponse(
        _as_json(),
        content_type="application/vnd.oai.openapi+json",
        headers={"Content-Disposition": 'inline; filename="Coruscant Bank: loans.json"'},
    )


@cache
def _as_json() -> str:
    written = (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    return json.dumps(yaml.safe_load(written), indent=4)
