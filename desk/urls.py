"""Every page of the desk, below /admin/desk/. Names begin with `desk:`."""

from django.contrib.admin import site
from django.urls import path

from desk.overview import page as overview
from desk.prices import page as prices
from desk.replay import pages as replay
from desk.stress import pages as stress

app_name = "desk"
urlpatterns = [
    path("overview/", overview.Figures.as_view(), name="overview"),
    path("prices/", prices.Prices.as_view(), name="prices"),
    path("prices/figures/", prices.Figures.as_view(), name="prices_figures"),
    path("stress/", stress.StressPage.as_view(), name="stress"),
    path("stress/csv/", stress.stress_csv, name="stress-csv"),
    path("stress/scenarios/save/", stress.save_scenario, name="save-scenario"),
    path("stress/scenarios/<int:pk>/delete/", stress.delete_scenario, name="delete-scenario"),
    path("replay/", replay.Replays.as_view(), name="replay"),
    path("replay/<int:pk>/", replay.Replay.as_view(), name="replay-detail"),
    path("replay/<int:pk>/differences.csv", site.admin_view(replay.differences_csv), name="replay-csv"),
]
