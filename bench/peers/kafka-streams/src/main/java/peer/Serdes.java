package peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;

/** How states become bytes: JSON by Jackson (as the product's rows are JSON) or a hand-written binary form. */
final class Serdes {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Serdes() { }

    static <T> Serde<T> json(Class<T> type) {
        ObjectReader reader = MAPPER.readerFor(type);
        ObjectWriter writer = MAPPER.writerFor(type);
        return org.apache.kafka.common.serialization.Serdes.serdeFrom(
            (topic, value) -> {
                try {
                    return value == null ? null : writer.writeValueAsBytes(value);
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            },
            (topic, bytes) -> {
                try {
                    return bytes == null ? null : reader.readValue(bytes);
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            });
    }

    static Serde<Contact> binaryContact() {
        return org.apache.kafka.common.serialization.Serdes.serdeFrom(
            (topic, value) -> value == null ? null : write(value),
            (topic, bytes) -> bytes == null ? null : readContact(bytes));
    }

    static Serde<Cell> binaryCell() {
        return org.apache.kafka.common.serialization.Serdes.serdeFrom(
            (topic, value) -> value == null ? null : ByteBuffer.allocate(32)
                .putLong(value.offered).putLong(value.answered).putLong(value.abandoned).putLong(value.waitMs).array(),
            (topic, bytes) -> bytes == null ? null : readCell(bytes));
    }

    private static byte[] write(Contact value) {
        byte[] queue = value.queue == null ? new byte[0] : value.queue.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(30 + queue.length)
            .putLong(value.startedAt).putLong(value.lastAt).putInt(value.events).putLong(value.enteredAt)
            .put((byte) (value.waiting ? 1 : 0)).put((byte) (value.ended ? 1 : 0)).put(queue).array();
    }

    private static Contact readContact(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Contact value = new Contact();
        value.startedAt = buffer.getLong();
        value.lastAt = buffer.getLong();
        value.events = buffer.getInt();
        value.enteredAt = buffer.getLong();
        value.waiting = buffer.get() == 1;
        value.ended = buffer.get() == 1;
        if (buffer.hasRemaining()) {
            value.queue = new String(bytes, buffer.position(), buffer.remaining(), StandardCharsets.UTF_8);
        }
        return value;
    }

    private static Cell readCell(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        Cell value = new Cell();
        value.offered = buffer.getLong();
        value.answered = buffer.getLong();
        value.abandoned = buffer.getLong();
        value.waitMs = buffer.getLong();
        return value;
    }
}
