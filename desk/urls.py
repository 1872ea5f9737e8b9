"""Every page of the desk, below /admin/desk/. Names begin with `desk:`."""

from django.urls import URLPattern

app_name = "desk"
urlpatterns: list[URLPattern] = []
