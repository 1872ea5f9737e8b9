"""Django's Redis cache with one client for all calls."""

import pytest
from django.core.cache import cache

pytestmark = pytest.mark.usefixtures("clean_cache")


def test_what_is_set_is_found_by_the_same_client():
    client = cache._cache.get_client(write=True)
    assert cache.set("droid", {"name": "IG-11"}) is None
    assert cache.get("droid") == {"name": "IG-11"}
    assert cache._cache.get_client("droid") is client
    assert cache.delete("droid")
    assert cache.get("droid", "gone") == "gone"
