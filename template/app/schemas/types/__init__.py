"""What the values of requests may be: types that the schemas put together.

Bodies are read strictly (`"7"` is no integer); query parameters are text and read leniently.
"""
