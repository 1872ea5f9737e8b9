"""I14 as SQL: whatever needed two people had two. `liquidation/invariants.py` runs it, and adds what two resolved."""

#: The keys of approvals that were not decided as they must be: agreed to by whoever asked, by an account younger than
#: a day, or too late; decided twice, or by somebody else than the log-in under which it was written.
TWO_PEOPLE = """
    SELECT a.id FROM approvals_approval a LEFT JOIN auth_user u ON u.id = a.decided_by_id
    WHERE a.outcome IN ('executed', 'failed') AND (
        a.decided_by_id IS NULL OR a.decided_by_id = a.asked_by_id OR a.decided_at >= a.expires_at
        OR u.date_joined > a.decided_at - interval '1 day')
    UNION
    SELECT id FROM (
        SELECT *, row_number() OVER (PARTITION BY id ORDER BY history_id) AS step FROM approvals_historicalapproval
    ) steps
    WHERE (step = 1 AND (outcome <> 'asked' OR history_user_id IS DISTINCT FROM asked_by_id))
       OR (step = 2 AND outcome <> 'expired' AND history_user_id IS DISTINCT FROM decided_by_id)
       OR (step = 2 AND outcome = 'asked')
       OR step > 2
"""
