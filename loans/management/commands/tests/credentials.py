"""Credentials for tests, made as an administrator makes them."""

from io import StringIO

from django.core.management import call_command


def credential(name="otc-service", **options):
    """What `manage.py create_api_credential` prints."""
    out = StringIO()
    call_command("create_api_credential", name, **options, stdout=out, stderr=StringIO())
    return out.getvalue().strip()
