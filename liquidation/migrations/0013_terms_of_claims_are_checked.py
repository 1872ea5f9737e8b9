"""The foreign key to the terms is checked, under no hard lock."""

from django.db import migrations


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('liquidation', '0012_terms_of_claims')]

    operations = [
        migrations.RunSQL(
            'ALTER TABLE liquidation_liquidation VALIDATE CONSTRAINT liquidation_liquidation_terms_id_fk',
            migrations.RunSQL.noop,
        ),
    ]
