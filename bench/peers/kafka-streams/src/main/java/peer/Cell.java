package peer;

/** The figures of one queue and 15 minutes. */
public final class Cell {
    public long offered;
    public long answered;
    public long abandoned;
    public long waitMs;

    /** Books a change of this cell. */
    public void add(Contact.Change change) {
        offered += change.offered();
        answered += change.answered();
        abandoned += change.abandoned();
        waitMs += change.waitMs();
    }
}
