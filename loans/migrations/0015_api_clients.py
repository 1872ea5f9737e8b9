"""The scope of each client of the API, with history, and when credentials were last used.

Every client that there is may see all loans, as before.
"""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers

_CLIENTS = """
    SELECT set_config('coruscant.reason', 'migrate loans/0015', true), set_config('coruscant.actor_name', 'system', true),
        set_config('coruscant.actor_id', '', true);
    INSERT INTO loans_apiclient (user_id, scope) SELECT DISTINCT user_id, 'all' FROM knox_authtoken ORDER BY user_id;
    SELECT set_config('coruscant.reason', '', true);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('knox', '0009_extend_authtoken_field'),
        ('loans', '0014_events_are_looked_up'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiClient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('all', 'All loans'), ('own', 'The loans that it has opened')], default='all', max_length=8)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='api_client', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API client',
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(('scope__in', ['all', 'own'])), name='a_scope_is_known')],
            },
        ),
        migrations.CreateModel(
            name='CredentialUse',
            fields=[
                ('credential', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='use', serialize=False, to='knox.authtoken')),
                ('last_used_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'last use of a credential',
                'verbose_name_plural': 'last uses of credentials',
            },
        ),
        migrations.CreateModel(
            name='HistoricalApiClient',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('history_actor', models.CharField(max_length=150)),
                ('history_session_user', models.CharField(help_text='The database role of the session: actor and reason can be forged, this not', max_length=63, null=True)),
                ('scope', models.CharField(choices=[('all', 'All loans'), ('own', 'The loans that it has opened')], default='all', max_length=8)),
                ('history_user_id', models.BigIntegerField(null=True)),
                ('history_change_reason', models.TextField()),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('user', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical API client',
                'verbose_name_plural': 'historical API clients',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunSQL(
            'ALTER TABLE loans_credentialuse ADD CONSTRAINT loans_credentialuse_of_a_credential'
            ' FOREIGN KEY (credential_id) REFERENCES knox_authtoken (digest) ON DELETE CASCADE',
            migrations.RunSQL.noop,
        ),
        InstallHistoryTriggers('ApiClient'),
        migrations.RunSQL(_CLIENTS, migrations.RunSQL.noop),
    ]
