"""Accounts of people in the admin, and the reset of a second factor. Devices, which hold secrets, have no pages."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from coruscant.second_factor import factors

for _model in (StaticDevice, TOTPDevice, User):
    admin.site.unregister(_model)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg, misc]
    """Accounts as Django shows them, but nobody makes one look older than it is: a young one may not agree.

    Nor does one get another name, or go and leave it: history and clients' requests have it, and whoever got it next
    would have those. The history of each says who has reset its second factor.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    readonly_fields = ("date_joined", "last_login")
    actions = ("reset_second_factor",)

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The name too, once there is one."""
        return (*self.readonly_fields, *(["username"] if obj else []))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody: one that is not needed any more is made inactive."""
        return False

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Whoever may delete devices, who need not be an administrator."""
        return bool(request.user.has_perm("otp_totp.delete_totpdevice"))

    @admin.action(description="Reset second factor: the device is lost", permissions=["reset"])
    def reset_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Of the selected people, but never of oneself."""
        by: Any = request.user
        for person in queryset:
            try:
                factors.reset(person, by=by, why="the device is lost")
            except factors.OwnSecondFactor as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"{person} has no second factor any more.")
