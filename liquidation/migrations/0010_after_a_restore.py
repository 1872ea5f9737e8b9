"""What a restore holds, what refusals no longer prove, and the number from which a requestId is computed.

Orders of before have the number 0: their requestIds were random.
"""

import django.db.models.deletion
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers, RestoreHistoryTriggers


class Migration(migrations.Migration):

    dependencies = [
        ('liquidation', '0009_order_answers'),
        ('loans', '0007_history_by_the_database'),
        ('restores', '0001_initial'),
    ]

    operations = [
        RestoreHistoryTriggers('TradeOrder'),
        migrations.AddField(
            model_name='historicaltradeorder',
            name='number',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="1 for its loan's first order at this market; the request id is made of it. 0: from before that"),
        ),
        migrations.AddField(
            model_name='historicaltradeorder',
            name='refusals_prove_nothing',
            field=models.BooleanField(db_default=False, default=False, help_text='A restore may have lost sends of it, or an order of the same id'),
        ),
        migrations.AddField(
            model_name='liquidation',
            name='held_by',
            field=models.ForeignKey(db_index=False, help_text='Neither sold nor published before statements of the markets have been compared', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='held_sales', to='restores.restore'),
        ),
        migrations.AddField(
            model_name='liquidation',
            name='orders_may_be_missing',
            field=models.BooleanField(db_default=False, default=False, help_text='Since a restore, the markets may know orders that the books do not'),
        ),
        migrations.AddField(
            model_name='tradeorder',
            name='number',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="1 for its loan's first order at this market; the request id is made of it. 0: from before that"),
        ),
        migrations.AddField(
            model_name='tradeorder',
            name='refusals_prove_nothing',
            field=models.BooleanField(db_default=False, default=False, help_text='A restore may have lost sends of it, or an order of the same id'),
        ),
        migrations.AddIndex(
            model_name='liquidation',
            index=models.Index(condition=models.Q(('held_by__isnull', False)), fields=['held_by'], name='liquidations_held'),
        ),
        InstallHistoryTriggers('TradeOrder'),
    ]
