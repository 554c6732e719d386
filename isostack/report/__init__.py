"""What people and programs read: text for terminals, JSON for scripts."""
