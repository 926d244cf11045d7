"""Objectives of preferences, of generators and critics, of constraints, and of penalties."""
