DROP VIEW royalties_paymenttax;
DROP TRIGGER payment_is_not_deleted ON royalties_payment;
DROP TRIGGER payment_stays_as_ordered ON royalties_payment;
DROP FUNCTION royalties_payment_stays();
