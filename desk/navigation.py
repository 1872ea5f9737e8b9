"""The side bar: the bank's words in the bank's order, each entry for those who may see its page."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from coruscant.approvals.models import Approval, Outcome

#: Title, icon, page, and the permission that its page asks for. A page is a URL name, with a query.
_DESK = (
    ("Overview", "dashboard", "admin:index", "loans.view_loan"),
    ("Loans", "account_balance", "admin:loans_loan_changelist", "loans.view_loan"),
    ("Liquidations", "sell", "admin:liquidation_liquidation_changelist", "liquidation.view_liquidation"),
    ("Margin calls", "notification_important", "admin:loans_margincall_changelist", "loans.view_margincall"),
    ("Approvals", "how_to_vote", "admin:approvals_approval_changelist", "approvals.view_approval"),
)
_RISK = (
    ("Stress test", "trending_down", "desk:stress", "desk.view_booksnapshot"),
    ("Policy replay", "history", "desk:replay", "desk.view_policyreplay"),
    ("Prices", "show_chart", "desk:prices", "pricing.view_pricequote"),
    ("Controls", "front_hand", "admin:controls_control_changelist", "controls.view_control"),
    ("Loan terms", "gavel", "admin:loans_loanterms_changelist", "loans.view_loanterms"),
    ("Price guard", "shield", "admin:pricing_priceguard_changelist", "pricing.view_priceguard"),
)
_BACK_OFFICE = (
    ("Orders", "swap_horiz", "admin:liquidation_tradeorder_changelist", "liquidation.view_tradeorder"),
    (
        "Reconciliation", "rule", "admin:liquidation_reconciliationdifference_changelist",
        "liquidation.view_reconciliationdifference",
    ),
    ("Liquidation events", "campaign", "admin:liquidation_liquidationevent_changelist",
     "liquidation.view_liquidationevent"),
    ("Loan events", "outgoing_mail", "admin:loans_loanevent_changelist", "loans.view_loanevent"),
    ("Rejected messages", "report", "admin:pricing_rejectedmessage_changelist", "pricing.view_rejectedmessage"),
    ("API clients", "hub", "admin:loans_apiclient_changelist", "loans.view_apiclient"),
    ("API credentials", "key", "admin:knox_authtoken_changelist", "knox.view_authtoken"),
    ("Restores", "restore", "admin:restores_restore_changelist", "restores.view_restore"),
)  # fmt: skip
#: For administrators, and their log for auditors; everybody else has no permission for it.
_PEOPLE = (
    ("People", "person", "admin:auth_user_changelist", "auth.view_user"),
    ("Groups", "group", "admin:auth_group_changelist", "auth.view_group"),
    ("Administrators' log", "manage_history", "admin:admin_logentry_changelist", "admin.view_logentry"),
)
GROUPS = (("Desk", _DESK), ("Risk", _RISK), ("Back office", _BACK_OFFICE), ("Administration", _PEOPLE))


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of the side bar with the pages that this person may see. Unfold calls it once a page."""
    return [
        {"title": title, "separator": title != "Desk", "items": items}
        for title, entries in GROUPS
        if (items := [_item(request, *entry) for entry in entries if request.user.has_perm(entry[3])])
    ]


def _item(request: HttpRequest, title: str, icon: str, page: str, permission: str) -> dict[str, Any]:
    link = reverse(page)
    active = request.path == link or (page != "admin:index" and request.path.startswith(link))
    found: dict[str, Any] = {"title": title, "icon": icon, "link": link, "active": active}
    if title == "Approvals" and (waiting := Approval.objects.filter(outcome=Outcome.ASKED).count()):
        found |= {"badge": str(waiting), "badge_variant": "warning"}
    return found
