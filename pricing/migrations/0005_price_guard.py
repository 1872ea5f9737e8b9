"""The guard over prices: its settings as rows, what it held, and what evaluations found about each quote.

The first row holds from the beginning of time, so what is evaluated after the upgrade is judged by it.
"""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models

from coruscant.history.operations import append_only

FIRST = {
    "holds_from": datetime(1970, 1, 1, tzinfo=UTC),
    "mode": "on",
    "jump": "0.40",
    "agreement": "0.10",
    "dispute": "0.25",
    "changed_by": "migration",
}


def first_row(apps: Any, schema_editor: Any) -> None:
    """The guard is on."""
    apps.get_model("pricing", "PriceGuard").objects.using(schema_editor.connection.alias).create(**FIRST)


class Migration(migrations.Migration):

    dependencies = [
        ("pricing", "0004_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="pricequote",
            name="effective_from",
            field=models.DateTimeField(help_text="Since when it was its market's price, as evaluated; empty = never, or not known yet", null=True),
        ),
        migrations.AddField(
            model_name="pricequote",
            name="alone",
            field=models.CharField(blank=True, choices=[("", "No"), ("rise", "Rise"), ("fall", "Fall")], db_default="", default="", help_text="The jump by which its market came to this level, if no other market bears that out", max_length=8),
        ),
        migrations.AddField(
            model_name="pricequote",
            name="confirmed_by",
            field=models.CharField(blank=True, db_default="", default="", help_text="The quote that confirmed it, if it was a jump", max_length=300),
        ),
        migrations.AddIndex(
            model_name="pricequote",
            index=models.Index(condition=models.Q(("effective_from__isnull", False)), fields=["market", "-effective_from"], name="effective_quote_by_market"),
        ),
        migrations.CreateModel(
            name="PriceGuard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("holds_from", models.DateTimeField()),
                ("mode", models.CharField(choices=[("on", "On"), ("watch", "Watch"), ("off", "Off")], max_length=8)),
                ("jump", models.DecimalField(decimal_places=4, max_digits=8)),
                ("agreement", models.DecimalField(decimal_places=4, max_digits=8)),
                ("dispute", models.DecimalField(decimal_places=4, max_digits=8)),
                ("changed_by", models.CharField(help_text="The two people, or `migration`", max_length=310)),
            ],
            options={
                "ordering": ("-holds_from", "-id"),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("mode__in", ["on", "watch", "off"])), name="a_guard_has_a_known_mode"),
                    models.CheckConstraint(condition=models.Q(("agreement__gt", 0), ("agreement__lt", models.F("jump")), ("dispute__gt", 0), ("jump__gt", 0), ("jump__lt", 1)), name="a_guard_agrees_on_less_than_a_jump"),
                    models.CheckConstraint(condition=models.Q(("changed_by", ""), _negated=True), name="a_guard_says_who"),
                ],
            },
        ),
        migrations.CreateModel(
            name="HeldJump",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("market", models.CharField(choices=[("mos_espa", "Mos Espa, Tatooine"), ("black_spire_outpost", "Black Spire Outpost, Batuu")], max_length=32)),
                ("reference", models.CharField(max_length=256)),
                ("sent_at", models.DateTimeField()),
                ("price", models.DecimalField(decimal_places=24, max_digits=44, null=True)),
                ("against", models.DecimalField(decimal_places=24, max_digits=44, null=True)),
                ("mode", models.CharField(choices=[("on", "On"), ("watch", "Watch"), ("off", "Off")], max_length=8)),
                ("outcome", models.CharField(choices=[("confirmed", "Confirmed"), ("replaced", "Replaced by another quote"), ("expired", "Expired")], max_length=16)),
                ("by", models.CharField(blank=True, help_text="The quote that confirmed or replaced it", max_length=300)),
                ("ended_at", models.DateTimeField()),
            ],
            options={
                "ordering": ("-sent_at", "-id"),
                "constraints": [models.UniqueConstraint(fields=("market", "reference", "sent_at"), name="a_jump_is_held_once")],
            },
        ),
        *append_only("pricing_priceguard", "pricing_heldjump"),
        migrations.RunPython(first_row, migrations.RunPython.noop),
    ]
