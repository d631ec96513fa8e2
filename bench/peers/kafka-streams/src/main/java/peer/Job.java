package peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** The small job: the state of each contact; offered, answered, abandoned and wait per queue and 15 minutes. */
final class Job implements Processor<String, byte[], Void, Void> {
    private final ObjectReader reader = new ObjectMapper().readerFor(Event.class);
    private final Progress progress;
    private ProcessorContext<Void, Void> context;
    private KeyValueStore<String, Contact> contacts;
    private KeyValueStore<String, Cell> cells;

    Job(Progress progress) {
        this.progress = progress;
    }

    @Override
    public void init(ProcessorContext<Void, Void> given) {
        context = given;
        contacts = given.getStateStore(Main.CONTACTS);
        cells = given.getStateStore(Main.CELLS);
    }

    @Override
    public void process(Record<String, byte[]> source) {
        progress.before();
        Event event;
        try {
            event = reader.readValue(source.value());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        Contact contact = contacts.get(source.key());
        if (contact == null) contact = new Contact();
        Contact.Change change = contact.apply(event, Instant.parse(event.occurred_at).toEpochMilli());
        contacts.put(source.key(), contact);
        if (change != null) book(change);
        var position = context.recordMetadata().orElseThrow();
        progress.after(position.partition(), position.offset());
    }

    private void book(Contact.Change change) {
        Cell cell = cells.get(change.cell());
        if (cell == null) cell = new Cell();
        cell.add(change);
        cells.put(change.cell(), cell);
    }
}
