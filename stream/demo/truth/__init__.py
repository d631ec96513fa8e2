"""The truth of a simulated world, booked by the world itself while it decides; it never reads an event."""
