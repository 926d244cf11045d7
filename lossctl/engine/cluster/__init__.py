"""Beyond one machine: a plan of tasks, what a worker makes of one, and how the parts come together."""
