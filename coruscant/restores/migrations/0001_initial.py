"""Which databases were accepted, and what restores have begun."""

import simple_history.models
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='DatabaseIdentity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('system_identifier', models.BigIntegerField(help_text='Of the cluster; initdb makes it, and copies keep it')),
                ('timeline', models.IntegerField(help_text='Counts promotions and recoveries of the cluster')),
                ('database', models.BigIntegerField(help_text="The database's oid: a dump that is restored gets another")),
                ('accepted_at', models.DateTimeField()),
                ('accepted_by', models.CharField(max_length=150)),
                ('doubt', models.TextField(blank=True, default='', help_text='Why it is no longer accepted')),
            ],
            options={
                'verbose_name_plural': 'database identities',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='HistoricalRestore',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('history_actor', models.CharField(max_length=150)),
                ('history_session_user', models.CharField(help_text='The database role of the session: actor and reason can be forged, this not', max_length=63, null=True)),
                ('since', models.DateTimeField(help_text='The books may lack what was committed after this instant')),
                ('reason', models.TextField(blank=True, default='')),
                ('begun_at', models.DateTimeField(help_text='When the database was accepted, and everything held')),
                ('begun_by', models.CharField(max_length=150)),
                ('compared_at', models.DateTimeField(help_text='When statements of all markets covered it', null=True)),
                ('claims_released_at', models.DateTimeField(null=True)),
                ('claims_released_by', models.CharField(blank=True, default='', max_length=310)),
                ('history_user_id', models.BigIntegerField(null=True)),
                ('history_change_reason', models.TextField()),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical restore',
                'verbose_name_plural': 'historical restores',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Restore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(help_text='The books may lack what was committed after this instant')),
                ('reason', models.TextField(blank=True, default='')),
                ('begun_at', models.DateTimeField(help_text='When the database was accepted, and everything held')),
                ('begun_by', models.CharField(max_length=150)),
                ('compared_at', models.DateTimeField(help_text='When statements of all markets covered it', null=True)),
                ('claims_released_at', models.DateTimeField(null=True)),
                ('claims_released_by', models.CharField(blank=True, default='', max_length=310)),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('claims_released_at__isnull', True), ('claims_released_by', '')), models.Q(('claims_released_at__isnull', False), models.Q(('claims_released_by', ''), _negated=True)), _connector='OR'), name='claims_are_released_by_somebody'), models.CheckConstraint(condition=models.Q(('since__lte', models.F('begun_at'))), name='a_restore_goes_back')],
            },
        ),
        InstallHistoryTriggers('Restore'),
    ]
