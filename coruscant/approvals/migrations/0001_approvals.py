import django.db.models.functions.comparison
import django.db.models.functions.text
import simple_history.models
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers

# A row is written twice: when it is asked, and when it is decided.
DECIDED_ONCE = """
    CREATE FUNCTION approvals_approval_decided_once() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.outcome <> 'asked' THEN
                RAISE EXCEPTION 'an approval begins by being asked' USING ERRCODE = 'restrict_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF OLD.outcome <> 'asked' THEN
            RAISE EXCEPTION 'approval % is decided', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        IF (NEW.id, NEW.action, NEW.arguments, NEW.effect, NEW.why, NEW.asked_by_id, NEW.asked_by_name, NEW.asked_at,
            NEW.on_command_line, NEW.expires_at)
            IS DISTINCT FROM (OLD.id, OLD.action, OLD.arguments, OLD.effect, OLD.why, OLD.asked_by_id,
            OLD.asked_by_name, OLD.asked_at, OLD.on_command_line, OLD.expires_at)
        THEN
            RAISE EXCEPTION 'approval %: what was asked never changes', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER approvals_approval_decided_once BEFORE INSERT OR UPDATE ON approvals_approval
        FOR EACH ROW EXECUTE FUNCTION approvals_approval_decided_once();
"""
ANY_NUMBER_OF_TIMES = """
    DROP TRIGGER approvals_approval_decided_once ON approvals_approval;
    DROP FUNCTION approvals_approval_decided_once();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='HistoricalApproval',
            fields=[
                ('id', models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name='ID')),
                ('history_actor', models.CharField(max_length=150)),
                ('history_session_user', models.CharField(help_text='The database role of the session: actor and reason can be forged, this not', max_length=63, null=True)),
                ('action', models.CharField(help_text='The name under which the action is registered', max_length=100)),
                ('arguments', models.JSONField(help_text='Exactly what is asked for; figures are strings')),
                ('effect', models.TextField(help_text='What it would do, as both people were shown it')),
                ('why', models.TextField(help_text='The reason, by whoever asked')),
                ('asked_by_id', models.BigIntegerField()),
                ('asked_by_name', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('on_command_line', models.BooleanField(default=False, help_text="Asked in this person's name by a command, so without a log-in")),
                ('expires_at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('asked', 'Waiting for a second person'), ('executed', 'Agreed and done'), ('failed', 'Agreed, but not done'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn by whoever asked'), ('expired', 'Expired')], default='asked', max_length=16)),
                ('decided_by_id', models.BigIntegerField(null=True)),
                ('decided_by_name', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True, help_text='What was done, why it failed, or why it was refused')),
                ('history_user_id', models.BigIntegerField(null=True)),
                ('history_change_reason', models.TextField()),
                ('history_id', models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                ('history_date', models.DateTimeField()),
                ('history_type', models.CharField(choices=[('+', 'Created'), ('~', 'Changed'), ('-', 'Deleted')], max_length=1)),
            ],
            options={
                'verbose_name': 'historical approval',
                'verbose_name_plural': 'historical approvals',
                'ordering': ('-history_date', '-history_id'),
                'get_latest_by': ('history_date', 'history_id'),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(help_text='The name under which the action is registered', max_length=100)),
                ('arguments', models.JSONField(help_text='Exactly what is asked for; figures are strings')),
                ('effect', models.TextField(help_text='What it would do, as both people were shown it')),
                ('why', models.TextField(help_text='The reason, by whoever asked')),
                ('asked_by_id', models.BigIntegerField()),
                ('asked_by_name', models.CharField(max_length=150)),
                ('asked_at', models.DateTimeField()),
                ('on_command_line', models.BooleanField(default=False, help_text="Asked in this person's name by a command, so without a log-in")),
                ('expires_at', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('asked', 'Waiting for a second person'), ('executed', 'Agreed and done'), ('failed', 'Agreed, but not done'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn by whoever asked'), ('expired', 'Expired')], default='asked', max_length=16)),
                ('decided_by_id', models.BigIntegerField(null=True)),
                ('decided_by_name', models.CharField(blank=True, max_length=150)),
                ('decided_at', models.DateTimeField(null=True)),
                ('note', models.TextField(blank=True, help_text='What was done, why it failed, or why it was refused')),
            ],
            options={
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('why', ''), _negated=True), models.Q(('effect', ''), _negated=True)), name='who_asks_says_what_and_why'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('decided_by_id__isnull', True), ('decided_by_name', ''), ('note', ''), ('outcome', 'asked')), models.Q(('decided_at__gte', models.F('expires_at')), ('decided_at__isnull', False), ('decided_by_id__isnull', True), ('decided_by_name', ''), ('outcome', 'expired')), models.Q(('decided_at__isnull', False), ('decided_by_id__isnull', False), ('outcome__in', ('executed', 'failed', 'refused', 'withdrawn')), models.Q(('decided_by_name', ''), _negated=True)), _connector='OR'), name='a_decision_says_who_and_when'), models.CheckConstraint(condition=models.Q(('decided_by_id__isnull', True), models.Q(('decided_by_id', models.F('asked_by_id')), ('outcome', 'withdrawn')), models.Q(models.Q(('outcome', 'withdrawn'), _negated=True), models.Q(('decided_by_id', models.F('asked_by_id')), _negated=True)), _connector='OR'), name='nobody_decides_what_they_asked'), models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ('executed', 'failed')), _negated=True), ('decided_at__lt', models.F('expires_at')), _connector='OR'), name='it_was_agreed_in_time'), models.CheckConstraint(condition=models.Q(models.Q(('outcome__in', ('failed', 'refused')), _negated=True), models.Q(('note', ''), _negated=True), _connector='OR'), name='a_failure_or_refusal_says_why'), models.UniqueConstraint(models.F('action'), django.db.models.functions.text.MD5(django.db.models.functions.comparison.Cast('arguments', models.TextField())), condition=models.Q(('outcome', 'asked')), name='the_same_is_asked_once_at_a_time')],
            },
        ),
        InstallHistoryTriggers("Approval"),
        migrations.RunSQL(DECIDED_ONCE, ANY_NUMBER_OF_TIMES),
    ]
