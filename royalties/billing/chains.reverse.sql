-- Back to what `billing.sql` made: a declaration weighs as long as it stands, whatever took its place.
CREATE OR REPLACE VIEW royalties_pooldeclaration AS
-- its own, while one of them stands, or where nothing else was billed that does
SELECT b.invoice_id, b.declaration_id
FROM royalties_invoicedeclaration b
JOIN royalties_invoice i ON i.id = b.invoice_id
WHERE i.kind = 'use'
  AND (EXISTS (SELECT FROM royalties_invoicedeclaration own
               JOIN licensing_declaration d ON d.id = own.declaration_id AND d.status = 'accepted'
               WHERE own.invoice_id = i.id)
       OR NOT EXISTS (SELECT FROM royalties_invoice o
                      JOIN royalties_invoicedeclaration other ON other.invoice_id = o.id
                      JOIN licensing_declaration d ON d.id = other.declaration_id AND d.status = 'accepted'
                      WHERE o.licence_id = i.licence_id AND o.period = i.period))
UNION ALL
-- else all that stand and were billed for the period, on whichever invoice or credit note
SELECT i.id, b.declaration_id
FROM royalties_invoice i
JOIN royalties_invoice o ON o.licence_id = i.licence_id AND o.period = i.period
JOIN royalties_invoicedeclaration b ON b.invoice_id = o.id
JOIN licensing_declaration d ON d.id = b.declaration_id AND d.status = 'accepted'
WHERE i.kind IN ('estimate', 'advance')
   OR i.kind = 'use' AND NOT EXISTS (SELECT FROM royalties_invoicedeclaration own
                                     JOIN licensing_declaration d ON d.id = own.declaration_id AND d.status = 'accepted'
                                     WHERE own.invoice_id = i.id);
