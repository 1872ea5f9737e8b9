"""`check_invariants`: it passes on what the service writes, and names every promise that is broken."""

import pytest
from django.core.management import call_command
from django.db import connection

from coruscant import clock
from coruscant.history.records import audited_models
from liquidation.sell import sell
from loans.events.tests.support import name_topic

AUDITED_TABLES = [model._meta.db_table for model in audited_models()]
pytestmark = pytest.mark.django_db


def test_the_promises_are_printed_one_by_one(claimed, markets, capsys):
    sell(claimed("25").pk)
    call_command("check_invariants")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 15
    assert all(line.startswith("ok  ") for line in lines)


def damage(statements):
    """Do what the database would refuse, or write into the history, if its triggers were on."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in AUDITED_TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statements)


def test_a_broken_promise_is_named_with_an_example_and_ends_with_one(claimed, capsys):
    liquidation = claimed("25")
    damage("UPDATE loans_loan SET collateral = collateral + 1")
    with pytest.raises(SystemExit) as ended:
        call_command("check_invariants")
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert any(line.startswith("FAIL I3 ") and liquidation.loan.loan_id in line for line in lines)
    assert any(line.startswith("FAIL I5 loan") for line in lines)


@pytest.mark.parametrize(
    ("statements", "name"),
    [
        ("UPDATE liquidation_tradeorder SET units_traded = units_traded / 2", "I1"),
        ("UPDATE liquidation_liquidation SET proceeds = proceeds + 1", "I1"),
        ("UPDATE loans_loan SET status = 'liquidating'", "I2"),
        (
            "UPDATE loans_loan SET status = 'liquidating'; UPDATE liquidation_liquidation SET status = 'selling',"
            " settled_at = NULL, surplus = NULL, shortfall = NULL, collateral_left = NULL,"
            " due_at = now() - interval '2 minutes'",
            "I2b",
        ),
        ("UPDATE liquidation_liquidationevent SET body = replace(body, '\"1000\"', '\"1001\"')", "I4"),
        ("DELETE FROM liquidation_liquidationevent", "I4"),
        ("UPDATE liquidation_liquidationevent SET due_at = now() - interval '2 minutes'", "I4b"),
        ("DELETE FROM loans_acceptedrequest WHERE endpoint = 'collateral-top-ups'", "I7"),
        ("UPDATE pricing_feed SET received = received + 1, duplicates = duplicates + 1, quotes = quotes", None),
        ("UPDATE pricing_feed SET received = received + 1, quotes = quotes + 1", "I10"),
        ("UPDATE pricing_pricequote SET received_at = now() - interval '2 minutes', evaluated_at = NULL", "I10b"),
    ],
)
def test_every_promise_notices_when_it_is_broken(claimed, markets, capsys, statements, name):
    sell(claimed("25").pk)
    damage(statements)
    if name is None:
        call_command("check_invariants")
        return
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    assert f"FAIL {name} " in capsys.readouterr().out


@pytest.fixture
def told(claimed):
    """A claim that was told, as every transition since then must be."""
    name_topic(since=clock.now())
    return claimed("25")


@pytest.mark.parametrize(
    "statements",
    [
        "DELETE FROM loans_loanevent",
        "INSERT INTO loans_loanevent"
        " (loan_id, sequence, event_type, event_id, body, created_at, due_at, sends, message_id)"
        " SELECT loan_id, 2, event_type, gen_random_uuid(), body, created_at, due_at, 0, '' FROM loans_loanevent",
        "UPDATE loans_loanevent SET event_type = 'margin-call'",
        "UPDATE loans_loanevent SET created_at = created_at + interval '1 microsecond'",
        'UPDATE loans_loanevent SET sequence = 2, body = replace(body, \'"sequence": "1"\', \'"sequence": "2"\')',
        "UPDATE loans_loanevent SET body = replace(body, 'liquidating', 'active')",
        "UPDATE loans_loanevent SET event_id = gen_random_uuid()",
        "UPDATE loans_loanevent SET body = replace(body, '\"40\"', '\"41\"')",
        'UPDATE loans_loanevent SET body = replace(body, \'"amount": "1000"\', \'"amount": "1001"\')',
        "UPDATE loans_loanevent SET body = (body::jsonb - 'borrowerId')::text",
        "UPDATE loans_loan SET created_at = (SELECT since FROM loans_loaneventtopic)",
    ],
)
def test_a_transition_without_its_one_event_is_noticed(told, capsys, statements):
    call_command("check_invariants")
    damage(f"ALTER TABLE loans_loanevent DISABLE TRIGGER USER; {statements}")
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    assert "FAIL I15 " in capsys.readouterr().out


def test_a_loan_event_that_is_not_sent_is_noticed_while_a_topic_is_named(told, capsys):
    damage("UPDATE loans_loanevent SET due_at = now() - interval '2 minutes'")
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    assert "FAIL I15b " in capsys.readouterr().out
    damage("DELETE FROM loans_loaneventtopic")
    call_command("check_invariants")
