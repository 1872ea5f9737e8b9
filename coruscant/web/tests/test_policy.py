"""What browsers are told that a page may do."""

import pytest

pytestmark = pytest.mark.django_db


def policy(response):
    """The directives of an answer."""
    parts = [part.split() for part in response["Content-Security-Policy"].split(";")]
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", ["/loans", "/docs", "/redoc", "/schema", "/unknown"])
def test_no_answer_but_the_admin_may_run_a_script_that_is_not_a_file_of_ours(client, path):
    found = policy(client.get(path))
    assert found["script-src"] == ["'self'"]
    assert found["default-src"] == found["frame-ancestors"] == found["base-uri"] == ["'none'"]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_the_pages_of_the_api_have_no_script_inside_and_nothing_of_other_servers(client, path):
    page = client.get(path).content.decode()
    assert "<script>" not in page
    assert "//fonts." not in page


def test_pages_of_the_admin_may_run_what_unfold_needs(client):
    found = policy(client.get("/admin/login/"))
    assert found["script-src"] == ["'self'", "'unsafe-inline'", "'unsafe-eval'"]
    assert found["default-src"] == ["'none'"]
