"""What is done about the packages that we depend on: their pins, their audit, their list."""
