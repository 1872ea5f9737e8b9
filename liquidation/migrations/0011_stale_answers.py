"""A stale answer may belong to a send whose number a restored database has given again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("liquidation", "0010_after_a_restore")]

    operations = [
        migrations.RemoveConstraint(model_name="orderanswer", name="one_answer_a_send"),
        migrations.AddConstraint(
            model_name="orderanswer",
            constraint=models.UniqueConstraint(fields=("order", "send", "stale"), name="one_answer_a_send"),
        ),
    ]
