"""Every page of the desk, below /admin/desk/. Names begin with `desk:`."""

from django.urls import path

from desk.overview.page import Figures

app_name = "desk"
urlpatterns = [
    path("overview", Figures.as_view(), name="overview"),
]
