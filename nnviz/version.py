"""Which version of nnviz this is."""

__version__ = "0.1.0"
