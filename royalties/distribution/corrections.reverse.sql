DROP VIEW royalties_takenback;
