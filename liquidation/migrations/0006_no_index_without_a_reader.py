import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    # By hand, since Django would make the foreign key and the unique index anew, under locks, for every order there is,
    # and would drop the index that allows a liquidation no second pending order: it is on the same column.

    dependencies = [
        ('liquidation', '0005_history_is_read_by_row'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    'DROP INDEX liquidation_tradeorder_liquidation_id_f4422944',
                    'CREATE INDEX liquidation_tradeorder_liquidation_id_f4422944'
                    ' ON liquidation_tradeorder (liquidation_id)',
                ),
                migrations.RunSQL(
                    'DROP INDEX liquidation_tradeorder_request_id_a6800c35_like',
                    'CREATE INDEX liquidation_tradeorder_request_id_a6800c35_like'
                    ' ON liquidation_tradeorder (request_id varchar_pattern_ops)',
                ),
                migrations.RunSQL(
                    'ALTER TABLE liquidation_tradeorder'
                    ' RENAME CONSTRAINT liquidation_tradeorder_request_id_key TO one_order_a_request_id',
                    'ALTER TABLE liquidation_tradeorder'
                    ' RENAME CONSTRAINT one_order_a_request_id TO liquidation_tradeorder_request_id_key',
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='tradeorder',
                    name='liquidation',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='liquidation.liquidation'),
                ),
                migrations.AlterField(
                    model_name='tradeorder',
                    name='request_id',
                    field=models.CharField(max_length=64),
                ),
                migrations.AddConstraint(
                    model_name='tradeorder',
                    constraint=models.UniqueConstraint(fields=('request_id',), name='one_order_a_request_id'),
                ),
            ],
        ),
    ]
