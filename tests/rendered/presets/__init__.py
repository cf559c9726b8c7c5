"""Each preset has the routes and bodies of the todo backend that it is named after."""
