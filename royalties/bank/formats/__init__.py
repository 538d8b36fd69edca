"""Files of banks, read line by line: camt.053 and the CSV of their web pages."""
