package peer;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Reads a topic once, from its start to the end offsets found at the start, and prints one JSON line with the
 * figures and what they cost.
 *
 * <p>Arguments, each {@code --name value}: {@code bootstrap}, {@code topic}, {@code app}, {@code state} (a folder),
 * {@code guarantee} (at_least_once or exactly_once_v2), {@code serde} (json or binary), {@code cache} (on or off),
 * {@code threads}.
 */
public final class Main {
    static final long INTERVAL_MS = 15 * 60 * 1000;
    static final String CONTACTS = "contacts";
    static final String CELLS = "cells";

    private Main() { }

    public static void main(String[] given) throws Exception {
        Map<String, String> arguments = arguments(given);
        Progress progress = new Progress(ends(arguments));
        KafkaStreams streams = new KafkaStreams(topology(arguments, progress), settings(arguments));
        streams.start();
        progress.await();
        long lastCpu = Progress.cpu();
        long lastWall = System.nanoTime();
        Map<String, long[]> figures = figures(streams);
        streams.close();
        print(progress, lastCpu, lastWall, figures);
    }

    private static Map<String, String> arguments(String[] given) {
        Map<String, String> arguments = new HashMap<>(Map.of(
            "guarantee", "at_least_once", "serde", "json", "cache", "on", "threads", "1"));
        for (int i = 0; i + 1 < given.length; i += 2) arguments.put(given[i].substring(2), given[i + 1]);
        return arguments;
    }

    private static Map<Integer, Long> ends(Map<String, String> arguments) throws Exception {
        String topic = arguments.get("topic");
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", (Object) arguments.get("bootstrap")))) {
            Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
            admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions()
                .forEach(info -> asked.put(new TopicPartition(topic, info.partition()), OffsetSpec.latest()));
            Map<Integer, Long> ends = new HashMap<>();
            admin.listOffsets(asked).all().get().forEach((part, found) -> ends.put(part.partition(), found.offset()));
            return ends;
        }
    }

    private static Topology topology(Map<String, String> arguments, Progress progress) {
        boolean binary = arguments.get("serde").equals("binary");
        Serde<Contact> contact = binary ? Serdes.binaryContact() : Serdes.json(Contact.class);
        Serde<Cell> cell = binary ? Serdes.binaryCell() : Serdes.json(Cell.class);
        boolean cached = arguments.get("cache").equals("on");
        var strings = org.apache.kafka.common.serialization.Serdes.String();
        var bytes = org.apache.kafka.common.serialization.Serdes.ByteArray();
        return new Topology()
            .addSource("source", strings.deserializer(), bytes.deserializer(), arguments.get("topic"))
            .addProcessor("job", () -> new Job(progress), "source")
            .addStateStore(store(CONTACTS, strings, contact, cached), "job")
            .addStateStore(store(CELLS, strings, cell, cached), "job");
    }

    private static <T> StoreBuilder<?> store(String name, Serde<String> key, Serde<T> value, boolean cached) {
        var builder = Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), key, value)
            .withLoggingEnabled(Map.of());
        return cached ? builder.withCachingEnabled() : builder.withCachingDisabled();
    }

    private static Properties settings(Map<String, String> arguments) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.get("bootstrap"));
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.get("app"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments.get("state"));
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments.get("threads"));
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments.get("guarantee"));
        return settings;
    }

    /** Sums each queue over its intervals and partitions: offered, answered, abandoned, wait in ms. */
    private static Map<String, long[]> figures(KafkaStreams streams) {
        ReadOnlyKeyValueStore<String, Cell> store = streams.store(
            StoreQueryParameters.fromNameAndType(CELLS, QueryableStoreTypes.keyValueStore()));
        Map<String, long[]> sums = new TreeMap<>();
        try (KeyValueIterator<String, Cell> rows = store.all()) {
            rows.forEachRemaining(row -> {
                long[] sum = sums.computeIfAbsent(row.key.substring(0, row.key.indexOf('|')), queue -> new long[4]);
                sum[0] += row.value.offered;
                sum[1] += row.value.answered;
                sum[2] += row.value.abandoned;
                sum[3] += row.value.waitMs;
            });
        }
        return sums;
    }

    private static void print(Progress progress, long lastCpu, long lastWall, Map<String, long[]> figures)
            throws Exception {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("events", progress.events.sum());
        line.put("cpu_seconds", (lastCpu - progress.firstCpu) / 1e9);
        line.put("wall_seconds", (lastWall - progress.firstWall) / 1e9);
        line.put("warm_events", progress.events.sum() - progress.warmEvents);
        line.put("warm_cpu_seconds", (lastCpu - progress.warmCpu) / 1e9);
        line.put("process_cpu_seconds", Progress.cpu() / 1e9);
        Map<String, List<Long>> queues = new TreeMap<>();
        figures.forEach((queue, sum) -> {
            List<Long> row = new ArrayList<>();
            for (long figure : sum) row.add(figure);
            queues.put(queue, row);
        });
        line.put("queues", queues);
        System.out.println(new ObjectMapper().writeValueAsString(line));
    }
}
