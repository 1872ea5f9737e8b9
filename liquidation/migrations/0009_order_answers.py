"""What markets answer is kept, answer by answer, in a table of its own in place of three columns of the order.

Answers of before are taken from the orders' history. A refusal among them is not called one: it was believed by an
older rule, so it must not count towards the three that are asked for now.
"""

import django.db.models.deletion
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers, RestoreHistoryTriggers, append_only

_KEEP_ANSWERS = """
    INSERT INTO liquidation_orderanswer (order_id, send, received_at, kind, text, stale)
    SELECT id, row_number() OVER (PARTITION BY id ORDER BY history_id), history_date,
           CASE last_outcome WHEN 'refusal' THEN 'refusal, older rule' ELSE last_outcome END, last_answer, false
    FROM (
        SELECT *, lag(last_outcome) OVER steps AS outcome_before, lag(last_answer) OVER steps AS answer_before
        FROM liquidation_historicaltradeorder WINDOW steps AS (PARTITION BY id ORDER BY history_id)
    ) AS steps
    WHERE last_outcome <> '' AND (last_outcome, last_answer) IS DISTINCT FROM (outcome_before, answer_before)
"""


class Migration(migrations.Migration):

    dependencies = [("liquidation", "0008_history_by_the_database")]

    operations = [
        RestoreHistoryTriggers("TradeOrder"),
        migrations.CreateModel(
            name="OrderAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("send", models.PositiveIntegerField(help_text="The send that it answers: 1 for the first")),
                ("received_at", models.DateTimeField(help_text="When it was booked")),
                ("kind", models.CharField(max_length=32)),
                ("text", models.TextField(help_text="What the market said, shortened")),
                ("stale", models.BooleanField(default=False)),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="liquidation.tradeorder",
                    ),
                ),
            ],
            options={
                "ordering": ("order", "send"),
                "constraints": [models.UniqueConstraint(fields=("order", "send"), name="one_answer_a_send")],
            },
        ),
        migrations.RunSQL(_KEEP_ANSWERS, migrations.RunSQL.noop),
        *append_only("liquidation_orderanswer"),
        *(
            migrations.RemoveField(model, column)
            for model in ("tradeorder", "historicaltradeorder")
            for column in ("last_outcome", "last_answer", "mismatch")
        ),
        migrations.AlterField(
            "tradeorder",
            "status",
            models.CharField(
                choices=[
                    ("open", "Open: no answer yet"),
                    ("unknown", "Unknown: the answers do not prove enough, it is sent again"),
                    ("unresolved", "Unresolved: a person must find out"),
                    ("filled", "Filled"),
                    ("refused", "Refused: nothing was traded"),
                ],
                default="open",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            "historicaltradeorder",
            "status",
            models.CharField(
                choices=[
                    ("open", "Open: no answer yet"),
                    ("unknown", "Unknown: the answers do not prove enough, it is sent again"),
                    ("unresolved", "Unresolved: a person must find out"),
                    ("filled", "Filled"),
                    ("refused", "Refused: nothing was traded"),
                ],
                default="open",
                max_length=16,
            ),
        ),
        InstallHistoryTriggers("TradeOrder"),
    ]
