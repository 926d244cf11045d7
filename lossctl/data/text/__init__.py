"""Files of text: tables with marks between cells, bare numbers, lines, transcripts."""
