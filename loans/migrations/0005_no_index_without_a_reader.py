import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # By hand, since Django would make the foreign key and the unique index anew, under locks, for every loan there is.

    dependencies = [
        ('loans', '0004_history_is_read_by_row'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX loans_acceptedrequest_loan_id_02997579',
                    'CREATE INDEX loans_acceptedrequest_loan_id_02997579 ON loans_acceptedrequest (loan_id)',
                ),
                migrations.RunSQL(
                    'DROP INDEX loans_loan_loan_id_36a2624a_like',
                    'CREATE INDEX loans_loan_loan_id_36a2624a_like ON loans_loan (loan_id varchar_pattern_ops)',
                ),
                migrations.RunSQL(
                    'ALTER TABLE loans_loan RENAME CONSTRAINT loans_loan_loan_id_key TO one_loan_a_loan_id',
                    'ALTER TABLE loans_loan RENAME CONSTRAINT one_loan_a_loan_id TO loans_loan_loan_id_key',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='acceptedrequest',
                    name='loan',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='accepted_requests', to='loans.loan'),
                ),
                migrations.AlterField(
                    model_name='loan',
                    name='loan_id',
                    field=models.CharField(max_length=128),
                ),
                migrations.AddConstraint(
                    model_name='loan',
                    constraint=models.UniqueConstraint(fields=('loan_id',), name='one_loan_a_loan_id'),
                ),
            ],
        ),
    ]
