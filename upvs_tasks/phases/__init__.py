"""One module a task: read, let the model decide, write."""
