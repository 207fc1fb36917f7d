"""Documents that open with `example:NAME`, one concept each."""
