"""What `/schema` serves, and to how many at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from coruscant.web import schema
from loans.api.tests.calls import refused

CLIENTS = 50


def test_the_schema_is_the_committed_one_as_clients_know_it(client, settings):
    response = client.get("/schema")
    assert response["Content-Type"] == "application/vnd.oai.openapi+json"
    assert response["Content-Disposition"] == 'inline; filename="Coruscant Bank: loans.json"'
    assert response.json() == yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())
    assert response.content == client.get("/schema/").content


def test_the_schema_has_the_bytes_that_the_code_would_make(client):
    made = OpenApiJsonRenderer().render(SchemaGenerator().get_schema(request=None, public=True), renderer_context={})
    assert client.get("/schema").content == made


def test_the_schema_refuses_to_be_posted_to(client):
    refused(client.post("/schema"), 405)


@pytest.mark.parametrize("path", ["/schema", "/docs", "/redoc"])
def test_fifty_clients_that_are_the_first_to_ask_are_all_answered(path):
    schema._as_json.cache_clear()
    together = Barrier(CLIENTS, timeout=30)

    def get(_number):
        together.wait()
        response = Client().get(path)
        return response.status_code, len(response.content)

    with ThreadPoolExecutor(CLIENTS) as clients:
        ((status, length),) = set(clients.map(get, range(CLIENTS)))
    assert (status, length > 200) == (200, True)
