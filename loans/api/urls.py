"""The paths of the loan API."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
