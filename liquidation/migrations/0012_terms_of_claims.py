"""A claim keeps the terms of its loan. Those that there are were made under the first terms.

The column is added without a look at the rows; the next migration checks the foreign key and locks nobody out.
"""

import django.db.models.deletion
from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers, RestoreHistoryTriggers

_HELP = "The loan's, at the claim"


class Migration(migrations.Migration):

    dependencies = [('liquidation', '0011_stale_answers'), ('loans', '0008_loan_terms')]

    operations = [
        RestoreHistoryTriggers('Liquidation'),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    """
                    ALTER TABLE liquidation_liquidation ADD COLUMN terms_id integer NOT NULL DEFAULT 1;
                    ALTER TABLE liquidation_liquidation ALTER COLUMN terms_id DROP DEFAULT;
                    ALTER TABLE liquidation_liquidation ADD CONSTRAINT liquidation_liquidation_terms_id_fk
                        FOREIGN KEY (terms_id) REFERENCES loans_loanterms (version)
                        DEFERRABLE INITIALLY DEFERRED NOT VALID;
                    ALTER TABLE liquidation_historicalliquidation ADD COLUMN terms_id integer DEFAULT 1;
                    ALTER TABLE liquidation_historicalliquidation ALTER COLUMN terms_id DROP DEFAULT;
                    """,
                    """
                    ALTER TABLE liquidation_liquidation DROP COLUMN terms_id;
                    ALTER TABLE liquidation_historicalliquidation DROP COLUMN terms_id;
                    """,
                ),
            ],
            state_operations=[
                migrations.AddField('liquidation', 'terms', models.ForeignKey(db_index=False, help_text=_HELP, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='loans.loanterms')),
                migrations.AddField('historicalliquidation', 'terms', models.ForeignKey(blank=True, db_constraint=False, db_index=False, help_text=_HELP, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='loans.loanterms')),
            ],
        ),
        InstallHistoryTriggers('Liquidation'),
    ]
