import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.message.Message;

/**
 * Sends synchronously from many threads with the stock client. Arguments: name server, topic, threads, body bytes. For
 * each line "RUN_IN MEASURED" (seconds) on stdin it sends that long, prints "measuring" when the run-in is over and one
 * JSON line at the end; it ends with its input. All threads share one producer, as an application would.
 */
public final class BenchSend {
    private final DefaultMQProducer producer = new DefaultMQProducer("ringmq_bench_java");
    private final String topic;
    private final int threads;
    private final byte[] body;
    private final AtomicLong failed = new AtomicLong();
    private final AtomicReference<String> firstError = new AtomicReference<>("");

    private BenchSend(String[] args) {
        producer.setNamesrvAddr(args[0]);
        producer.setRetryTimesWhenSendFailed(0);
        topic = args[1];
        threads = Integer.parseInt(args[2]);
        body = new byte[Integer.parseInt(args[3])];
        Arrays.fill(body, (byte) 'x');
    }

    public static void main(String[] args) throws Exception {
        BenchSend bench = new BenchSend(args);
        bench.producer.start();
        System.out.println("ready");
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] seconds = line.trim().split(" ");
            bench.run(Double.parseDouble(seconds[0]), Double.parseDouble(seconds[1]));
        }
        System.exit(0);
    }

    private void run(double runIn, double measured) throws InterruptedException {
        failed.set(0);
        firstError.set("");
        long from = System.nanoTime() + (long) (runIn * 1e9);
        long to = from + (long) (measured * 1e9);
        Lane[] lanes = new Lane[threads];
        for (int index = 0; index < threads; index++) {
            lanes[index] = new Lane(from, to);
            lanes[index].start();
        }
        Thread.sleep(Math.max(0, (from - System.nanoTime()) / 1_000_000));
        System.out.println("measuring");
        for (Lane lane : lanes) {
            lane.join();
        }
        report(lanes, measured);
    }

    private void report(Lane[] lanes, double seconds) {
        int messages = 0;
        for (Lane lane : lanes) {
            messages += lane.count;
        }
        long[] all = new long[messages];
        int filled = 0;
        for (Lane lane : lanes) {
            System.arraycopy(lane.nanos, 0, all, filled, lane.count);
            filled += lane.count;
        }
        Arrays.sort(all);
        System.out.printf("{\"messages\":%d,\"seconds\":%s,\"rate\":%d,\"p50\":%s,\"p99\":%s,\"p999\":%s,\"max\":%s,"
                + "\"errors\":%d,\"firstError\":\"%s\"}%n",
            messages, seconds, Math.round(messages / seconds), micros(all, 0.5), micros(all, 0.99), micros(all, 0.999),
            micros(all, 1), failed.get(), firstError.get().replaceAll("[^ -!#-\\[\\]-~]", " "));
    }

    private static double micros(long[] sorted, double fraction) {
        if (sorted.length == 0) {
            return 0;
        }
        int index = (int) Math.ceil(sorted.length * fraction) - 1;
        return sorted[Math.max(0, index)] / 100 / 10.0;
    }

    private final class Lane extends Thread {
        private final long from;
        private final long to;
        private long[] nanos = new long[1 << 14];
        private int count;

        Lane(long from, long to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public void run() {
            for (long start = System.nanoTime(); start < to; start = System.nanoTime()) {
                boolean accepted = send();
                long end = System.nanoTime();
                if (accepted && start >= from && end <= to) {
                    record(end - start);
                }
            }
        }

        private boolean send() {
            try {
                Message message = new Message(topic, "TagA", body);
                if (producer.send(message).getSendStatus() == SendStatus.SEND_OK) {
                    return true;
                }
                failed.incrementAndGet();
            } catch (Exception error) {
                failed.incrementAndGet();
                firstError.compareAndSet("", String.valueOf(error.getMessage()));
            }
            return false;
        }

        private void record(long duration) {
            if (count == nanos.length) {
                nanos = Arrays.copyOf(nanos, count * 2);
            }
            nanos[count++] = duration;
        }
    }
}
