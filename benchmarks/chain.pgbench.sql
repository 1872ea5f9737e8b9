-- Everything that is written for one liquidation that fills at its first order, in one transaction: lease, order, fill,
-- settlement and event, each with its history. Orders and events go to copies of their tables: inserts into the service's own
-- would meet its rules, and one liquidation is worked on many times. :liquidations is how many there are.
\set n random(1, :liquidations)
BEGIN;
SELECT 1 FROM loans_loan l JOIN liquidation_liquidation q ON q.loan_id = l.id WHERE q.id = :n FOR UPDATE OF l;
SELECT 1 FROM liquidation_liquidation WHERE id = :n FOR UPDATE;
UPDATE liquidation_liquidation SET fence = fence + 1, leased_until = now(), due_at = now() WHERE id = :n;
INSERT INTO benchmark_order (liquidation_id, sequence, market, request_id, quantity, quoted_unit_price, payload,
    status, venue_order_id, units_traded, proceeds, created_at, answered_at, sends, due_at)
  SELECT :n, coalesce(max(sequence), 0) + 1, 'mos_espa', gen_random_uuid()::text, 34, 29, repeat('p', 180), 'filled',
    gen_random_uuid()::text, 34, 1000, now(), now(), 1, now()
  FROM benchmark_order WHERE liquidation_id = :n;
INSERT INTO benchmark_answer (order_id, send, received_at, kind, text, stale)
  VALUES (currval('benchmark_order_id_seq'), 1, now(), 'success', repeat('a', 60), false);
INSERT INTO liquidation_historicaltradeorder (id, sequence, market, request_id, quantity, quoted_unit_price, payload,
    status, venue_order_id, units_traded, proceeds, created_at, answered_at, liquidation_id,
    history_date, history_type, history_change_reason, history_actor)
  SELECT o.id, sequence, market, request_id, quantity, quoted_unit_price, payload, status, venue_order_id, units_traded,
    proceeds, created_at, answered_at, liquidation_id, now(), kind, 'sell', 'system'
  FROM benchmark_order o, (VALUES ('+'), ('~')) AS step(kind)
  WHERE o.id = currval('benchmark_order_id_seq');
UPDATE loans_loan SET collateral = collateral, outstanding_balance = outstanding_balance WHERE id = (SELECT loan_id FROM liquidation_liquidation WHERE id = :n);
INSERT INTO loans_historicalloan (id, loan_id, borrower_id, amount, collateral, outstanding_balance, status, request_id,
    created_at, activated_at, prices_apply_from, history_date, history_type, history_change_reason, history_actor)
  SELECT l.id, l.loan_id, borrower_id, amount, collateral, outstanding_balance, l.status, request_id, created_at,
    activated_at, prices_apply_from, now(), '~', 'sell', 'system'
  FROM loans_loan l JOIN liquidation_liquidation q ON q.loan_id = l.id, generate_series(1, 2) WHERE q.id = :n;
UPDATE liquidation_liquidation SET collateral_sold = collateral_sold, proceeds = proceeds WHERE id = :n;
INSERT INTO liquidation_historicalliquidation (id, status, correlation_id, price, price_at, evidence, balance_at_claim,
    collateral_at_claim, claimed_at, collateral_sold, proceeds, surplus, shortfall, collateral_left, settled_at, loan_id,
    history_date, history_type, history_change_reason, history_actor)
  SELECT id, status, correlation_id, price, price_at, evidence, balance_at_claim, collateral_at_claim, claimed_at,
    collateral_sold, proceeds, surplus, shortfall, collateral_left, settled_at, loan_id, now(), '~', 'sell', 'system'
  FROM liquidation_liquidation, generate_series(1, 2) WHERE id = :n;
INSERT INTO benchmark_event (liquidation_id, event_id, body, created_at, sent_at, message_id, sends, due_at)
  VALUES (:n, gen_random_uuid(), repeat('b', 260), now(), now(), gen_random_uuid()::text, 1, now());
INSERT INTO liquidation_historicalliquidationevent (id, event_id, body, created_at, sent_at, message_id, liquidation_id,
    history_date, history_type, history_change_reason, history_actor)
  SELECT currval('benchmark_event_id_seq'), gen_random_uuid(), repeat('b', 260), now(), now(), gen_random_uuid()::text, :n,
    now(), kind, 'publish', 'system' FROM (VALUES ('+'), ('~')) AS step(kind);
COMMIT;
