"""Controls that people pull: who, why, from when and until when."""

import datetime
import django.db.models.expressions
import simple_history.models
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalControl',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('history_actor', models.CharField(max_length=150)),
                ('history_session_user', models.CharField(help_text='The database role of the session: actor and reason can be forged, this not', max_length=63, null=True)),
                ('kind', models.CharField(choices=[('pause_claims', 'Pause claims'), ('pause_activations', 'Pause activations'), ('no_new_orders', 'No new orders to a market'), ('set_aside', "Set a market's prices aside")], max_length=32)),
                ('market', models.CharField(blank=True, default='', max_length=32)),
                ('began_at', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='When it ends, or was ended')),
                ('why', models.TextField()),
                ('pulled_by', models.CharField(max_length=310)),
                ('pulled_by_id', models.BigIntegerField(help_text='Of two people, whoever asked', null=True)),
                ('on_command_line', models.BooleanField(default=False, help_text="Pulled in this person's name by a command, so without a log-in")),
                ('two_people', models.BooleanField(default=False, help_text='Two people have agreed on how long it lasts')),
                ('ended_by', models.CharField(blank=True, default='', help_text='Empty: it ends by itself', max_length=310)),
                ('history_user_id', models.BigIntegerField(null=True)),
                ('history_change_reason', models.TextField()),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical control',
                'verbose_name_plural': 'historical controls',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Control',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('pause_claims', 'Pause claims'), ('pause_activations', 'Pause activations'), ('no_new_orders', 'No new orders to a market'), ('set_aside', "Set a market's prices aside")], max_length=32)),
                ('market', models.CharField(blank=True, default='', max_length=32)),
                ('began_at', models.DateTimeField()),
                ('until', models.DateTimeField(help_text='When it ends, or was ended')),
                ('why', models.TextField()),
                ('pulled_by', models.CharField(max_length=310)),
                ('pulled_by_id', models.BigIntegerField(help_text='Of two people, whoever asked', null=True)),
                ('on_command_line', models.BooleanField(default=False, help_text="Pulled in this person's name by a command, so without a log-in")),
                ('two_people', models.BooleanField(default=False, help_text='Two people have agreed on how long it lasts')),
                ('ended_by', models.CharField(blank=True, default='', help_text='Empty: it ends by itself', max_length=310)),
            ],
            options={
                'ordering': ('-id',),
                'indexes': [models.Index(fields=['kind', 'until'], name='controls_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['pause_claims', 'pause_activations', 'no_new_orders', 'set_aside'])), name='a_control_has_a_known_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('no_new_orders', 'set_aside')), models.Q(('market', ''), _negated=True)), models.Q(models.Q(('kind__in', ('no_new_orders', 'set_aside')), _negated=True), ('market', '')), _connector='OR'), name='a_control_is_of_a_market_or_of_the_bank'), models.CheckConstraint(condition=models.Q(('until__gte', models.F('began_at'))), name='a_control_ends_after_it_begins'), models.CheckConstraint(condition=models.Q(('why', ''), _negated=True), name='a_control_has_a_reason'), models.CheckConstraint(condition=models.Q(('two_people', True), ('until__lte', django.db.models.expressions.CombinedExpression(models.F('began_at'), '+', models.Value(datetime.timedelta(seconds=3600)))), _connector='OR'), name='one_person_has_an_hour')],
            },
        ),
        InstallHistoryTriggers('Control'),
    ]
