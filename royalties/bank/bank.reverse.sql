DROP TRIGGER bank_truncate ON royalties_entry;
DROP TRIGGER bank_stays ON royalties_exchangerate;
DROP TRIGGER bank_stays ON royalties_application;
DROP TRIGGER bank_stays ON royalties_bankstatement;
DROP TRIGGER bank_stays ON royalties_entry;
DROP FUNCTION bank_stays();
