"""The oldest loan event that is not sent is found by an index, without looking at all of them: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('loans', '0016_applications_by_client')]

    operations = [
        AddIndexConcurrently('loanevent', models.Index(condition=models.Q(('sent_at__isnull', True)), fields=['created_at'], name='loan_events_unsent')),
        AddIndexConcurrently('loanevent', models.Index(condition=models.Q(('sent_at__isnull', True)), fields=['due_at'], name='loan_events_due_new')),
        RemoveIndexConcurrently('loanevent', 'loan_events_due'),
        migrations.RenameIndex('loanevent', new_name='loan_events_due', old_name='loan_events_due_new'),
    ]
