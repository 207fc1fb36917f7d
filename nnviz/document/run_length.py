"""How long a run is where nothing else is asked for; alone, so that the command line explains itself before anything else is loaded."""

DEFAULT_EPOCHS = 10
