"""The history tables refuse UPDATE, DELETE and TRUNCATE in the database itself."""

from django.db import migrations

from coruscant.history.audit import append_only


class Migration(migrations.Migration):
    dependencies = [("liquidation", "0001_initial")]

    operations = [
        migrations.RunSQL(forward, backward)
        for forward, backward in append_only(
            "liquidation_historicalliquidation",
            "liquidation_historicaltradeorder",
            "liquidation_historicalliquidationevent",
        )
    ]
