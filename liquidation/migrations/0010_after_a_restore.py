"""What a restore holds, what refusals no longer prove, the number in a requestId, and statements of the markets.

Orders of before have the number 0: their requestIds were random.
"""

import django.db.models.deletion
import simple_history.models
from django.db import migrations, models

import coruscant.fields
from coruscant.history.operations import InstallHistoryTriggers, RestoreHistoryTriggers, append_only


class Migration(migrations.Migration):

    dependencies = [
        ('liquidation', '0009_order_answers'),
        ('loans', '0007_history_by_the_database'),
        ('restores', '0001_initial'),
    ]

    operations = [
        RestoreHistoryTriggers('TradeOrder'),
        migrations.AddField(
            model_name='historicaltradeorder',
            name='number',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="1 for its loan's first order at this market; the request id is made of it. 0: from before that"),
        ),
        migrations.AddField(
            model_name='liquidation',
            name='held_by',
            field=models.ForeignKey(db_index=False, help_text='Neither sold nor published before statements of the markets have been compared', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='held_sales', to='restores.restore'),
        ),
        migrations.AddField(
            model_name='liquidation',
            name='orders_may_be_missing',
            field=models.BooleanField(db_default=False, default=False, help_text='Since a restore, the markets may know orders that the books do not'),
        ),
        migrations.AddField(
            model_name='tradeorder',
            name='number',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="1 for its loan's first order at this market; the request id is made of it. 0: from before that"),
        ),
        migrations.AddField(
            model_name='tradeorder',
            name='refusals_prove_nothing',
            field=models.BooleanField(db_default=False, default=False, help_text='A restore may have lost sends of it, or an order of the same id'),
        ),
        migrations.AddIndex(
            model_name='liquidation',
            index=models.Index(condition=models.Q(('held_by__isnull', False)), fields=['held_by'], name='liquidations_held'),
        ),
        InstallHistoryTriggers('TradeOrder'),
        migrations.CreateModel(
            name='Reconciliation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('market', models.CharField(choices=[('mos_espa', 'Mos Espa, Tatooine'), ('black_spire_outpost', 'Black Spire Outpost, Batuu')], max_length=32)),
                ('period_from', models.DateTimeField(help_text='It states every trade from then on')),
                ('period_to', models.DateTimeField(help_text='… to then')),
                ('digest', models.CharField(help_text='SHA-256 of the file', max_length=64)),
                ('trades', models.PositiveIntegerField(help_text='Lines of the file')),
                ('units', coruscant.fields.AmountField(decimal_places=24, help_text='Of all trades together', max_digits=44)),
                ('proceeds', coruscant.fields.AmountField(decimal_places=24, help_text='GC, of all trades together', max_digits=44)),
                ('compared_at', models.DateTimeField(help_text='The last time, if the same file was compared again')),
                ('compared_by', models.CharField(max_length=150)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(fields=('market', 'digest', 'period_from', 'period_to'), name='a_statement_is_compared_once'), models.CheckConstraint(condition=models.Q(('period_from__lte', models.F('period_to'))), name='a_period_ends_after_it_begins')],
            },
        ),
        migrations.CreateModel(
            name='HistoricalReconciliationDifference',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('history_actor', models.CharField(max_length=150)),
                ('history_session_user', models.CharField(help_text='The database role of the session: actor and reason can be forged, this not', max_length=63, null=True)),
                ('market', models.CharField(choices=[('mos_espa', 'Mos Espa, Tatooine'), ('black_spire_outpost', 'Black Spire Outpost, Batuu')], max_length=32)),
                ('request_id', models.CharField(max_length=128)),
                ('kind', models.CharField(choices=[('unknown', 'The books do not know the order'), ('unbooked', 'The books know the order, but no trade of it'), ('figures', 'The figures differ'), ('missing', 'The market does not state a trade that the books have')], max_length=16)),
                ('status', models.CharField(choices=[('open', 'Open'), ('adopted', 'Adopted: the trade was booked'), ('explained', 'Explained by two people'), ('gone', 'Gone: the books agree by now')], default='open', max_length=16)),
                ('units', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
                ('proceeds', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
                ('traded_at', models.DateTimeField(help_text="The first trade, by the market's clock", null=True)),
                ('number', models.PositiveIntegerField(help_text='Of the order at its market', null=True)),
                ('found_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True, default='', help_text='The explanation')),
                ('history_user_id', models.BigIntegerField(null=True)),
                ('history_change_reason', models.TextField()),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
                ('loan', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='loans.loan')),
                ('order', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='liquidation.tradeorder')),
                ('reconciliation', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='liquidation.reconciliation')),
            ],
            options={
                'verbose_name': 'historical reconciliation difference',
                'verbose_name_plural': 'historical reconciliation differences',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='ReconciliationDifference',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('market', models.CharField(choices=[('mos_espa', 'Mos Espa, Tatooine'), ('black_spire_outpost', 'Black Spire Outpost, Batuu')], max_length=32)),
                ('request_id', models.CharField(max_length=128)),
                ('kind', models.CharField(choices=[('unknown', 'The books do not know the order'), ('unbooked', 'The books know the order, but no trade of it'), ('figures', 'The figures differ'), ('missing', 'The market does not state a trade that the books have')], max_length=16)),
                ('status', models.CharField(choices=[('open', 'Open'), ('adopted', 'Adopted: the trade was booked'), ('explained', 'Explained by two people'), ('gone', 'Gone: the books agree by now')], default='open', max_length=16)),
                ('units', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
                ('proceeds', coruscant.fields.AmountField(decimal_places=24, max_digits=44, null=True)),
                ('traded_at', models.DateTimeField(help_text="The first trade, by the market's clock", null=True)),
                ('number', models.PositiveIntegerField(help_text='Of the order at its market', null=True)),
                ('found_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True, default='', help_text='The explanation')),
                ('loan', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='loans.loan')),
                ('order', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='liquidation.tradeorder')),
                ('reconciliation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='differences', to='liquidation.reconciliation')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('market', 'request_id'), name='one_open_difference_a_request'), models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', True), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('closed_at__isnull', False)), _connector='OR'), name='a_difference_is_open_until_it_is_closed'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'missing'), ('proceeds__isnull', True), ('traded_at__isnull', True), ('units__isnull', True)), models.Q(models.Q(('kind', 'missing'), _negated=True), ('proceeds__gt', 0), ('traded_at__isnull', False), ('units__gt', 0)), _connector='OR'), name='what_a_market_states_has_figures'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'explained'), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='an_explanation_says_why')],
            },
        ),
        migrations.CreateModel(
            name='StatementTrade',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('market', models.CharField(choices=[('mos_espa', 'Mos Espa, Tatooine'), ('black_spire_outpost', 'Black Spire Outpost, Batuu')], max_length=32)),
                ('request_id', models.CharField(max_length=128)),
                ('units', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('proceeds', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('traded_at', models.DateTimeField(help_text="By the market's clock")),
                ('reconciliation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='liquidation.reconciliation')),
            ],
            options={
                'ordering': ('id',),
                'constraints': [models.UniqueConstraint(fields=('market', 'request_id', 'traded_at', 'units', 'proceeds'), name='a_stated_trade_is_kept_once')],
            },
        ),
        InstallHistoryTriggers('ReconciliationDifference'),
        *append_only('liquidation_statementtrade'),
    ]
