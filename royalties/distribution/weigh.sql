-- What each work and each unmatched identifier of a pool weighs. One text for every engine; see `allocate.sql`.
--
-- Inputs   declared(pool, key, work_id, scheme, value, kind, "use", unit, used_on, units)
--              key: work_ref, or scheme:value of an unmatched identifier (then work_id is null); units: DECIMAL(38,0)
--          factor(kind, "use", unit, factor)        use weight × unit weight × kind points, at most 1,000,000
--          case_pool(pool, holder_id, holder_ref)   pools of compensation: their units come multiplied by the holder's ppm and
--                                                   weigh as they are; a holder on record has the whole of it, else it is null
--          held_share(work_id, holder_id, holder_ref, role, ppm, disputed, valid_from, valid_to)   days half-open, never null
-- Output   use_day, unit, weighed, share(…, holder_seq): the place of holder_ref in UTF-8 byte order

-- step use_day: the weight of a work or identifier on one day of use
SELECT d.pool, d.key, d.work_id, d.scheme, d.value, d.used_on,
       CAST(SUM(d.units * CAST(CASE WHEN c.pool IS NULL THEN f.factor ELSE 1 END AS DECIMAL(38,0))) AS DECIMAL(38,0)) AS weight
FROM declared d
LEFT JOIN case_pool c ON c.pool = d.pool
LEFT JOIN factor f ON f.kind = d.kind AND f."use" = d."use" AND f.unit = d.unit
WHERE c.pool IS NOT NULL OR f.factor IS NOT NULL
GROUP BY d.pool, d.key, d.work_id, d.scheme, d.value, d.used_on;

-- step unit: one allocation unit a work and one an unmatched identifier; seq is its place in UTF-8 byte order of the key
SELECT pool, key, work_id, scheme, value, weight, first_day, last_day,
       ROW_NUMBER() OVER (PARTITION BY pool ORDER BY key, CASE WHEN work_id IS NULL THEN 1 ELSE 0 END, work_id) AS seq
FROM (
  SELECT pool, key, work_id, scheme, value, CAST(SUM(weight) AS DECIMAL(38,0)) AS weight,
         MIN(used_on) AS first_day, MAX(used_on) AS last_day
  FROM use_day
  GROUP BY pool, key, work_id, scheme, value
) x;

-- step weighed: the pool's totals, for the guards and for the divisions
SELECT pool, COUNT(*) AS units, CAST(SUM(weight) AS DECIMAL(38,0)) AS total_weight
FROM unit
GROUP BY pool;

-- step holder: the order that breaks ties among shares
SELECT holder_id, holder_ref, ROW_NUMBER() OVER (ORDER BY holder_ref, holder_id) AS holder_seq
FROM (
  SELECT holder_id, holder_ref FROM held_share
  UNION
  SELECT holder_id, holder_ref FROM case_pool WHERE holder_id IS NOT NULL
) x;

-- step share: the shares with that order
SELECT s.work_id, s.holder_id, s.holder_ref, h.holder_seq, s.role, s.ppm, s.disputed, s.valid_from, s.valid_to
FROM held_share s
JOIN holder h ON h.holder_id = s.holder_id;
