-- A reservation comes in now and ends now or later: nobody writes a receipt or an end into the past, where it would change what
-- was reserved on days gone by. Clocks of two machines may differ a little.
CREATE FUNCTION reservation_moments() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.received_at IS NULL AND NEW.received_at < now() - interval '5 minutes' THEN
    RAISE EXCEPTION 'A reservation is received when it comes in, never backwards.' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.ended_at IS NULL AND NEW.ended_at < now() - interval '5 minutes' THEN
    RAISE EXCEPTION 'A reservation has its end from now on, never backwards.' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reservation_moments_are_now BEFORE UPDATE ON licensing_reservation
  FOR EACH ROW EXECUTE FUNCTION reservation_moments();
