DROP VIEW royalties_pooldeclaration;
