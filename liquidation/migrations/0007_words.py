"""Names of the glossary: enqueue, mismatch, evaluate loans. Renames only, so no table is rewritten or scanned."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("liquidation", "0006_no_index_without_a_reader"),
        ("loans", "0006_words"),
        ("pricing", "0004_words"),
    ]

    operations = [
        migrations.RenameField("liquidation", "rung_at", "enqueued_at"),
        migrations.RenameField("liquidationevent", "rung_at", "enqueued_at"),
        migrations.RenameField("tradeorder", "misfit", "mismatch"),
        migrations.RenameField("historicaltradeorder", "misfit", "mismatch"),
        *(
            migrations.AlterField(
                model,
                "enqueued_at",
                models.DateTimeField(help_text="When a task for it was last sent: not again for a while", null=True),
            )
            for model in ("liquidation", "liquidationevent")
        ),
        *(
            migrations.AlterField(
                model,
                "mismatch",
                models.TextField(blank=True, default="", help_text="Figures of a success that do not fit the order"),
            )
            for model in ("tradeorder", "historicaltradeorder")
        ),
        migrations.RunSQL(
            "ALTER SEQUENCE liquidation_sweep_number RENAME TO liquidation_evaluation_number",
            "ALTER SEQUENCE liquidation_evaluation_number RENAME TO liquidation_sweep_number",
        ),
    ]
