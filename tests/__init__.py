"""The template proves itself: what it asks, what it renders, and what its own pages say."""
