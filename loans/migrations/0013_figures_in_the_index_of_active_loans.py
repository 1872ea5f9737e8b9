"""The index of active loans gets their figures, so that a pass over the whole book reads no row: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('loans', '0012_loan_event_types_are_checked')]

    operations = [
        AddIndexConcurrently('loan', models.Index(condition=models.Q(('status', 'active')), fields=['terms', 'debt_per_unit', 'id'], include=['outstanding_balance', 'collateral'], name='active_by_terms_and_debt_new')),
        RemoveIndexConcurrently('loan', 'active_by_terms_and_debt'),
        migrations.RenameIndex('loan', new_name='active_by_terms_and_debt', old_name='active_by_terms_and_debt_new'),
    ]
