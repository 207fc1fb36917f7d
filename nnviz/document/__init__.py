"""What the user built: the document, its rules, its edits and its files. Knows neither torch nor Qt."""
