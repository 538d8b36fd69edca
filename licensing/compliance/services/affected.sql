-- Whom a batch of reservations concerns: licensees who declared what it covers, or whose licence covers it now.
--
-- Parameters  reservations, the batch; today
--             places      JSON: [{reservation, place, host, path, fits, excepting[]}], texts for LIKE … ESCAPE '!'; fits null: all
--
-- A work and a holder's works are of one society, whose declarations and licences count; a place or identifier is reserved for everyone's.
-- Declarations count once they are submitted, never a sandbox's.
WITH asked AS MATERIALIZED (
  SELECT id, society_id, target, work_id, holder_id, scheme, value, uses, territory
  FROM licensing_reservation WHERE id = ANY(%(reservations)s)
), place AS MATERIALIZED (
  SELECT p.* FROM jsonb_to_recordset(%(places)s::jsonb) AS p(reservation bigint, place text, host text, fits text, excepting text[])
), located AS MATERIALIZED (
  -- Web identifiers of works, and declared ones that matched none, at or below a place: by their host and the hosts above it.
  SELECT 'work' AS found, p.reservation, i.work_id, NULL::bigint AS declaration_id
  FROM licensing_identifier i
  CROSS JOIN LATERAL (SELECT split_part(i.value, '/', 1) AS host) h
  CROSS JOIN LATERAL (SELECT array_to_string((string_to_array(h.host, '.'))[n:], '.') AS above
                      FROM generate_series(1, array_length(string_to_array(h.host, '.'), 1)) n) x
  JOIN place p ON p.host = x.above
  WHERE i.scheme IN ('url', 'domain') AND EXISTS (SELECT FROM place)
    AND (p.place = p.host OR i.value = p.place OR starts_with(i.value, p.place || '/') OR starts_with(i.value, p.place || '?'))
    AND (p.fits IS NULL OR i.value LIKE p.fits ESCAPE '!')
    AND NOT EXISTS (SELECT FROM unnest(p.excepting) e WHERE i.value LIKE e ESCAPE '!')
  UNION ALL
  SELECT 'use', p.reservation, NULL, u.declaration_id
  FROM (SELECT DISTINCT u.declaration_id, u.value FROM licensing_declareduse u
        JOIN licensing_declaration d ON d.id = u.declaration_id AND d.status IN ('submitted', 'accepted') AND NOT d.sandbox
        WHERE u.work_id IS NULL AND u.scheme IN ('url', 'domain') AND EXISTS (SELECT FROM place)) u
  CROSS JOIN LATERAL (SELECT split_part(u.value, '/', 1) AS host) h
  CROSS JOIN LATERAL (SELECT array_to_string((string_to_array(h.host, '.'))[n:], '.') AS above
                      FROM generate_series(1, array_length(string_to_array(h.host, '.'), 1)) n) x
  JOIN place p ON p.host = x.above
  WHERE (p.place = p.host OR u.value = p.place OR starts_with(u.value, p.place || '/') OR starts_with(u.value, p.place || '?'))
    AND (p.fits IS NULL OR u.value LIKE p.fits ESCAPE '!')
    AND NOT EXISTS (SELECT FROM unnest(p.excepting) e WHERE u.value LIKE e ESCAPE '!')
), work AS (
  SELECT id AS reservation, work_id FROM asked WHERE work_id IS NOT NULL
  UNION
  SELECT a.id, s.work_id FROM asked a JOIN licensing_share s ON s.holder_id = a.holder_id WHERE a.target = 'holder'
  UNION
  SELECT a.id, i.work_id FROM asked a JOIN licensing_identifier i
    ON i.scheme = a.scheme AND i.value = a.value WHERE a.target = 'identifier'
  UNION
  SELECT reservation, work_id FROM located WHERE found = 'work'
), declared AS (
  SELECT w.reservation, u.declaration_id FROM work w JOIN licensing_declareduse u ON u.work_id = w.work_id
  UNION
  SELECT reservation, declaration_id FROM located WHERE found = 'use'
  UNION
  SELECT a.id, u.declaration_id FROM asked a JOIN licensing_declareduse u
    ON u.work_id IS NULL AND u.scheme = a.scheme AND u.value = a.value WHERE a.target = 'identifier'
), by_use AS (
  SELECT c.reservation, l.licensee_id, array_agg(DISTINCT d.id ORDER BY d.id) AS declarations
  FROM declared c JOIN asked a ON a.id = c.reservation
  JOIN licensing_declaration d ON d.id = c.declaration_id AND d.status IN ('submitted', 'accepted') AND NOT d.sandbox
  JOIN licensing_licence l ON l.id = d.licence_id AND (l.society_id = a.society_id OR a.target IN ('place', 'identifier'))
  GROUP BY 1, 2
), kind AS (
  SELECT w.reservation, k.kind FROM work w JOIN licensing_work k ON k.id = w.work_id GROUP BY 1, 2
  UNION
  SELECT id, 'web' FROM asked WHERE target = 'place' OR scheme IN ('url', 'domain')
  UNION
  SELECT a.id, k.kind FROM asked a JOIN jsonb_each_text(%(kinds)s::jsonb) AS k(scheme, kind) ON k.scheme = a.scheme
), by_licence AS (
  SELECT a.id AS reservation, l.licensee_id, array_agg(DISTINCT l.ref ORDER BY l.ref) AS licences
  FROM asked a
  JOIN licensing_licence l ON (l.society_id = a.society_id OR a.target IN ('place', 'identifier'))
    AND l.status = 'active' AND l.valid @> %(today)s::date
    AND (l.uses && a.uses OR '*' = ANY(l.uses) OR '*' = ANY(a.uses))
    AND (l.territory && a.territory OR '*' = ANY(l.territory) OR '*' = ANY(a.territory))
  WHERE '*' = ANY(l.kinds) OR EXISTS (SELECT FROM kind k WHERE k.reservation = a.id AND k.kind = ANY(l.kinds))
  GROUP BY 1, 2
)
INSERT INTO licensing_reservationnotice (reservation_id, licensee_id, because, sent_at, due_on)
SELECT coalesce(u.reservation, c.reservation), coalesce(u.licensee_id, c.licensee_id),
       jsonb_build_object('declarations', coalesce(to_jsonb(u.declarations[1:100]), '[]'::jsonb), 'licences', coalesce(to_jsonb(c.licences), '[]'::jsonb)),
       now(), %(due_on)s
FROM by_use u FULL JOIN by_licence c ON c.reservation = u.reservation AND c.licensee_id = u.licensee_id
ON CONFLICT DO NOTHING
RETURNING id, reservation_id, licensee_id
