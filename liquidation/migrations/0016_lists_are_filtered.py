"""Lists of the desk are filtered by a debt, a market's orders of one state, stale answers: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('liquidation', '0015_orders_are_looked_up')]

    operations = [
        AddIndexConcurrently('liquidation', models.Index(fields=['balance_at_claim'], name='liquidations_by_debt')),
        AddIndexConcurrently('tradeorder', models.Index(fields=['market', 'status', '-id'], name='orders_by_market_and_status')),
        AddIndexConcurrently('orderanswer', models.Index(condition=models.Q(('stale', True)), fields=['order'], name='stale_answers')),
    ]
