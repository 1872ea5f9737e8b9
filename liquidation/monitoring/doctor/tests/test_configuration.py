"""Settings that are only for trying out are named, and their values are not shown."""

import pytest

from liquidation.monitoring.doctor import configuration
from liquidation.monitoring.doctor.trouble import Trouble


def test_settings_for_trying_out_are_named_without_their_values(settings):
    with pytest.raises(Trouble) as trouble:
        configuration.settings_are_safe()
    assert "SECRET_KEY is public" in trouble.value.found
    assert "DEMO is true." in trouble.value.found
    assert settings.SECRET_KEY not in trouble.value.found
    assert trouble.value.only_with_real_money


def test_what_django_has_to_say_is_passed_on_with_its_hint(settings):
    settings.SESSION_COOKIE_SECURE = False
    with pytest.raises(Trouble, match=r"security\.W012"):
        configuration.django_is_content()
