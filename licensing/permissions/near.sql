-- Near copies among ISO 24138 codes, as permissions/core/iscc.py finds them; that module is this script's oracle.
--
-- Inputs   sought_content, reserved_content(code, form, bits, w0 … w3)     bodies in words of 64 bits, each code once
-- Output   near(code, reserved)

-- step near: of the same form, and fewer than 40 of 256 bits differ; what differs is in one or the other, and not in both
SELECT s.code, r.code AS reserved
FROM sought_content s
JOIN reserved_content r ON r.form = s.form
WHERE 256 * (CAST(bit_count(s.w0 | r.w0) - bit_count(s.w0 & r.w0) AS INTEGER)
  + CASE WHEN 64 < least(s.bits, r.bits) THEN CAST(bit_count(s.w1 | r.w1) - bit_count(s.w1 & r.w1) AS INTEGER) ELSE 0 END
  + CASE WHEN 128 < least(s.bits, r.bits) THEN CAST(bit_count(s.w2 | r.w2) - bit_count(s.w2 & r.w2) AS INTEGER) ELSE 0 END
  + CASE WHEN 192 < least(s.bits, r.bits) THEN CAST(bit_count(s.w3 | r.w3) - bit_count(s.w3 & r.w3) AS INTEGER) ELSE 0 END)
  < 40 * least(s.bits, r.bits);
