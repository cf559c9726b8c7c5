"""The repository itself: its pages, its budgets and its commands."""
