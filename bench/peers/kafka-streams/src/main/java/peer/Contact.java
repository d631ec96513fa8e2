package peer;

import com.fasterxml.jackson.annotation.JsonIgnore;

/** What is known of one contact: written back to its store at every event. */
public final class Contact {
    public long startedAt;
    public long lastAt;
    public int events;
    public String queue;
    public long enteredAt;
    public boolean waiting;
    public boolean ended;

    /**
     * Takes in one event of this contact.
     *
     * @param at event time, ms since the epoch
     * @return the change of one cell, or null when no figure changes
     */
    @JsonIgnore
    public Change apply(Event event, long at) {
        if (events == 0) startedAt = at;
        events++;
        lastAt = Math.max(lastAt, at);
        switch (event.type) {
            case "queue.entered":
                queue = event.queue;
                enteredAt = at;
                waiting = true;
                return new Change(cell(), 1, 0, 0, 0);
            case "agent.connected":
                return leave(at, 1, 0);
            case "queue.left":
                return leave(at, 0, "abandoned".equals(event.reason) ? 1 : 0);
            case "contact.ended":
                ended = true;
                return leave(at, 0, 1);
            default:
                return null;
        }
    }

    private Change leave(long at, int answered, int abandoned) {
        if (!waiting) return null;
        waiting = false;
        return new Change(cell(), 0, answered, abandoned, at - enteredAt);
    }

    private String cell() {
        return queue + "|" + Math.floorDiv(enteredAt, Main.INTERVAL_MS) * Main.INTERVAL_MS;
    }

    /** A change of the cell of one queue and 15 minutes. */
    public record Change(String cell, int offered, int answered, int abandoned, long waitMs) { }
}
