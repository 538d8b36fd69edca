-- Normal forms of identifiers whose spelling leaves no doubt, as repertoire/identifiers has them; NULL leaves it to Python.
-- Views, so that each identifier passes once from end to end. Read by DuckDB alone, as files are.
--
-- Input    strange(scheme, identifier), public_suffix(name, rule)
-- Output   certain(scheme, identifier, value)

-- view compact: numbers without blanks and hyphens; the host, path and query of plain web locations
SELECT scheme, identifier,
       CASE WHEN scheme IN ('isbn', 'issn', 'ismn') AND regexp_full_match(text, '[0-9][0-9 -]*[0-9Xx]')
            THEN upper(replace(replace(text, '-', ''), ' ', ''))
            WHEN scheme = 'iswc' AND regexp_full_match(text, '[Tt][0-9 .-]*[0-9]')
            THEN upper(replace(replace(replace(text, '-', ''), ' ', ''), '.', ''))
            WHEN scheme = 'doi' AND regexp_full_match(text, '10[.][0-9]{4,9}/[!-~]+') THEN lower(text)
            WHEN scheme = 'proprietary' AND regexp_full_match(text, '[!-~]+( [!-~]+)*') THEN text
            WHEN scheme = 'domain' AND regexp_full_match(text, '[A-Za-z0-9._-]+') THEN lower(regexp_replace(text, '[.]$', ''))
            WHEN scheme = 'isrc' AND regexp_full_match(text, '(?i:AU|BR|CA|CN|DE|ES|FR|GB|IT|JP|KR|NL|SE|TW|US)-?[A-Za-z0-9]{3}-?[0-9]{2}-?[0-9]{5}')
            THEN upper(replace(text, '-', ''))
            WHEN scheme = 'isni' AND regexp_full_match(text, '([0-9]{4}[ -]?){3}[0-9]{3}[0-9Xx]')
            THEN upper(replace(replace(text, '-', ''), ' ', ''))
            WHEN scheme = 'ipi' AND regexp_full_match(text, '[0-9]{6,11}') THEN lpad(text, 11, '0')
            WHEN scheme = 'uci' AND regexp_full_match(text, '[A-Za-z][0-9]{3}(-[A-Za-z0-9]+)?([-:+][A-Za-z0-9._~]+)+') THEN upper(text)
       END AS code,
       CASE WHEN scheme = 'url'
            THEN regexp_extract(text, '^(?:(?i:https?)://)?([A-Za-z0-9._-]+)(/[!-"$->@-~]*)?(?:[?]([!-"$-~]+))?$',
                                ['host', 'path', 'query']) END AS part
FROM (SELECT scheme, identifier, CASE WHEN length(trim(identifier)) <= 2048 THEN trim(identifier) END AS text FROM strange) t;

-- view checked: sums of digits, and hosts in lower case
SELECT scheme, identifier, code, part,
       ((n // 1000000000000) % 10 + (n // 10000000000) % 10 + (n // 100000000) % 10 + (n // 1000000) % 10 + (n // 10000) % 10 + (n // 100) % 10 + n % 10
        + 3 * ((n // 100000000000) % 10 + (n // 1000000000) % 10 + (n // 10000000) % 10 + (n // 100000) % 10 + (n // 1000) % 10 + (n // 10) % 10)) % 10 AS ean,
       CASE WHEN scheme IN ('isbn', 'issn') AND n IS NULL AND regexp_full_match(code, '[0-9]{7}([0-9]{2})?[0-9X]') THEN
         list_sum(list_transform(range(1, length(code) + 1), lambda i: (length(code) + 1 - i) *
           CASE WHEN substr(code, CAST(i AS INT), 1) = 'X' THEN 10 ELSE TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) END)) % 11 END AS mod11,
       CASE WHEN scheme = 'isbn' AND length(code) = 10 THEN
         list_sum(list_transform(range(1, 10), lambda i: TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) * (1 + 2 * (i % 2)))) END AS inner_ean,
       CASE WHEN scheme = 'iswc' AND regexp_full_match(code, 'T[0-9]{10}') THEN
         (1 + list_sum(list_transform(range(1, 11), lambda i: TRY_CAST(substr(code, CAST(i + 1 AS INT), 1) AS INT) * CASE WHEN i < 10 THEN i ELSE 1 END))) % 10 END AS mod10,
       CASE WHEN scheme = 'isni' THEN
         list_sum(list_transform(range(1, 17), lambda i: (1 << CAST(16 - i AS INT)) *
           CASE WHEN substr(code, CAST(i AS INT), 1) = 'X' THEN 10 ELSE TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT) END)) % 11 END AS mod11_2,
       CASE WHEN scheme = 'ipi' THEN
         (101 - list_sum(list_transform(range(1, 10), lambda i: (11 - i) * TRY_CAST(substr(code, CAST(i AS INT), 1) AS INT))) % 101) % 101 % 100 END AS mod101,
       CASE WHEN scheme = 'domain' THEN code WHEN scheme = 'url' THEN lower(regexp_replace(part.host, '[.]$', '')) END AS host
FROM (
  SELECT scheme, identifier, code, part,
         CASE WHEN scheme IN ('isbn', 'ismn') AND length(code) = 13 AND code LIKE '97%' AND substr(code, 3, 1) IN ('8', '9')
              THEN TRY_CAST(code AS BIGINT) END AS n
  FROM compact
) c;

-- view hosted: whether a host is one, and a domain no public suffix
SELECT c.*,
       length(host) <= 253 AND NOT regexp_full_match(host, '.*[.][0-9]+')
         AND regexp_full_match(host, '([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?[.])+[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?') AS good_host,
       e.name IS NOT NULL OR (w.name IS NOT NULL AND x.name IS NULL) AS suffix
FROM checked c
LEFT JOIN public_suffix e ON e.rule = 'exact' AND e.name = c.host
LEFT JOIN public_suffix w ON w.rule = 'wild' AND w.name = substr(c.host, strpos(c.host, '.') + 1)
LEFT JOIN public_suffix x ON x.rule = 'except' AND x.name = c.host;

-- step certain: the normal form where all is well
SELECT scheme, identifier,
       CASE WHEN scheme = 'isbn' AND ean = 0 AND code NOT LIKE '9790%' THEN code
            WHEN scheme = 'isbn' AND length(code) = 10 AND mod11 = 0
            THEN '978' || substr(code, 1, 9) || CAST((10 - (38 + inner_ean) % 10) % 10 AS VARCHAR)
            WHEN scheme = 'issn' AND length(code) = 8 AND mod11 = 0 THEN code
            WHEN scheme = 'ismn' AND ean = 0 AND code LIKE '9790%' THEN code
            WHEN scheme = 'iswc' AND mod10 = 0 THEN code
            WHEN scheme = 'isni' AND mod11_2 = 1 THEN code
            WHEN scheme = 'ipi' AND mod101 = TRY_CAST(substr(code, 10) AS INT) THEN code
            WHEN scheme IN ('doi', 'proprietary', 'isrc', 'uci') THEN code
            WHEN scheme = 'domain' AND good_host AND NOT suffix THEN host
            WHEN scheme = 'url' AND good_host AND NOT regexp_matches(COALESCE(part.query, ''), '(^|&)(&|$|(?i:utm_|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|ttclid|twclid|igshid|mc_|_ga|_gl))')
            THEN host || CASE WHEN part.path = '' THEN '/' ELSE part.path END || '?' || part.query
            WHEN scheme = 'url' AND good_host AND part.query = '' THEN host || CASE WHEN part.path = '' THEN '/' ELSE part.path END
       END AS value
FROM hosted;
