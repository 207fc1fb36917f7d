"""Icons, fonts, examples, lessons and data. They ship as nnviz.resources and are only read."""
