"""The two pages of a second factor: one asks for a code, one enrols an authenticator."""

from base64 import b32encode
from binascii import unhexlify
from typing import Any

import django_otp
import segno
from django import forms
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant.second_factor import factors

#: Where a session keeps the secret that it is shown. It is of one session: what another one saw opens nothing.
_KEY = "second_factor_key"


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label="Code",
        max_length=16,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )

    def clean_code(self) -> str:
        """As people copy it: with blanks, or in capitals."""
        return "".join(str(self.cleaned_data["code"]).split()).lower()


@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Ask for a code of the authenticator, or a backup code."""
    user: Any = request.user
    if not user.is_authenticated or user.is_verified():
        return redirect("admin:index")
    if not factors.has_one(user):
        return redirect("second_factor:enrol")
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if device := factors.right_device(user, form.cleaned_data["code"]):
            return _verified(request, device)
        form.add_error("code", "This code is wrong or was used before. Wait a moment, then enter the next one.")
    return _page(request, "show", form, title="Second factor")


@never_cache
def enrol(request: HttpRequest) -> HttpResponse:
    """Show a secret as a QR code and take a code in return, then show the backup codes, once.

    Whoever has a second factor already must have shown it.
    """
    user: Any = request.user
    if not user.is_authenticated:
        return redirect("admin:login")
    replaces = factors.has_one(user)
    if replaces and not user.is_verified():
        return redirect("second_factor:show")
    key = request.session.setdefault(_KEY, random_hex())
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if enrolled := factors.enrol(user, key, form.cleaned_data["code"], replaces=replaces):
            device, codes = enrolled
            del request.session[_KEY]
            onwards = _verified(request, device).url
            return _page(request, "codes", form, title="Backup codes", codes=codes, onwards=onwards)
        form.add_error("code", "This is not the code of now. Wait for the next one, and check the time of your device.")
    secret = b32encode(unhexlify(key)).decode()
    code = segno.make(TOTPDevice(user=user, key=key).config_url, error="m")
    return _page(
        request, "enrol", form, title="Second factor", replaces=replaces,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=code.svg_data_uri(scale=5, border=4, light="white"),
    )  # fmt: skip


def _verified(request: HttpRequest, device: Any) -> HttpResponseRedirect:
    """The session has shown its second factor from now on, under a new id; go to where the person was led from."""
    django_otp.login(request, device)
    request.session.cycle_key()
    onwards = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(onwards, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(onwards if safe else reverse("admin:index"))


def _page(request: HttpRequest, name: str, form: forms.Form, **context: Any) -> HttpResponse:
    page = {**site.each_context(request), "form": form, **context}
    return TemplateResponse(request, f"second_factor/{name}.html", page).render()
