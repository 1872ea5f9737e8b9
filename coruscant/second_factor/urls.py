"""The pages of a second factor, below /admin/second-factor/. Names begin with `second_factor:`."""

from django.urls import path

from coruscant.second_factor import pages

app_name = "second_factor"
urlpatterns = [
    path("", pages.show, name="show"),
    path("enrol/", pages.enrol, name="enrol"),
]
