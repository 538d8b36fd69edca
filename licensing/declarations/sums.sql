-- What a declaration comes to: a few rows that pages and checks read in the place of millions.
--
-- Inputs   permitted(work_id, scheme, value, kind, use, unit, status, units, lines)      see permissions/permit.sql
-- Output   summed      one row a (status, matched, use, kind, unit)
--          hosted      of each unit the 200 sites with most units: a registered one by its work, else by its host

-- step summed: by how it ended
SELECT status, CASE WHEN work_id IS NULL THEN 0 ELSE 1 END AS matched, use, kind, unit,
       CAST(COUNT(*) AS BIGINT) AS many, CAST(SUM(lines) AS BIGINT) AS lines, CAST(SUM(units) AS DECIMAL(38,0)) AS units,
       CAST(SUM(CASE WHEN units >= 10000 THEN 1 ELSE 0 END) AS BIGINT) AS large,
       CAST(SUM(CASE WHEN units >= 10000 AND units % 1000 = 0 THEN 1 ELSE 0 END) AS BIGINT) AS rounded,
       CAST(MIN(units) AS DECIMAL(38,0)) AS least, CAST(MAX(units) AS DECIMAL(38,0)) AS most
FROM permitted
GROUP BY status, CASE WHEN work_id IS NULL THEN 0 ELSE 1 END, use, kind, unit;

-- step hosted: by site, the largest
SELECT unit, place, work_id, host, many, units
FROM (
  SELECT unit, work_id, host, many, units,
         ROW_NUMBER() OVER (PARTITION BY unit ORDER BY units DESC, work_id NULLS LAST, host) AS place
  FROM (
    SELECT unit, work_id, CASE WHEN work_id IS NULL THEN split_part(value, '/', 1) ELSE '' END AS host,
           CAST(COUNT(*) AS BIGINT) AS many, CAST(SUM(units) AS DECIMAL(38,0)) AS units
    FROM permitted
    WHERE kind = 'web' AND (work_id IS NOT NULL OR scheme IN ('domain', 'url'))
    GROUP BY unit, work_id, CASE WHEN work_id IS NULL THEN split_part(value, '/', 1) ELSE '' END
  ) s
) r
WHERE place <= 200;
