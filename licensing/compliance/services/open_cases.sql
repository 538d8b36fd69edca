-- Cases of one declaration, in one statement: its uses that nothing allowed, divided among those who held the works on the
-- day of use, with counts, sums, money and explanation. Two uses of it make each case once.
--
-- Parameters  declaration, society, licensee, currency (of the cases)
--             charges   JSON: [{place, name, amount, uses, kinds, unit, per_work}] what each charge of the tariff comes to
--             fee       what they come to together (a cap, or only the greatest charge, may make it less)
--             multiple, per_work (null: none), terms (id, null: none)
--             earlier   ids of declarations that this one supersedes: what was settled for them is not asked for again
--
-- ppm: over all roles. What no holder has of a work on that day, and what matched no work, is holder 0: nobody on record.
-- Money is divided by largest remainder, ties to the smaller holder ref in bytes, nobody last: charge by charge, by
-- units × ppm (works × ppm where a charge counts works), then the fee by the sums. So the cases sum to the fee exactly.
WITH used AS MATERIALIZED (
  SELECT u.id, u.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, u.status, u.units, u.lines
  FROM licensing_declareduse u
  WHERE u.declaration_id = %(declaration)s AND u.status IN ('reserved', 'unmandated', 'unlicensed')
), held AS MATERIALIZED (
  SELECT d.work_id, d.used_on, s.holder_id AS holder, sum(s.ppm) AS ppm
  FROM (SELECT DISTINCT work_id, used_on FROM used WHERE work_id IS NOT NULL) d
  JOIN licensing_share s ON s.work_id = d.work_id AND s.valid @> d.used_on
  GROUP BY 1, 2, 3
), owned AS (
  SELECT work_id, used_on, sum(ppm) AS ppm FROM held GROUP BY 1, 2
), part AS MATERIALIZED (
  SELECT h.holder, h.ppm, u.* FROM used u JOIN held h ON h.work_id = u.work_id AND h.used_on = u.used_on
  UNION ALL
  SELECT 0, 1000000 - coalesce(o.ppm, 0), u.*
  FROM used u LEFT JOIN owned o ON o.work_id = u.work_id AND o.used_on = u.used_on
  WHERE coalesce(o.ppm, 0) < 1000000
), charge AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%(charges)s::jsonb)
    AS c(place int, name text, amount bigint, uses text[], kinds text[], unit text, per_work boolean)
), asked AS (
  SELECT DISTINCT kind, use, unit FROM used
), fit AS MATERIALIZED (
  SELECT a.kind, a.use, a.unit, c.place, c.per_work FROM asked a JOIN charge c
    ON (c.uses && ARRAY['*', a.use::text]) AND (c.kinds && ARRAY['*', a.kind::text]) AND c.unit IN ('*', a.unit)
), weighed AS (
  SELECT f.place, p.holder, sum(p.units * p.ppm) AS weight
  FROM part p JOIN fit f ON f.kind = p.kind AND f.use = p.use AND f.unit = p.unit AND NOT f.per_work
  GROUP BY 1, 2
  UNION ALL
  SELECT place, holder, sum(ppm)
  FROM (SELECT f.place, p.holder, max(p.ppm) AS ppm
        FROM part p JOIN fit f ON f.kind = p.kind AND f.use = p.use AND f.unit = p.unit AND f.per_work
        GROUP BY f.place, p.holder, p.work_id, p.scheme, p.value) w
  GROUP BY 1, 2
), placed AS (
  SELECT w.place, w.holder, w.weight, c.name, c.amount, h.ref COLLATE "C" AS ref,
         sum(w.weight) OVER (PARTITION BY w.place) AS total
  FROM weighed w JOIN charge c ON c.place = w.place LEFT JOIN licensing_holder h ON h.id = w.holder
), quota AS (
  SELECT *, div(amount * weight, total) AS quota,
         row_number() OVER (PARTITION BY place ORDER BY mod(amount * weight, total) DESC, ref NULLS LAST) AS rank
  FROM placed
), line AS (
  SELECT *, quota + CASE WHEN rank <= amount - sum(quota) OVER (PARTITION BY place) THEN 1 ELSE 0 END AS part FROM quota
), priced AS (
  SELECT holder, ref, sum(part) AS weight,
         jsonb_agg(jsonb_build_object('name', name, 'amount', amount, 'weight', weight::text, 'total', total::text, 'part', part)
                   ORDER BY place) AS charges
  FROM line GROUP BY 1, 2
), whole AS (
  SELECT *, sum(weight) OVER () AS total,
         div(%(fee)s::numeric * weight, greatest(sum(weight) OVER (), 1)) AS quota FROM priced
), ranked AS (
  SELECT *, row_number() OVER (ORDER BY mod(%(fee)s::numeric * weight, greatest(total, 1)) DESC, ref NULLS LAST) AS rank FROM whole
), ordinary AS (
  SELECT holder, charges, weight,
         quota + CASE WHEN total > 0 AND rank <= %(fee)s::numeric - sum(quota) OVER () THEN 1 ELSE 0 END AS amount
  FROM ranked
), summed AS (
  SELECT p.holder, sum(p.lines)::bigint AS lines,
         count(DISTINCT p.work_id) + count(DISTINCT (p.scheme, p.value)) FILTER (WHERE p.work_id IS NULL) AS works,
         coalesce(sum(p.lines) FILTER (WHERE f.use IS NULL), 0)::bigint AS unpriced
  FROM part p LEFT JOIN (SELECT DISTINCT kind, use, unit FROM fit) f ON f.kind = p.kind AND f.use = p.use AND f.unit = p.unit
  GROUP BY 1
), by_unit AS (
  SELECT holder, jsonb_object_agg(unit, units) AS units FROM (SELECT holder, unit, sum(units) AS units FROM part GROUP BY 1, 2) x GROUP BY 1
), by_reason AS (
  SELECT holder, jsonb_object_agg(status, lines) AS reasons
  FROM (SELECT holder, status, sum(lines) AS lines FROM part GROUP BY 1, 2) x GROUP BY 1
), before AS (
  SELECT coalesce(holder_id, 0) AS holder, sum(amount)::bigint AS amount
  FROM licensing_case WHERE declaration_id = ANY(%(earlier)s::bigint[]) AND status = 'settled' GROUP BY 1
), money AS (
  SELECT s.*, u.units, r.reasons, o.amount::bigint AS ordinary, o.weight::bigint AS of_charges, o.charges,
         coalesce(b.amount, 0) AS before,
         greatest(CASE WHEN o.amount IS NOT NULL THEN round(o.amount * %(multiple)s::numeric) END,
                  s.works * %(per_work)s::bigint) AS asked
  FROM summed s JOIN by_unit u ON u.holder = s.holder JOIN by_reason r ON r.holder = s.holder
  LEFT JOIN ordinary o ON o.holder = s.holder LEFT JOIN before b ON b.holder = s.holder
), made AS (
  INSERT INTO licensing_case (declaration_id, society_id, licensee_id, holder_id, status, works, lines, units, reasons, currency,
                              ordinary, proposed, explanation, answer, outcome, offered_why)
  SELECT %(declaration)s, %(society)s, %(licensee)s, nullif(m.holder, 0), 'open', m.works, m.lines, m.units, m.reasons, %(currency)s,
         m.ordinary, CASE WHEN m.asked IS NOT NULL THEN greatest(m.asked - m.before, 0)::bigint END,
         jsonb_build_object('charges', coalesce(m.charges, '[]'::jsonb), 'of_charges', m.of_charges, 'unpriced', m.unpriced,
                            'multiple', %(multiple)s::text, 'per_work', %(per_work)s::bigint, 'settled_before', m.before,
                            'terms', %(terms)s::bigint), '', '', ''
  FROM money m LEFT JOIN licensing_holder h ON h.id = m.holder
  ORDER BY h.ref COLLATE "C" NULLS LAST
  ON CONFLICT DO NOTHING
  RETURNING id, coalesce(holder_id, 0) AS holder, ordinary, proposed
), filled AS (
  INSERT INTO licensing_caseuse (case_id, work_id, scheme, value, kind, use, unit, used_on, status, ppm, units, lines)
  SELECT m.id, p.work_id, p.scheme, p.value, p.kind, p.use, p.unit, p.used_on, p.status, p.ppm, p.units, p.lines
  FROM part p JOIN made m ON m.holder = p.holder
)
SELECT count(*), coalesce(sum(ordinary), 0)::bigint, coalesce(sum(proposed), 0)::bigint FROM made
