"""Foreign keys to the terms are checked, and the searches get indexes by terms in place of theirs: under no hard lock."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [('loans', '0008_loan_terms')]

    operations = [
        migrations.RunSQL('ALTER TABLE loans_loan VALIDATE CONSTRAINT loans_loan_terms_id_fk', migrations.RunSQL.noop),
        migrations.RunSQL('ALTER TABLE loans_margincall VALIDATE CONSTRAINT loans_margincall_terms_id_fk', migrations.RunSQL.noop),
        AddIndexConcurrently('loan', models.Index(condition=models.Q(('status', 'active')), fields=['terms', 'debt_per_unit', 'id'], name='active_by_terms_and_debt')),
        AddIndexConcurrently('loan', models.Index(condition=models.Q(('status', 'new')), fields=['terms', 'debt_per_unit', 'id'], name='new_by_terms_and_debt')),
        RemoveIndexConcurrently('loan', 'active_by_debt_per_unit'),
        RemoveIndexConcurrently('loan', 'new_by_debt_per_unit'),
    ]
