"""IDPhoto turns any portrait into a finished, standard ID photo (证件照)."""
