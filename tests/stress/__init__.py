"""The portal under fire: processes killed hard while credit moves (``make stress``)."""
