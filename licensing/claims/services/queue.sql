-- A society's queue of unmatched items, added up from what is accepted now. On PostgreSQL; %(society)s is the society's id.
--
-- `worth` is a guide for the order of work, and never booked. Of each declaration's own fee, what its charges by unit make goes to the
-- units of their unit, the rest (flat fees, percentages, works counted) to the lines; minimum and cap stretch or press all of it alike.
-- Rounded half up, once an item.

DROP TABLE IF EXISTS queue_accepted, queue_prices, queue_parts, queue_now;

CREATE TEMP TABLE queue_accepted ON COMMIT DROP AS
SELECT d.id, (d.fee ->> 'amount')::numeric AS amount, d.fee ->> 'currency' AS currency,
       CASE WHEN jsonb_typeof(d.fee -> 'lines') = 'array' THEN d.fee -> 'lines' ELSE '[]' END AS charges
FROM licensing_declaration d JOIN licensing_licence l ON l.id = d.licence_id
WHERE l.society_id = %(society)s AND d.status = 'accepted' AND NOT d.sandbox;

ANALYZE queue_accepted;

-- What one unit and one line of each declaration stand for.
CREATE TEMP TABLE queue_prices ON COMMIT DROP AS
WITH priced AS (
  SELECT u.declaration_id, u.unit, sum(u.units) AS units, sum(u.lines) AS lines
  FROM licensing_declareduse u JOIN queue_accepted a ON a.id = u.declaration_id
  WHERE u.status = 'unmatched' OR (u.status = 'licensed' AND u.basis = 'licence')
  GROUP BY u.declaration_id, u.unit
), charged AS (
  SELECT a.id, c ->> 'unit' AS unit, sum((c ->> 'amount')::numeric) AS amount
  FROM queue_accepted a CROSS JOIN jsonb_array_elements(a.charges) c
  GROUP BY a.id, c ->> 'unit'
), by_unit AS (
  SELECT p.declaration_id, p.unit, p.units, p.lines, coalesce(c.amount, 0) AS amount
  FROM priced p LEFT JOIN charged c ON c.id = p.declaration_id AND c.unit = p.unit
), whole AS (
  SELECT b.declaration_id, sum(b.lines) AS lines, sum(b.amount) AS by_unit,
         (SELECT coalesce(sum(c.amount), 0) FROM charged c WHERE c.id = b.declaration_id) AS total
  FROM by_unit b GROUP BY b.declaration_id
)
SELECT b.declaration_id, b.unit, a.currency,
       CASE WHEN w.total > 0 THEN a.amount * b.amount / w.total / b.units ELSE 0 END AS a_unit,
       CASE WHEN w.total > 0 THEN a.amount * (w.total - w.by_unit) / w.total ELSE a.amount END / w.lines AS a_line
FROM by_unit b JOIN whole w ON w.declaration_id = b.declaration_id JOIN queue_accepted a ON a.id = b.declaration_id;

CREATE TEMP TABLE queue_parts ON COMMIT DROP AS
SELECT u.scheme, u.value, u.declaration_id, u.unit, min(u.kind) AS kind, sum(u.units) AS units, sum(u.lines) AS lines,
       min(u.used_on) AS first_day, max(u.used_on) AS last_day,
       min(u.title || E'\x1f' || u.creators) FILTER (WHERE u.title <> '') AS named
FROM licensing_declareduse u JOIN queue_accepted a ON a.id = u.declaration_id
WHERE u.status = 'unmatched'
GROUP BY u.scheme, u.value, u.declaration_id, u.unit;
ANALYZE queue_prices, queue_parts;  -- a new table is taken for a small one, and joined row by row

CREATE TEMP TABLE queue_now ON COMMIT DROP AS
WITH worths AS (  -- where fees are in several currencies, the one with the most counts
  SELECT DISTINCT ON (scheme, value) scheme, value, currency, worth
  FROM (SELECT q.scheme, q.value, p.currency, round(sum(p.a_unit * q.units + p.a_line * q.lines)) AS worth
        FROM queue_parts q JOIN queue_prices p ON p.declaration_id = q.declaration_id AND p.unit = q.unit
        WHERE p.currency IS NOT NULL
        GROUP BY q.scheme, q.value, p.currency) w
  ORDER BY scheme, value, worth DESC, currency
), units AS (
  SELECT scheme, value, jsonb_object_agg(unit, units) AS units
  FROM (SELECT scheme, value, unit, sum(units) AS units FROM queue_parts GROUP BY scheme, value, unit) u
  GROUP BY scheme, value
), items AS (
  SELECT scheme, value, min(kind) AS kind, sum(lines)::bigint AS lines, count(DISTINCT declaration_id)::int AS declarations,
         min(first_day) AS first_day, max(last_day) AS last_day,
         coalesce(split_part(min(named), E'\x1f', 1), '') AS title, coalesce(split_part(min(named), E'\x1f', 2), '') AS creators
  FROM queue_parts GROUP BY scheme, value
), told AS (
  SELECT i.*, u.units, coalesce(w.worth, 0)::bigint AS worth, coalesce(w.currency, 'KRW') AS currency,
         CASE WHEN i.scheme IN ('domain', 'url') THEN 'web:' || split_part(split_part(i.value, '?', 1), '/', 1)
              WHEN i.title <> '' THEN 'title:' || array_to_string(ARRAY[
                lower(btrim(regexp_replace(normalize(i.title), '\s+', ' ', 'g'))),
                nullif(lower(btrim(regexp_replace(normalize(i.creators), '\s+', ' ', 'g'))), '')], ' / ')
              WHEN i.scheme = 'title' THEN 'title:' || i.value END AS likeness
  FROM items i JOIN units u USING (scheme, value) LEFT JOIN worths w USING (scheme, value)
)
SELECT scheme, value, kind, lines, declarations, first_day, last_day, title, creators, units, worth, currency,
       coalesce(md5(likeness), '') AS alike
FROM told;

ANALYZE queue_now;

-- Rows are locked in their order, as people's decisions lock them, so that neither waits for the other for ever.
SELECT count(*) FROM (
  SELECT i.id FROM licensing_unmatched i LEFT JOIN queue_now n ON n.scheme = i.scheme AND n.value = i.value
  WHERE i.society_id = %(society)s
    AND (i.kind, i.lines, i.declarations, i.first_day, i.last_day, i.title, i.creators, i.units, i.worth, i.currency, i.alike)
        IS DISTINCT FROM
        (n.kind, n.lines, n.declarations, n.first_day, n.last_day, n.title, n.creators, n.units, n.worth, n.currency, n.alike)
  ORDER BY i.id FOR UPDATE OF i) locked;

UPDATE licensing_unmatched i
SET kind = n.kind, lines = n.lines, declarations = n.declarations, first_day = n.first_day, last_day = n.last_day, title = n.title,
    creators = n.creators, units = n.units, worth = n.worth, currency = n.currency, alike = n.alike, changed_at = now(),
    candidates_of = CASE WHEN (i.title, i.creators) = (n.title, n.creators) THEN i.candidates_of ELSE '' END
FROM queue_now n
WHERE i.society_id = %(society)s AND i.scheme = n.scheme AND i.value = n.value
  AND (i.kind, i.lines, i.declarations, i.first_day, i.last_day, i.title, i.creators, i.units, i.worth, i.currency, i.alike)
      IS DISTINCT FROM
      (n.kind, n.lines, n.declarations, n.first_day, n.last_day, n.title, n.creators, n.units, n.worth, n.currency, n.alike);

-- What no accepted declaration names any more keeps its name, its rule and its claims.
UPDATE licensing_unmatched i
SET lines = 0, declarations = 0, units = '{}', worth = 0, first_day = NULL, last_day = NULL, changed_at = now()
WHERE i.society_id = %(society)s AND i.lines > 0
  AND NOT EXISTS (SELECT FROM queue_now n WHERE n.scheme = i.scheme AND n.value = i.value);

INSERT INTO licensing_unmatched
  (society_id, scheme, value, title, creators, kind, units, lines, declarations, worth, currency, first_day, last_day, alike, status,
   candidates, candidates_of)
SELECT %(society)s, n.scheme, n.value, n.title, n.creators, n.kind, n.units, n.lines, n.declarations, n.worth, n.currency, n.first_day,
       n.last_day, n.alike, 'open', '[]', ''
FROM queue_now n
WHERE NOT EXISTS (SELECT FROM licensing_unmatched i
                  WHERE i.society_id = %(society)s AND i.scheme = n.scheme AND i.value = n.value)
ORDER BY md5(n.scheme || n.value), n.scheme, n.value;  -- the order of ids, which anybody can see, shall not tell of money
