"""Every bad field is a 400 that names it, and nothing is written; good ones are kept exactly."""

import pytest

from loans.api.tests.calls import GOOD, bad_fields, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced")]


@pytest.mark.parametrize(
    "amount",
    [
        1000,
        1000.5,
        True,
        None,
        [],
        {},
        "",
        " ",
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "+1",
        "-1",
        " 1",
        "1 ",
        "1\n",
        "1_000",
        "1,000",
        "0x10",
        "٣",
        "１",
        "½",
        "0",
        "0.0",
        "0e5",
        ".5",
        "5.",
        "1.2.3",
        "1e",
        "e5",
        "0." + "0" * 24 + "1",
        "1e-25",
        "1" + "0" * 20,
        "1e20",
        "1e9999",
        "1e-9999",
        "1e999999999999",
        "9" * 100_00,
        "1\0",
        "\ud800",
    ],
)
def test_a_bad_amount_is_refused(client, path, amount):
    assert bad_fields(send(client, path, GOOD | {"amount": amount})) == {"amount"}


@pytest.mark.parametrize("name", ["requestId", "loanId", "borrowerId"])
@pytest.mark.parametrize(
    "value", ["", " ", "\t\n", "\u3000", "x" * 129, 7, 1.5, True, None, [], {}, "a\0b", "\ud83d", "\udc00x"]
)
def test_a_bad_id_is_refused(client, path, name, value):
    assert bad_fields(send(client, path, GOOD | {name: value})) == {name}


@pytest.mark.parametrize("name", list(GOOD))
def test_a_missing_field_is_refused(client, path, name):
    assert bad_fields(send(client, path, {key: value for key, value in GOOD.items() if key != name})) == {name}


def test_every_bad_field_is_named(client, path):
    response = send(client, path, {"requestId": "", "borrowerId": 5, "amount": "-1"})
    assert bad_fields(response) == {"requestId", "loanId", "borrowerId", "amount"}
    assert all(error["detail"] for error in response.json()["errors"])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("5e-7", "0.0000005"),
        ("1E3", "1000"),
        ("1.50", "1.5"),
        ("007", "7"),
        ("1e+2", "100"),
        ("9" * 20 + "." + "9" * 24, "9" * 20 + "." + "9" * 24),
        ("1e-24", "0.000000000000000000000001"),
    ],
)
def test_amounts_are_kept_exactly(client, sent, kept):
    response = send(client, "/loan-applications", GOOD | {"amount": sent})
    assert response.status_code == 202
    assert response.json()["amount"] == kept == client.get("/loans/L1").json()["amount"]


@pytest.mark.parametrize("text", ["x" * 128, "🜚" * 128, "a/b?c#d%2F", ' "quoted" \\ ', "../..", "'; --"])
def test_ids_may_hold_any_character_that_can_be_stored(client, text):
    body = GOOD | {"requestId": text, "loanId": text, "borrowerId": text}
    response = send(client, "/loan-applications", body)
    assert response.status_code == 202
    assert (response.json()["loanId"], response.json()["borrowerId"]) == (text, text)
    assert send(client, "/loan-applications", body)["Idempotency-Replayed"] == "true"
