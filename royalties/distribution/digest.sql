-- A digest of millions of rows that depends neither on their order nor on ids: lines in the order of their keys, hashed by
-- blocks of 512 units, the blocks' digests hashed together (in `digests.py`). Texts carry their length, so that no two rows
-- of different fields give the same line.
--
-- Inputs   line(number, seq, line)      number: the invoice's; seq: the unit's place in its pool by UTF-8 byte order of the key
-- Output   block(number, block, digest)

-- step block: one digest a block of units; its lines in the order of seq, then of themselves (four digits in front say which)
SELECT number, block, sha256(lines) AS digest
FROM (
  SELECT number, block, join_ordered(array_agg(numbered), 4, chr(10)) AS lines
  FROM (SELECT number, CAST((seq - seq % 512) / 512 AS BIGINT) AS block, CONCAT(1000 + seq % 512, line) AS numbered FROM line) x
  GROUP BY number, block
) y;
