package peer;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/** A canonical event: the envelope and the fields that the small job reads; all others are skipped. */
@JsonIgnoreProperties(ignoreUnknown = true)
public final class Event {
    public String event_id;
    public String type;
    public String occurred_at;
    public String source;
    public String contact_id;
    public long source_seq;
    public String channel = "voice";
    public String direction = "inbound";
    public String customer;
    public String queue;
    public String agent;
    public String reason;
}
