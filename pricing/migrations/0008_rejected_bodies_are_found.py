"""Bodies of rejected messages that may have to go are found: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('pricing', '0007_rejected_bodies')]

    operations = [
        AddIndexConcurrently('rejectedmessage', models.Index(condition=models.Q(('body', ''), _negated=True), fields=['received_at'], name='rejected_bodies')),
    ]
