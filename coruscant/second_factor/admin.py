"""People in the admin, with the action that resets a second factor. Devices, which hold secrets, have no pages."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from coruscant.approvals.admin import AccountAdmin
from coruscant.second_factor import factors

for _model in (StaticDevice, TOTPDevice, User):
    admin.site.unregister(_model)


@admin.register(User)
class PersonAdmin(AccountAdmin):
    """Accounts as approvals keep them. The history of each says who has reset its second factor."""

    actions = ("reset_second_factor",)

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
