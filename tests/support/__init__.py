"""What the tests share: rendering, the environment of all renders, PostgreSQL, and the matrix."""
