"""Open sales are summed from an index, and those that have begun have one of their own: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('liquidation', '0016_lists_are_filtered')]

    operations = [
        AddIndexConcurrently('liquidation', models.Index(fields=['status', '-id'], include=['claimed_at', 'balance_at_claim', 'proceeds'], name='liquidations_by_status_new')),
        RemoveIndexConcurrently('liquidation', 'liquidations_by_status'),
        migrations.RenameIndex('liquidation', new_name='liquidations_by_status', old_name='liquidations_by_status_new'),
        AddIndexConcurrently('liquidation', models.Index(condition=models.Q(('fence__gt', 0), ('status', 'selling')), fields=['id'], name='liquidations_begun')),
    ]
