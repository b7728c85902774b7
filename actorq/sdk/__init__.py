"""The worker's side: typed tasks, workers, and the doors by which both reach a queue."""
