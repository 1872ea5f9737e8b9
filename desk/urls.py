"""Every page of the desk, below /admin/desk/. Names begin with `desk:`."""

from django.urls import path

from desk.overview.page import Figures
from desk.prices.page import Figures as PricesFigures
from desk.prices.page import Prices

app_name = "desk"
urlpatterns = [
    path("overview", Figures.as_view(), name="overview"),
    path("prices", Prices.as_view(), name="prices"),
    path("prices/figures", PricesFigures.as_view(), name="prices_figures"),
]
