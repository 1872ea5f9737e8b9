"""The history tables refuse UPDATE, DELETE and TRUNCATE in the database itself."""

from django.db import migrations

from coruscant.history.operations import append_only


class Migration(migrations.Migration):
    dependencies = [("liquidation", "0001_initial")]

    operations = append_only(
        "liquidation_historicalliquidation",
        "liquidation_historicaltradeorder",
        "liquidation_historicalliquidationevent",
    )
