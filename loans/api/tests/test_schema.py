"""The committed schema promises exactly what the service accepts: a client can rely on its patterns."""

import re
from decimal import Decimal

import jsonschema
import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from hypothesis import example, given
from hypothesis import strategies as st

from coruscant import history
from coruscant.money import NotAnAmount, parse_amount
from loans.api.serializers import id_fault
from loans.api.tests.calls import GOOD, send
from loans.tests.factories import LoanFactory

DOCUMENT = yaml.safe_load((settings.BASE_DIR / "docs" / "openapi.yaml").read_text())
FIELDS = DOCUMENT["components"]["schemas"]["LoanApplicationRequest"]["properties"]

blanks = st.text(st.sampled_from(" \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u2028\u3000\ufeff\u200b\x00a"), max_size=4)
digits = st.from_regex(r"[0-9]{0,22}\.?[0-9]{0,26}([eE][+-]?[0-9]{1,5})?", fullmatch=True)


def allowed(field, value):
    """What the schema says; `$` as JavaScript means it, not before a last line break."""
    schema = FIELDS[field]
    return (
        schema.get("minLength", 0) <= len(value) <= schema["maxLength"]
        and re.search(schema["pattern"].removesuffix("$") + r"\Z", value) is not None
    )


@given(st.text() | blanks)
@example("\ufeff")
@example("\x1f")
@example("a\n")
@example("x" * 129)
def test_an_id_is_accepted_if_and_only_if_the_schema_allows_it(value):
    assert (id_fault(value) is None) == allowed("loanId", value)


@given(st.text() | digits)
@example("0")
@example("0e5")
@example("1\n")
@example("9" * 20 + "." + "9" * 24)
@example("0" * 199 + "1")
def test_an_amount_without_exponent_is_accepted_if_and_only_if_the_schema_allows_it(value):
    """With one, the pattern allows more: no pattern can bound a value."""
    try:
        parse_amount(value)
    except NotAnAmount:
        assert not allowed("amount", value) or "e" in value.lower()
    else:
        assert allowed("amount", value)


@pytest.mark.parametrize("path", list(DOCUMENT["paths"]))
def test_every_link_leads_to_a_call(path):
    operations = {call["operationId"] for item in DOCUMENT["paths"].values() for call in item.values()}
    for call in DOCUMENT["paths"][path].values():
        for status, answer in call["responses"].items():
            for link in answer.get("links", {}).values():
                assert link["operationId"] in operations
                assert status in {"200", "202"}


def test_an_application_links_to_its_loan_and_its_collateral():
    links = DOCUMENT["paths"]["/loan-applications"]["post"]["responses"]["202"]["links"]
    assert links["getLoan"]["parameters"] == {"loanId": "$response.body#/loanId"}
    assert links["postCollateral"]["requestBody"]["loanId"] == "$response.body#/loanId"


def test_the_committed_schema_is_the_one_served(client, tmp_path):
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", file=str(made), validate=True, fail_on_warn=True)
    assert made.read_text() == (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    served = client.get("/schema").json()
    assert served["paths"].keys() == yaml.safe_load(made.read_text())["paths"].keys()
    assert set(served["paths"]) == {"/loan-applications", "/collateral-top-ups", "/loans", "/loans/{loanId}"}


@pytest.mark.django_db
def test_responses_are_what_the_schema_says(client, set_best_price):
    set_best_price("50")
    schemas = client.get("/schema").json()["components"]["schemas"]
    active = LoanFactory(loan_id="active", active=True)
    with history.cause("test", correlation_id=""):
        active.postings.create(amount=Decimal(40), request_id="req-2", created_at=active.created_at)
    for name, response in {
        "Loan": send(client, "/loan-applications", GOOD),
        "LoanDetail": client.get("/loans/active"),
        "LoanPage": client.get("/loans"),
        "Problem": send(client, "/loan-applications", {}),
    }.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": _strict(schemas)}}
        jsonschema.Draft4Validator(schema).validate(response.json())


def _strict(schemas):
    """OpenAPI 3.0's nullable as JSON Schema, and no property that is not named."""
    closed = {}
    for name, schema in schemas.items():
        closed[name] = schema
        if "properties" in schema:
            properties = {
                key: {"anyOf": [value, {"type": "null"}]} if value.get("nullable") else value
                for key, value in schema["properties"].items()
            }
            closed[name] = schema | {"properties": properties, "additionalProperties": False}
    return closed
