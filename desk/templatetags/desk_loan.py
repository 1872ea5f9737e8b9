"""Filters of the page of a loan, beside those of the whole desk: figures with all their digits."""

from django import template

from coruscant.admin import figures
from desk.loan import words

register = template.Library()

for _filter in (figures.page_of, words.amount, words.price):
    register.filter(_filter.__name__, _filter)
