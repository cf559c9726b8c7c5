"""Each preset serves its design: routes and bodies as the document of that design shows them."""
