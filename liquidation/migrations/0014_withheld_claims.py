"""Loans that a pause of claims has spared."""

import coruscant.fields
import django.db.models.deletion
from django.db import migrations, models

from coruscant.history.operations import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('controls', '0001_initial'),
        ('liquidation', '0013_terms_of_claims_are_checked'),
        ('loans', '0007_history_by_the_database'),
    ]

    operations = [
        migrations.CreateModel(
            name='WithheldClaim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('price', coruscant.fields.AmountField(decimal_places=24, help_text='The best price that breached it, GC a unit', max_digits=44)),
                ('price_at', models.DateTimeField(help_text='Where that price began')),
                ('outstanding_balance', coruscant.fields.AmountField(decimal_places=24, help_text='GC owed then', max_digits=44)),
                ('collateral', coruscant.fields.AmountField(decimal_places=24, help_text='Units it had then', max_digits=44)),
                ('withheld_at', models.DateTimeField()),
                ('control', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='withheld_claims', to='controls.control')),
                ('loan', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='withheld_claims', to='loans.loan')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('control', 'loan'), name='a_pause_withholds_a_claim_once')],
            },
        ),
        *append_only('liquidation_withheldclaim'),
    ]
