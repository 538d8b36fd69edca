-- What `allocate.sql` made of money that moves a second time, by the pools that it comes from; and what it depended on, as lines of
-- the input digest.
--
-- What waited for its shares (`leftover.sql`) comes divided.
--
-- Inputs   allocation, claim, day_claims, unit, declared, holder, moved_part   as `moved.sql`, `weigh.sql`, `allocate.sql` left them
--          moved_pool(origin, kind, number)        the name of each origin in digests
--          leftover(allocation_id, origin, …), registered_work(work_id, ref)
-- Output   moved(number, origin, kind, seq, key, …)   as `allocation`; key and seq as the digest has them
--          moved_line(number, seq, line)

-- step moved_unit: each pool of the engine with the pool that its money comes from
SELECT u.pool, u.seq AS place, m.number, m.origin, m.kind, u.work_id,
       CASE WHEN p.pool IS NULL THEN u.key ELSE CONCAT(u.key, ' ', p.scheme, ':', p.value) END AS key,
       COALESCE(p.scheme, u.scheme) AS scheme, COALESCE(p.value, u.value) AS value, COALESCE(p.reason, '') AS reason
FROM unit u
LEFT JOIN moved_part p ON p.pool = u.pool
JOIN moved_pool m ON m.origin = COALESCE(p.origin, -u.pool) AND m.kind = CASE WHEN p.pool IS NULL THEN 'correction' ELSE 'release' END;

-- step leftover_unit: the same of what waited for its shares
SELECT m.number, m.origin, m.kind, l.allocation_id, l.work_id, CONCAT(w.ref, ' ', l.scheme, ':', l.value) AS key, l.scheme, l.value, l.used_on, l.place,
       l.holder_id, l.holder_ref, l.role, l.ppm, l.weight, l.work_amount, l.set_amount, l.whole, l.amount, l.status, l.reason
FROM leftover l
JOIN moved_pool m ON m.origin = l.origin AND m.kind = 'release'
JOIN registered_work w ON w.work_id = l.work_id;

-- step moved_key: the place of each key in its origin, in UTF-8 byte order
SELECT number, key, work_id, DENSE_RANK() OVER (PARTITION BY number ORDER BY key, CASE WHEN work_id IS NULL THEN 1 ELSE 0 END, work_id) AS seq
FROM (SELECT number, key, work_id FROM moved_unit UNION SELECT number, key, work_id FROM leftover_unit) x;

-- step moved_seq: each pool of the engine with that place
SELECT u.pool, u.place, u.number, u.origin, u.kind, u.work_id, u.key, u.scheme, u.value, u.reason, k.seq
FROM moved_unit u
JOIN moved_key k ON k.number = u.number AND k.key = u.key AND COALESCE(k.work_id, 0) = COALESCE(u.work_id, 0);

-- step moved: what permission does not allow is held for that reason, whatever the shares; the rest waits for its own
SELECT m.number, m.origin, m.kind, m.seq, m.key, a.used_on, a.place, a.work_id, m.scheme, m.value, a.holder_id,
       COALESCE(h.holder_ref, '') AS holder_ref, a.role, a.ppm, a.weight, a.work_amount, a.set_amount, a.amount,
       CASE WHEN m.reason <> '' THEN 'held' ELSE a.status END AS status, CASE WHEN m.reason <> '' THEN m.reason ELSE a.reason END AS reason
FROM allocation a
JOIN moved_seq m ON m.pool = a.pool AND m.place = a.seq
LEFT JOIN holder h ON h.holder_id = a.holder_id
UNION ALL
SELECT l.number, l.origin, l.kind, k.seq, l.key, l.used_on, l.place, l.work_id, l.scheme, l.value, l.holder_id, l.holder_ref, l.role, l.ppm, l.weight,
       l.work_amount, l.set_amount, l.amount, l.status, l.reason
FROM leftover_unit l
JOIN moved_key k ON k.number = l.number AND k.key = l.key AND k.work_id = l.work_id;

-- step taken_amount: each amount that leaves, once
SELECT allocation_id, origin, amount, weight FROM suspended
UNION ALL
SELECT allocation_id, origin, MAX(whole), MAX(weight) FROM leftover GROUP BY allocation_id, origin;

-- step moved_line: days and weights with the verdict, shares, and days on which a work's shares were others than on its first
SELECT m.number, m.seq, CONCAT('m ', LENGTH(m.key), ':', m.key, ' ', d.used_on, ' ', d.units, ' ', m.reason) AS line
FROM declared d
JOIN unit u ON u.pool = d.pool AND u.key = d.key AND COALESCE(u.work_id, 0) = COALESCE(d.work_id, 0)
JOIN moved_seq m ON m.pool = u.pool AND m.place = u.seq
UNION ALL
SELECT m.number, m.seq, CONCAT('s ', m.reason, ' ', c.used_on, ' ', LENGTH(h.holder_ref), ':', h.holder_ref, ' ', LENGTH(c.role), ':', c.role, ' ',
                               c.ppm, ' ', CASE WHEN c.disputed THEN 1 ELSE 0 END)
FROM claim c
JOIN holder h ON h.holder_id = c.holder_id
JOIN moved_seq m ON m.pool = c.pool AND m.place = c.seq
UNION ALL
SELECT m.number, m.seq, CONCAT('d ', m.reason, ' ', d.used_on, ' ', d.claims)
FROM day_claims d
JOIN moved_seq m ON m.pool = d.pool AND m.place = d.seq
UNION ALL
SELECT l.number, k.seq, CONCAT('l ', l.used_on, ' ', l.whole, ' ', LENGTH(l.holder_ref), ':', l.holder_ref, ' ', LENGTH(l.role), ':', l.role, ' ', l.ppm, ' ',
                               l.status)
FROM leftover_unit l
JOIN moved_key k ON k.number = l.number AND k.key = l.key AND k.work_id = l.work_id;
