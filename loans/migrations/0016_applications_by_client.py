"""An index for the loans that a client has opened: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('loans', '0015_api_clients')]

    operations = [
        AddIndexConcurrently('acceptedrequest', models.Index(condition=models.Q(('endpoint', 'loan-applications')), fields=['client', '-loan'], name='applications_by_client')),
    ]
