"""Triggers write the history from here on: processes of the release before must have stopped (docs/upgrading.md)."""

from django.db import migrations, models

from coruscant.history.operations import InstallHistoryTriggers

_HELP = "The database role of the session: actor and reason can be forged, this not"


class Migration(migrations.Migration):

    dependencies = [("liquidation", "0007_words")]

    operations = [
        migrations.AddField(
            "historicalliquidation",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        migrations.AddField(
            "historicaltradeorder",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        migrations.AddField(
            "historicalliquidationevent",
            "history_session_user",
            models.CharField(help_text=_HELP, max_length=63, null=True),
        ),
        InstallHistoryTriggers("Liquidation"),
        InstallHistoryTriggers("TradeOrder"),
        InstallHistoryTriggers("LiquidationEvent"),
    ]
