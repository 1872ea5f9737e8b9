"""Terms of loans. The first are made of the settings, and every loan and margin call that there is gets them.

A column with a constant default is added without a look at the rows, and the foreign keys are checked by the next
migration, which locks nobody out.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import coruscant.fields
from coruscant import money
from coruscant.history.operations import InstallHistoryTriggers, RestoreHistoryTriggers, append_only

_SETTINGS = {
    'activation_ltv': 'ACTIVATION_LTV',
    'margin_call_ltv': 'WARNING_LTV',
    'margin_call_clear_ltv': 'WARNING_CLEAR_LTV',
    'liquidation_ltv': 'LIQUIDATION_LTV',
}


def make_the_first_terms(apps, schema_editor):
    ltvs = {ltv: getattr(settings, name) for ltv, name in _SETTINGS.items()}
    for ltv, name in _SETTINGS.items():
        if ltvs[ltv] != money.round_down(ltvs[ltv], money.DECIMAL_PLACES):
            raise SystemExit(f'Bad configuration: {name} must have at most {money.DECIMAL_PLACES} decimals.')
    apps.get_model('loans', 'LoanTerms').objects.using(schema_editor.connection.alias).create(version=1, **ltvs)


def _add_terms(table):
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ADD COLUMN terms_id integer NOT NULL DEFAULT 1;
        ALTER TABLE {table} ALTER COLUMN terms_id DROP DEFAULT;
        ALTER TABLE {table} ADD CONSTRAINT {table}_terms_id_fk FOREIGN KEY (terms_id)
            REFERENCES loans_loanterms (version) DEFERRABLE INITIALLY DEFERRED NOT VALID;
        """,
        f'ALTER TABLE {table} DROP COLUMN terms_id',
    )


def _add_terms_to_history(table):
    return migrations.RunSQL(
        f"""
        ALTER TABLE {table} ADD COLUMN terms_id integer DEFAULT 1;
        ALTER TABLE {table} ALTER COLUMN terms_id DROP DEFAULT;
        """,
        f'ALTER TABLE {table} DROP COLUMN terms_id',
    )


_IN_HISTORY = models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='loans.loanterms')
_PRICE = 'GC a unit; empty if it was activated before this was kept'


class Migration(migrations.Migration):

    dependencies = [
        ('loans', '0007_history_by_the_database'),
        ('pricing', '0005_price_guard'),  # `migrate` checks terms against the guard: it must be there before them
    ]

    operations = [
        RestoreHistoryTriggers('Loan'),
        RestoreHistoryTriggers('MarginCall'),
        migrations.CreateModel(
            name='LoanTerms',
            fields=[
                ('version', models.PositiveIntegerField(primary_key=True, serialize=False)),
                ('activation_ltv', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('margin_call_ltv', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('margin_call_clear_ltv', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('liquidation_ltv', coruscant.fields.AmountField(decimal_places=24, max_digits=44)),
                ('valid_from', models.DateTimeField(help_text='For loans opened from then on; empty: since ever', null=True)),
                ('asked_by', models.CharField(blank=True, default='', max_length=150)),
                ('agreed_by', models.CharField(blank=True, default='', max_length=150)),
            ],
            options={
                'verbose_name_plural': 'loan terms',
                'ordering': ('-version',),
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('activation_ltv__gt', 0), ('margin_call_clear_ltv__gt', 0), ('activation_ltv__lt', models.F('liquidation_ltv')), ('margin_call_clear_ltv__lte', models.F('margin_call_ltv')), ('margin_call_ltv__lte', models.F('liquidation_ltv')), ('liquidation_ltv__lte', 1)), name='the_ltvs_of_terms_are_in_order'),
                    models.CheckConstraint(condition=models.Q(models.Q(('agreed_by', ''), ('asked_by', ''), ('valid_from__isnull', True), ('version', 1)), models.Q(('valid_from__isnull', False), ('version__gt', 1), models.Q(('asked_by', ''), _negated=True), models.Q(('agreed_by', ''), _negated=True)), _connector='OR'), name='two_people_made_all_terms_but_the_first'),
                ],
            },
        ),
        *append_only('loans_loanterms'),
        migrations.RunPython(make_the_first_terms, migrations.RunPython.noop),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                _add_terms('loans_loan'),
                _add_terms_to_history('loans_historicalloan'),
                _add_terms('loans_margincall'),
                _add_terms_to_history('loans_historicalmargincall'),
            ],
            state_operations=[
                migrations.AddField('loan', 'terms', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='loans', to='loans.loanterms')),
                migrations.AddField('historicalloan', 'terms', _IN_HISTORY.clone()),
                migrations.AddField('margincall', 'terms', models.ForeignKey(db_index=False, help_text="The loan's, at the call", on_delete=django.db.models.deletion.PROTECT, related_name='+', to='loans.loanterms')),
                migrations.AddField('historicalmargincall', 'terms', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text="The loan's, at the call", null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='loans.loanterms')),
            ],
        ),
        migrations.AddField('loan', 'activation_price', coruscant.fields.AmountField(decimal_places=24, help_text=_PRICE, max_digits=44, null=True)),
        migrations.AddField('historicalloan', 'activation_price', coruscant.fields.AmountField(decimal_places=24, help_text=_PRICE, max_digits=44, null=True)),
        InstallHistoryTriggers('Loan'),
        InstallHistoryTriggers('MarginCall'),
    ]
