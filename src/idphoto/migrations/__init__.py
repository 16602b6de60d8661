"""The history of the schema; ``idphoto.database.migrate`` runs it."""
