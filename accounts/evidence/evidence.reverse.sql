DROP TRIGGER append_only ON accounts_event;
DROP FUNCTION refuse_change();
