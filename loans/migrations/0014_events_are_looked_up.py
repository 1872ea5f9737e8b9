"""Loan events are looked up by their id and listed by their type: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('loans', '0013_figures_in_the_index_of_active_loans')]

    operations = [
        AddIndexConcurrently('loanevent', models.Index(fields=['event_id'], name='loan_events_by_event_id')),
        AddIndexConcurrently('loanevent', models.Index(fields=['event_type', '-id'], name='loan_events_by_type')),
    ]
