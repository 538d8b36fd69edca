-- What incoming bank entries may be for: one row an (entry, invoice) for which something speaks, and what speaks for it.
-- Joined by keys and never each with each: the year and place of an invoice's number as found in the text, the amount, the payer.
WITH entry AS MATERIALIZED (
  SELECT e.id, e.amount - e.applied AS left_over, e.currency, e.counterparty_account, e.instructed_amount, e.instructed_currency,
         upper(regexp_replace(concat_ws(' ', e.reference, e.purpose, e.end_to_end_id, e.counterparty), '[^0-9A-Za-z가-힣]', '', 'g')) AS text,
         concat_ws(' ', e.reference, e.purpose, e.end_to_end_id, e.counterparty) AS raw,
         {payer_plain} AS payer
  FROM royalties_entry e
  WHERE e.society_id = %(society)s AND e.sign = 1 AND e.status <> 'applied' AND NOT e.reversal
    AND (%(entries)s::bigint[] IS NULL OR e.id = ANY (%(entries)s::bigint[]))
), invoice AS MATERIALIZED (
  SELECT i.id, i.licensee_id, i.currency, i.gross - i.received - i.carried - i.credited - i.written_off AS open, i.due_on,
         upper(regexp_replace(i.number, '[^0-9A-Za-z가-힣]', '', 'g')) AS plain,
         substring(i.number FROM '([0-9]{4})-[0-9]+$') AS year, substring(i.number FROM '([0-9]+)$') AS place
  FROM royalties_invoice i
  WHERE i.society_id = %(society)s AND i.kind <> 'credit' AND i.gross > i.received + i.carried + i.credited + i.written_off
), licensee AS (
  SELECT o.id, {name_plain} AS name, {name_ko_plain} AS name_ko
  FROM accounts_organisation o WHERE o.id IN (SELECT licensee_id FROM invoice)
), known AS (  -- whose account it was before
  SELECT DISTINCT e.counterparty_account AS account, i.licensee_id
  FROM royalties_receipt r JOIN royalties_entry e ON e.id = r.entry_id JOIN royalties_invoice i ON i.id = r.invoice_id
  WHERE r.society_id = %(society)s AND e.counterparty_account <> ''
), payer AS (
  SELECT e.id AS entry_id, l.id AS licensee_id, true AS named, false AS before FROM entry e JOIN licensee l ON l.name = e.payer AND e.payer <> ''
  UNION ALL
  SELECT e.id, l.id, true, false FROM entry e JOIN licensee l ON l.name_ko = e.payer AND e.payer <> ''
  UNION ALL
  SELECT e.id, k.licensee_id, false, true FROM entry e JOIN known k ON k.account = e.counterparty_account
), payers AS (
  SELECT entry_id, licensee_id, bool_or(named) AS named, bool_or(before) AS before FROM payer GROUP BY 1, 2
), numbered AS (
  SELECT DISTINCT e.id AS entry_id, i.id AS invoice_id, strpos(e.text, i.plain) > 0 AS whole
  FROM entry e
  CROSS JOIN LATERAL regexp_matches(e.raw, '(20[0-9]{2})[^0-9]{0,2}([0-9]{4,9})', 'g') AS found (part)
  JOIN invoice i ON i.year = found.part[1] AND i.place = found.part[2]
), candidate AS (
  SELECT entry_id, invoice_id FROM numbered
  UNION
  SELECT e.id, i.id FROM entry e JOIN invoice i ON i.currency = e.currency AND i.open = e.left_over
  UNION
  SELECT e.id, i.id FROM entry e JOIN invoice i ON i.currency = e.instructed_currency AND i.open = e.instructed_amount
  UNION
  SELECT p.entry_id, i.id FROM payers p
  CROSS JOIN LATERAL (SELECT id FROM invoice i WHERE i.licensee_id = p.licensee_id ORDER BY i.due_on, i.id LIMIT 20) i
)
SELECT c.entry_id, c.invoice_id, e.left_over, i.open, i.licensee_id, e.currency = i.currency AS same_currency,
       coalesce(n.whole, false) AS number, n.entry_id IS NOT NULL AND NOT n.whole AS short_number,
       e.currency = i.currency AND e.left_over = i.open OR e.instructed_currency = i.currency AND e.instructed_amount = i.open AS amount,
       coalesce(p.named, false) AS named, coalesce(p.before, false) AS before
FROM candidate c
JOIN entry e ON e.id = c.entry_id
JOIN invoice i ON i.id = c.invoice_id
LEFT JOIN numbered n ON n.entry_id = c.entry_id AND n.invoice_id = c.invoice_id
LEFT JOIN payers p ON p.entry_id = c.entry_id AND p.licensee_id = i.licensee_id
ORDER BY c.entry_id, i.due_on, c.invoice_id
