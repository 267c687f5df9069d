"""The experiments of the book, a module each, and the only source of the tables in ``results/``.

A module ``experiments/NAME.py`` says in its docstring what it asks, and has

- ``point``, a function of one point of the grid that returns a row or a list of rows,
- ``GRID``, the points of the experiment, its seeds among them,
- ``QUICK``, a small grid whose first point takes seconds and needs no download, for a test that
  runs it again,
- ``TOLERANCE``, where the numbers of another machine may differ by more than 1e-4, relatively,

and ends with ``sweeps.main(point, GRID, QUICK)`` where it is run as a command:
``python -m experiments.NAME [--quick] [--workers N]``. A file whose name starts with an underscore
helps the others and is no experiment.
"""
