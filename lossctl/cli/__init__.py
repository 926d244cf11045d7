"""ARGV: parsing, dispatch, exit statuses. The only room that knows click."""
