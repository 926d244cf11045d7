"""How a run goes: options, passes, states, results."""
