-- What leaves suspense, before it is divided: each amount among what permission said of its uses. See `allocate.sql`, which does
-- every division, here too: an amount in suspense is a pool of its own, and its verdicts are its units.
--
-- Inputs   suspended_use(allocation_id, origin, work_id, scheme, value, amount, licence_id, territory, use, unit, used_on, units, weight)
--              one row a declared use of what an amount in suspense waits for; weight: as in the run that it comes from
--          verdict(licence_id, territory, work_id, scheme, value, use, used_on, reason)   reason '': it is paid
-- Output   judged_use, suspended, declared and pool for `weigh.sql` and `allocate.sql`

-- step judged_use: each use with what permission says of it; compensation (licence 0) was settled for just this
SELECT s.allocation_id, s.work_id, s.scheme, s.value, s.used_on, s.weight,
       CASE WHEN s.licence_id = 0 THEN '' ELSE v.reason END AS reason
FROM suspended_use s
LEFT JOIN verdict v ON v.licence_id = s.licence_id AND v.territory = s.territory AND v.work_id = s.work_id
 AND v.scheme = s.scheme AND v.value = s.value AND v."use" = s."use" AND v.used_on = s.used_on;

-- step suspended: each amount once, with all that it weighed
SELECT allocation_id, origin, work_id, scheme, value, MAX(amount) AS amount, CAST(SUM(weight) AS DECIMAL(38,0)) AS weight
FROM suspended_use
GROUP BY allocation_id, origin, work_id, scheme, value;

-- step declared: the verdicts as units
SELECT allocation_id AS pool, reason AS key, CAST(NULL AS BIGINT) AS work_id, '' AS scheme, reason AS value,
       'other' AS kind, 'moved' AS "use", 'moved' AS unit, used_on, CAST(SUM(weight) AS DECIMAL(38,0)) AS units
FROM judged_use
GROUP BY allocation_id, reason, used_on;

-- step pool: by weight; equally where nothing weighed
SELECT allocation_id AS pool, '' AS number, CASE WHEN weight = 0 THEN amount ELSE 0 END AS equal_part,
       CASE WHEN weight = 0 THEN 0 ELSE amount END AS rest
FROM suspended;
