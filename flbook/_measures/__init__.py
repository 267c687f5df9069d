"""What training has done: mechanisms, places on the map, ensembles, errors."""
