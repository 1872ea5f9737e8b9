"""I15 as SQL: every transition of a loan has one event since the topic was named. `invariants` runs it."""

#: The loans (primary keys) with a transition and no event, or an event and no transition, or an event that does not
#: say what the books say. Transitions from before the topic was named may have none.
ONE_EVENT_A_TRANSITION = """
    WITH happened AS (
        SELECT id AS loan_id, 'application' AS event_type, created_at AS at FROM loans_loan
        UNION ALL SELECT id, 'activation', activated_at FROM loans_loan WHERE activated_at IS NOT NULL
        UNION ALL SELECT loan_id, 'margin-notice', noticed_at FROM loans_marginnotice
        UNION ALL SELECT loan_id, 'margin-call', opened_at FROM loans_margincall
        UNION ALL SELECT loan_id, 'margin-call-cleared', closed_at FROM loans_margincall WHERE close_reason = 'cleared'
        UNION ALL SELECT loan_id, 'liquidation-started', claimed_at FROM liquidation_liquidation
    ), told AS (
        SELECT loan_id, event_type, created_at AS at FROM loans_loanevent
    ), figures AS (
        SELECT loan_id, 'margin-call' AS event_type, opened_at AS at, outstanding_balance, collateral
        FROM loans_margincall
        UNION ALL SELECT loan_id, 'margin-notice', noticed_at, outstanding_balance, collateral FROM loans_marginnotice
        UNION ALL SELECT loan_id, 'liquidation-started', claimed_at, balance_at_claim, collateral_at_claim
        FROM liquidation_liquidation
    )
    SELECT loan_id FROM (
        SELECT * FROM happened WHERE at >= (SELECT since FROM loans_loaneventtopic) EXCEPT ALL TABLE told
    ) AS untold
    UNION ALL
    SELECT loan_id FROM (TABLE told EXCEPT ALL TABLE happened) AS invented
    UNION ALL
    SELECT e.loan_id FROM (
        SELECT *, body::json AS says, row_number() OVER (PARTITION BY loan_id ORDER BY sequence) AS place
        FROM loans_loanevent
    ) e JOIN loans_loan l ON l.id = e.loan_id
    LEFT JOIN figures f ON f.loan_id = e.loan_id AND f.event_type = e.event_type AND f.at = e.created_at
    WHERE e.sequence <> e.place
       OR e.says ->> 'eventId' IS DISTINCT FROM e.event_id::text
       OR e.says ->> 'eventType' IS DISTINCT FROM e.event_type
       OR e.says ->> 'sequence' IS DISTINCT FROM e.sequence::text
       OR e.says ->> 'status' IS DISTINCT FROM CASE e.event_type
            WHEN 'application' THEN 'new' WHEN 'liquidation-started' THEN 'liquidating' ELSE 'active' END
       OR e.says ->> 'loanId' IS DISTINCT FROM l.loan_id
       OR e.says ->> 'borrowerId' IS DISTINCT FROM l.borrower_id
       OR (e.says ->> 'amount')::numeric IS DISTINCT FROM l.amount
       OR (e.says ->> 'outstandingBalance')::numeric <> f.outstanding_balance
       OR (e.says ->> 'collateral')::numeric <> f.collateral
"""

#: Events (ids) that are not sent, ending with the instant at which each is due.
UNSENT = """
    SELECT event_id FROM loans_loanevent
    WHERE sent_at IS NULL AND EXISTS (SELECT FROM loans_loaneventtopic) AND due_at
"""
