"""The files around the app of a rendered project: tools, image, workflow, pages."""
