-- Near copies among ISO 24138 codes, as permissions/core/iscc.py finds them; that module is this script's oracle.
--
-- Inputs   sought_content, reserved_content(code, form, bits, w0 … w7)     bodies in words of 32 bits, each code once
-- Output   near(code, reserved)

-- step near: of the same form, and fewer than 40 of 256 bits differ; what differs is in one or the other, and not in both
SELECT s.code, r.code AS reserved
FROM sought_content s
JOIN reserved_content r ON r.form = s.form
WHERE s.bits >= 64 AND r.bits >= 64
  AND 256 * (CAST(bit_count(s.w0 | r.w0) - bit_count(s.w0 & r.w0) AS INTEGER)
          + CAST(bit_count(s.w1 | r.w1) - bit_count(s.w1 & r.w1) AS INTEGER)
          + CASE WHEN 64 < least(s.bits, r.bits) THEN CAST(bit_count(s.w2 | r.w2) - bit_count(s.w2 & r.w2) AS INTEGER) ELSE 0 END
          + CASE WHEN 96 < least(s.bits, r.bits) THEN CAST(bit_count(s.w3 | r.w3) - bit_count(s.w3 & r.w3) AS INTEGER) ELSE 0 END
          + CASE WHEN 128 < least(s.bits, r.bits) THEN CAST(bit_count(s.w4 | r.w4) - bit_count(s.w4 & r.w4) AS INTEGER) ELSE 0 END
          + CASE WHEN 160 < least(s.bits, r.bits) THEN CAST(bit_count(s.w5 | r.w5) - bit_count(s.w5 & r.w5) AS INTEGER) ELSE 0 END
          + CASE WHEN 192 < least(s.bits, r.bits) THEN CAST(bit_count(s.w6 | r.w6) - bit_count(s.w6 & r.w6) AS INTEGER) ELSE 0 END
          + CASE WHEN 224 < least(s.bits, r.bits) THEN CAST(bit_count(s.w7 | r.w7) - bit_count(s.w7 & r.w7) AS INTEGER) ELSE 0 END)
      < 40 * least(s.bits, r.bits);
