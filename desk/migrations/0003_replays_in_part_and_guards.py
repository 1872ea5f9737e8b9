"""A replay may be done in part, and may have another guard over prices."""

import coruscant.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [('desk', '0002_price_at_risk')]

    operations = [
        migrations.AlterField('policyreplay', 'status', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('part', 'Done in part'), ('failed', 'Failed')], default='waiting', max_length=16)),
        migrations.AddField('policyreplay', 'guard_jump', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
        migrations.AddField('policyreplay', 'guard_agreement', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
    ]
