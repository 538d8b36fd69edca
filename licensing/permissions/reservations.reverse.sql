DROP TRIGGER signals_stay ON licensing_foundsignal;
DROP TRIGGER signal_stays_as_found ON licensing_foundsignal;
DROP TRIGGER reservations_stay ON licensing_reservation;
DROP TRIGGER reservation_stays_as_received ON licensing_reservation;
DROP FUNCTION signal_stays, reservation_stays;
