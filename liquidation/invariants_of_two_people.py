"""I14 of orders and restores as SQL: whatever needed two people had two. `invariants.py` runs it."""

from typing import Final

#: Name, promise, and the query that selects the key of every row that breaks it.
TWO_PEOPLE_OF_SALES: Final = (
    (
        "I14c",
        "what was adopted, explained or released after a restore was approved",
        """
        SELECT id FROM liquidation_reconciliationdifference d
        WHERE status IN ('adopted', 'explained') AND NOT EXISTS (
            SELECT FROM approvals_approval a WHERE a.outcome = 'executed'
            AND a.action = CASE d.status WHEN 'adopted' THEN 'liquidation.adopt' ELSE 'liquidation.explain' END
            AND a.arguments ->> 'difference_id' = d.id::text)
        UNION ALL
        SELECT id FROM restores_restore r WHERE claims_released_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM approvals_approval a WHERE a.outcome = 'executed' AND a.action = 'liquidation.release_claims'
            AND a.arguments ->> 'restore_id' = r.id::text)
        """,
    ),
    (
        "I14b",
        "what two people resolved was approved with these figures, and what was approved was booked",
        """
        WITH resolved AS (
            SELECT id::text AS order_id, CASE status WHEN 'filled' THEN 'liquidation.resolve_as_traded'
                ELSE 'liquidation.resolve_as_not_traded' END AS action, units_traded, proceeds
            FROM liquidation_historicaltradeorder WHERE starts_with(history_change_reason, 'resolve-by-two ')
        ), approved AS (
            SELECT arguments ->> 'order_id' AS order_id, action,
                (arguments ->> 'units')::numeric, (arguments ->> 'proceeds')::numeric
            FROM approvals_approval WHERE outcome = 'executed'
                AND action IN ('liquidation.resolve_as_traded', 'liquidation.resolve_as_not_traded')
        )
        SELECT order_id FROM (TABLE resolved EXCEPT TABLE approved) AS not_approved
        UNION ALL
        SELECT order_id FROM (TABLE approved EXCEPT TABLE resolved) AS not_booked
        """,
    ),
)
