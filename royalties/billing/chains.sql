-- Whose uses weigh in the pool of an invoice, by licence and billing period: see `PoolDeclaration`. Where a declaration was amended,
-- what took its place weighs instead, and never both: once that is billed; until then the money waits.
CREATE OR REPLACE VIEW royalties_pooldeclaration AS
WITH RECURSIVE chain(declaration_id, last_id) AS (
  SELECT d.supersedes_id, d.id FROM licensing_declaration d
  WHERE d.supersedes_id IS NOT NULL AND d.status IN ('accepted', 'superseded')
  UNION ALL
  SELECT c.declaration_id, d.id FROM chain c JOIN licensing_declaration d ON d.supersedes_id = c.last_id
  WHERE d.status IN ('accepted', 'superseded')
), own AS (
  SELECT b.invoice_id, i.licence_id, i.period, coalesce(c.last_id, b.declaration_id) AS declaration_id,
         EXISTS (SELECT FROM royalties_invoicedeclaration o JOIN royalties_invoice n ON n.id = o.invoice_id
                 WHERE o.declaration_id = coalesce(c.last_id, b.declaration_id) AND n.licence_id = i.licence_id) AS billed
  FROM royalties_invoicedeclaration b
  JOIN royalties_invoice i ON i.id = b.invoice_id AND i.kind = 'use'
  LEFT JOIN (SELECT c.declaration_id, c.last_id FROM chain c JOIN licensing_declaration d ON d.id = c.last_id AND d.status = 'accepted') c
    ON c.declaration_id = b.declaration_id
), standing AS (
  SELECT o.invoice_id, o.declaration_id, o.billed FROM own o
  JOIN licensing_declaration d ON d.id = o.declaration_id AND d.status = 'accepted'
)
-- its own, as they stand now
SELECT DISTINCT s.invoice_id, s.declaration_id FROM standing s
WHERE NOT EXISTS (SELECT FROM standing w WHERE w.invoice_id = s.invoice_id AND NOT w.billed)
UNION ALL
-- else all that stand and were billed for the period, on whichever invoice or credit note
SELECT i.id, b.declaration_id
FROM royalties_invoice i
JOIN royalties_invoice o ON o.licence_id = i.licence_id AND o.period = i.period
JOIN royalties_invoicedeclaration b ON b.invoice_id = o.id
JOIN licensing_declaration d ON d.id = b.declaration_id AND d.status = 'accepted'
WHERE i.kind IN ('estimate', 'advance')
   OR i.kind = 'use' AND NOT EXISTS (SELECT FROM standing s WHERE s.invoice_id = i.id);
