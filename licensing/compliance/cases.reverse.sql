DROP TRIGGER use_stays_as_declared ON licensing_caseuse;
DROP TRIGGER case_stays_as_opened ON licensing_case;
DROP FUNCTION case_stays;
