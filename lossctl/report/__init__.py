"""How results show: tables, text, JSON, errors, the catalogue."""
