"""Orders are looked up by the market's id of them, too: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('liquidation', '0014_withheld_claims')]

    operations = [
        AddIndexConcurrently('tradeorder', models.Index(condition=models.Q(('venue_order_id', ''), _negated=True), fields=['venue_order_id'], name='orders_by_market_id')),
    ]
