"""What people look at after a decision: violations, alerts and attention items."""
