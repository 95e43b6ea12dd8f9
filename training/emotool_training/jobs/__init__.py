"""A training job: choices, plan, start, session, result."""
