package peer;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/** Tells when every partition has been read to the end offsets taken at the start, and what that cost. */
final class Progress {
    private static final OperatingSystemMXBean SYSTEM =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    final LongAdder events = new LongAdder();
    private final Map<Integer, Long> ends;
    private final CountDownLatch open;
    private final AtomicBoolean begun = new AtomicBoolean();
    private final long total;
    volatile long firstCpu;
    volatile long firstWall;
    volatile long warmCpu;
    volatile long warmWall;
    volatile long warmEvents;

    Progress(Map<Integer, Long> ends) {
        this.ends = new ConcurrentHashMap<>(ends);
        this.ends.values().removeIf(end -> end == 0);
        this.open = new CountDownLatch(this.ends.size());
        this.total = this.ends.values().stream().mapToLong(Long::longValue).sum();
    }

    /** CPU nanoseconds of this process so far, all threads, user and system. */
    static long cpu() {
        return SYSTEM.getProcessCpuTime();
    }

    void before() {
        if (!begun.get() && begun.compareAndSet(false, true)) {
            firstWall = System.nanoTime();
            firstCpu = cpu();
        }
    }

    void after(int partition, long offset) {
        events.increment();
        if (warmWall == 0 && (offset & 255) == 0 && events.sum() >= total / 2) {
            warmWall = System.nanoTime();
            warmCpu = cpu();
            warmEvents = events.sum();
        }
        Long end = ends.get(partition);
        if (end != null && offset + 1 >= end && ends.remove(partition) != null) {
            open.countDown();
        }
    }

    void await() throws InterruptedException {
        open.await();
    }
}
