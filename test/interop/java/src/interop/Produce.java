package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendCallback;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Sends messages, prints what the broker acknowledged. --modes sync,async,oneway,batch runs the modes one after
 * the other, --count messages each; --compress LZ4|ZSTD|ZLIB those of more than 4 KiB; --until-stop true sends asynchronously until "stop", whatever fails.
 */
public final class Produce {
    private static final int IN_FLIGHT = 128;

    private final Args args;
    private final DefaultMQProducer producer;
    private final AtomicInteger acked = new AtomicInteger();
    private final AtomicInteger failed = new AtomicInteger();

    private Produce(Args args) {
        this.args = args;
        // Read when a producer is made; only newer clients have it.
        System.setProperty("rocketmq.message.compressType", args.text("compress", "ZLIB"));
        this.producer = new DefaultMQProducer(args.text("group", "interop-producer"), args.flag("trace"),
            args.text("trace-topic", null));
        producer.setNamesrvAddr(args.need("namesrv"));
        producer.setSendMsgTimeout(args.number("timeout", 30_000));
        producer.setRetryTimesWhenSendFailed(args.number("retries", 0));
        producer.setRetryTimesWhenSendAsyncFailed(args.number("retries", 0));
        producer.setMaxMessageSize(args.number("max-size", 4 << 20));
        producer.setDefaultTopicQueueNums(args.number("queues", 4));
        if (args.flag("tls")) {
            producer.setUseTLS(true);
        }
    }

    public static void main(String[] argv) throws Exception {
        Produce program = new Produce(new Args(argv));
        program.producer.start();
        Out.event("ready");
        program.run();
        Thread.sleep(program.args.number("linger", 0));
        program.producer.shutdown();
        Out.event("done", "acked", program.acked.get(), "failed", program.failed.get());
        System.exit(program.failed.get() == 0 || program.args.flag("until-stop") ? 0 : 1);
    }

    private void run() throws Exception {
        if (args.flag("until-stop")) {
            sendUntilStop();
            return;
        }
        int count = args.number("count", 1);
        int start = args.number("start", 0);
        for (String mode : args.text("modes", "sync").split(",")) {
            switch (mode) {
                case "sync" -> sendSync(start, count);
                case "async" -> sendAsync(start, count);
                case "oneway" -> sendOneway(start, count);
                case "batch" -> sendBatches(start, count);
                case "ordered" -> sendOrdered(start, count);
                default -> throw new IllegalArgumentException("mode " + mode);
            }
            Out.event("mode-done", "mode", mode);
            start += count;
        }
    }

    private void sendSync(int start, int count) throws InterruptedException {
        int lanes = args.number("threads", 1);
        List<Thread> threads = new ArrayList<>();
        for (int lane = 0; lane < lanes; lane++) {
            int first = start + lane;
            Thread thread = new Thread(() -> {
                for (int number = first; number < start + count; number += lanes) {
                    sendOne(Payload.build(args, number), number);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void sendOne(Message message, int number) {
        try {
            int queue = args.number("queue", -1);
            SendResult result = queue < 0
                ? producer.send(message)
                : producer.send(message, new MessageQueue(message.getTopic(), args.need("broker"), queue));
            report(message, number, result);
        } catch (Exception error) {
            fail(message, error);
        }
    }

    private void sendOrdered(int start, int count) {
        for (int number = start; number < start + count; number++) {
            Message message = Payload.build(args, number);
            try {
                report(message, number, producer.send(message, (queues, sent, shard) ->
                    queues.get((int) shard % queues.size()), number % args.number("shards", 1)));
            } catch (Exception error) {
                fail(message, error);
            }
        }
    }

    private void sendAsync(int start, int count) throws InterruptedException {
        Semaphore window = new Semaphore(IN_FLIGHT);
        for (int number = start; number < start + count; number++) {
            window.acquire();
            dispatch(number, window);
        }
        if (!window.tryAcquire(IN_FLIGHT, 30, TimeUnit.SECONDS)) {
            failed.incrementAndGet();
            Out.event("error", "message", "asynchronous sends without an answer after 30 s");
        }
    }

    private void dispatch(int number, Semaphore window) {
        Message message = Payload.build(args, number);
        try {
            producer.send(message, new SendCallback() {
                @Override
                public void onSuccess(SendResult result) {
                    report(message, number, result);
                    window.release();
                }

                @Override
                public void onException(Throwable error) {
                    fail(message, error);
                    window.release();
                }
            });
        } catch (Exception error) {
            fail(message, error);
            window.release();
        }
    }

    @SuppressWarnings("deprecation")
    private void sendOneway(int start, int count) throws Exception {
        for (int number = start; number < start + count; number++) {
            Message message = Payload.build(args, number);
            producer.sendOneway(message);
            Out.event("oneway", "key", message.getKeys(), "msgId", message.getProperty("UNIQ_KEY"));
        }
        // A request with an answer behind them on the same connection: when it is answered, the broker has read them.
        for (MessageQueue queue : producer.fetchPublishMessageQueues(args.need("topic"))) {
            producer.maxOffset(queue);
        }
    }

    private void sendBatches(int start, int count) {
        int size = args.number("batch", 32);
        for (int first = start; first < start + count; first += size) {
            List<Message> batch = new ArrayList<>();
            for (int number = first; number < Math.min(first + size, start + count); number++) {
                batch.add(Payload.build(args, number));
            }
            try {
                reportBatch(batch, producer.send(batch));
            } catch (Exception error) {
                batch.forEach(message -> fail(message, error));
            }
        }
    }

    private void reportBatch(List<Message> batch, SendResult result) {
        String[] ids = result.getMsgId().split(",");
        String[] offsetIds = result.getOffsetMsgId().split(",");
        for (int i = 0; i < batch.size(); i++) {
            acked.incrementAndGet();
            Out.event("sent", "key", batch.get(i).getKeys(), "tag", batch.get(i).getTags(), "mode", "batch",
                "msgId", ids[i], "offsetMsgId", offsetIds[i], "status", result.getSendStatus().name(),
                "queueId", result.getMessageQueue().getQueueId(), "queueOffset", result.getQueueOffset() + i);
        }
    }

    private void sendUntilStop() throws InterruptedException {
        CountDownLatch stop = Stdin.stopLatch();
        Semaphore window = new Semaphore(IN_FLIGHT);
        int perTick = Math.max(1, args.number("rate", 1000) / 100);
        int number = args.number("start", 0);
        while (!stop.await(10, TimeUnit.MILLISECONDS)) {
            for (int i = 0; i < perTick && window.tryAcquire(); i++) {
                dispatch(number++, window);
            }
        }
        window.tryAcquire(IN_FLIGHT, 10, TimeUnit.SECONDS);
    }

    private void report(Message message, int number, SendResult result) {
        acked.incrementAndGet();
        Out.event("sent", "key", message.getKeys(), "tag", message.getTags(), "number", number,
            "msgId", result.getMsgId(), "offsetMsgId", result.getOffsetMsgId(),
            "status", result.getSendStatus().name(), "broker", result.getMessageQueue().getBrokerName(),
            "queueId", result.getMessageQueue().getQueueId(), "queueOffset", result.getQueueOffset());
    }

    private void fail(Message message, Throwable error) {
        failed.incrementAndGet();
        Out.event("send-failed", "key", message.getKeys(), "error", Errors.describe(error));
    }
}
