"""The history tables refuse UPDATE, DELETE and TRUNCATE in the database itself."""

from django.db import migrations

from coruscant.history.operations import append_only


class Migration(migrations.Migration):
    dependencies = [("loans", "0001_initial")]

    operations = append_only(
        "loans_historicalloan",
        "loans_historicalcollateralposting",
        "loans_historicalloanwarning",
    )
