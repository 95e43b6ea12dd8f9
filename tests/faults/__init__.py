"""Every fault that was thought of, tried, and what happens then."""
