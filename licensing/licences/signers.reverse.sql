DROP TRIGGER guard_signer ON licensing_signature;
DROP FUNCTION guard_signer();
