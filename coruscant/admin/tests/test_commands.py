"""The buttons of the admin, as Django checks them at the start of every command."""

from django.core.checks import Tags, run_checks


def test_the_checks_of_buttons_ask_no_database_since_migrate_runs_them_on_an_empty_one():
    assert run_checks(tags=[Tags.admin]) == []
