-- The rows of a sample by units: those in which the drawn units lie, when all rows of the unit are laid end to end by what they say.
-- In PostgreSQL. `unit_sampling.chosen` says the same for a few rows; no number of the database has a part in it.
--
-- Parameters   sample, declaration, unit, points (the drawn units, counted from 0)
INSERT INTO licensing_auditline (sample_id, position, use_id, draws, finding, note)
WITH laid AS MATERIALIZED (
  SELECT id, sum(units) OVER (ORDER BY key COLLATE "C", id ROWS UNBOUNDED PRECEDING) - units AS start
  FROM (
    SELECT u.id, u.units, concat_ws('|', coalesce(w.ref, u.scheme || ':' || u.value), u.use, u.unit,
                                    to_char(u.used_on, 'YYYY-MM-DD'), u.status, u.basis) AS key
    FROM licensing_declareduse u
    LEFT JOIN licensing_work w ON w.id = u.work_id
    WHERE u.declaration_id = %(declaration)s AND u.unit = %(unit)s AND u.units > 0
  ) said
), placed AS (  -- each drawn unit behind the last row that starts before it, in one pass over both
  SELECT nth, max(begun) OVER (ORDER BY at, nth NULLS FIRST ROWS UNBOUNDED PRECEDING) AS start
  FROM (
    SELECT start AS at, start AS begun, NULL::bigint AS nth FROM laid
    UNION ALL
    SELECT point, NULL, nth FROM unnest(%(points)s::numeric[]) WITH ORDINALITY AS drawn (point, nth)
  ) both_kinds
)
SELECT %(sample)s, row_number() OVER (ORDER BY min(p.nth)), l.id, count(*), '', ''
FROM placed p JOIN laid l ON l.start = p.start
WHERE p.nth IS NOT NULL
GROUP BY l.id
