package interop;

import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Push consumer: --mode clustering|broadcasting|orderly. Prints every delivery and every change of the queues
 * that it holds; stops on "stop", or by itself after --count deliveries. --fail N lets the listener fail the
 * first N deliveries of each message.
 * --broker-assigns true leaves it to the broker which queues it has; --sleep MS is what each message takes.
 */
public final class Consume {
    private final Args args;
    private final DefaultMQPushConsumer consumer;
    private final AtomicInteger deliveries = new AtomicInteger();
    private final CountDownLatch stop = Stdin.stopLatch();

    private Consume(Args args) throws MQClientException {
        this.args = args;
        this.consumer = new DefaultMQPushConsumer(args.need("group"), args.flag("trace"),
            args.text("trace-topic", null));
        consumer.setNamesrvAddr(args.need("namesrv"));
        consumer.setInstanceName(args.text("instance", "DEFAULT"));
        consumer.setConsumeFromWhere("last".equals(args.text("from", "first"))
            ? ConsumeFromWhere.CONSUME_FROM_LAST_OFFSET : ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        if (args.flag("tls")) {
            consumer.setUseTLS(true);
        }
        if (args.flag("broker-assigns")) {
            Compat.leaveToBroker(consumer, args);
        }
        consumer.setConsumeThreadMin(args.number("threads", 4));
        consumer.setConsumeThreadMax(args.number("threads", 4));
        consumer.setMaxReconsumeTimes(args.number("max-reconsume", -1));
        consumer.setConsumeMessageBatchMaxSize(args.number("batch", 1));
        consumer.setSuspendCurrentQueueTimeMillis(args.number("suspend", 1000));
        // start() lets the broker check an SQL filter, and fails when the answer takes longer: 3 s are little here.
        consumer.setMqClientApiTimeout(15_000);
        // Otherwise a stop commits offsets while the last messages are still in their listeners' hands.
        consumer.setAwaitTerminationMillisWhenShutdown(10_000);
        subscribe();
    }

    public static void main(String[] argv) throws Exception {
        Consume program = new Consume(new Args(argv));
        try {
            program.consumer.start();
        } catch (Exception error) {
            Out.event("start-failed", "error", Errors.describe(error));
            System.exit(1);
        }
        Out.event("ready");
        program.reportQueuesUntilStop();
        Thread.sleep(program.args.number("linger", 0));
        program.consumer.shutdown();
        Out.event("done", "deliveries", program.deliveries.get());
        System.exit(0);
    }

    private void subscribe() throws MQClientException {
        for (String topic : args.need("topic").split(",")) {
            if (args.text("sql", "").isEmpty()) {
                consumer.subscribe(topic, args.text("expression", "*"));
            } else {
                consumer.subscribe(topic, MessageSelector.bySql(args.need("sql")));
            }
        }
        switch (args.text("mode", "clustering")) {
            case "clustering" -> consumer.registerMessageListener(concurrently());
            case "broadcasting" -> {
                Compat.broadcast(consumer);
                consumer.registerMessageListener(concurrently());
            }
            case "orderly" -> consumer.registerMessageListener(orderly());
            default -> throw new IllegalArgumentException("mode " + args.need("mode"));
        }
    }

    private MessageListenerConcurrently concurrently() {
        return (messages, context) -> accept(messages)
            ? ConsumeConcurrentlyStatus.CONSUME_SUCCESS : ConsumeConcurrentlyStatus.RECONSUME_LATER;
    }

    private MessageListenerOrderly orderly() {
        return (messages, context) -> accept(messages)
            ? ConsumeOrderlyStatus.SUCCESS : ConsumeOrderlyStatus.SUSPEND_CURRENT_QUEUE_A_MOMENT;
    }

    private boolean accept(List<MessageExt> messages) {
        boolean ok = true;
        for (MessageExt message : messages) {
            boolean good = message.getReconsumeTimes() >= args.number("fail", 0);
            ok &= good;
            Out.event("message", "ok", good, "at", System.currentTimeMillis(), "message", Payload.describe(message));
            pause(args.number("sleep", 0));
            if (deliveries.incrementAndGet() == args.number("count", -1)) {
                stop.countDown();
            }
        }
        return ok;
    }

    private static void pause(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    /** The queues held right now, without those of the retry topic; tests wait for the allocation they expect. */
    private void reportQueuesUntilStop() throws InterruptedException {
        TreeSet<Integer> last = null;
        do {
            TreeSet<Integer> held = new TreeSet<>();
            for (MessageQueue queue : Compat.queues(consumer)) {
                if (!queue.getTopic().startsWith("%RETRY%")) {
                    held.add(queue.getQueueId());
                }
            }
            if (!held.equals(last)) {
                Out.event("queues", "held", held, "at", System.currentTimeMillis());
                last = held;
            }
        } while (!stop.await(50, TimeUnit.MILLISECONDS));
    }
}
